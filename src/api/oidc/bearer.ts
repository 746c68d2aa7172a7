/** RFC 6750 section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** A token that is missing or no good. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: 'TOKEN_MISSING' | 'TOKEN_INVALID';

  constructor(code: TokenError['code'], message: string) {
    super(message);
    this.code = code;
  }

  /**
   * The header `WWW-Authenticate` (RFC 6750 section 3).
   *
   * @param realm what the token opens, in plain words
   */
  challengeOf(realm: string): string {
    if (this.code === 'TOKEN_MISSING') return `Bearer realm="${realm}"`;
    const description = this.message.replace(/[^\x20-\x7e]|["\\]/g, '');
    return `Bearer realm="${realm}", error="invalid_token", error_description="${description}"`;
  }
}

export const invalidToken = (message: string): TokenError => new TokenError('TOKEN_INVALID', message);

/**
 * The token of a request.
 *
 * @param authorization the request's header `Authorization`
 * @throws TokenError when there is none
 */
export function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined) throw new TokenError('TOKEN_MISSING', 'The request has no bearer token.');
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw invalidToken('The header Authorization has no bearer token.');
  return token;
}
