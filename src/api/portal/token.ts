import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../../runtime/clock.ts';
import { filledIdentifier } from '../partner/fields.ts';
import { ProviderUnavailableError, providerKeys } from './provider-keys.ts';
import type { PortalSettings } from './settings.ts';

/** How far the provider's clock and ours may be apart, seconds. */
const CLOCK_TOLERANCE_SECONDS = 10;

/** Signatures by a key that only the provider has. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

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

  /** The header `WWW-Authenticate` (RFC 6750 section 3). */
  get challenge(): string {
    if (this.code === 'TOKEN_MISSING') return 'Bearer realm="beneficiary portal"';
    const description = this.message.replace(/[^\x20-\x7e]|["\\]/g, '');
    return `Bearer realm="beneficiary portal", error="invalid_token", error_description="${description}"`;
  }
}

/**
 * Finds out who asks.
 *
 * @param authorization the request's header `Authorization`
 * @returns the beneficiary's id
 * @throws TokenError when there is no token or it is no good, ProviderUnavailableError when that cannot be found out
 */
export type Authentication = (authorization: string | undefined) => Promise<string>;

/**
 * Verifies bearer tokens of the configured provider: signature, issuer, audience, times.
 *
 * @param onProblem told in one line why the provider's keys could not be fetched
 */
export function authentication(
  settings: PortalSettings,
  clock: Clock,
  onProblem: (problem: string) => void,
): Authentication {
  const { issuer, audiences, beneficiaryIdClaim: claim } = settings;
  const key = providerKeys(settings, onProblem);
  return async (authorization) => {
    if (authorization === undefined)
      throw new TokenError('TOKEN_MISSING', 'The request has no bearer token.');
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw invalid('The header Authorization has no bearer token.');
    const { payload } = await jwtVerify(token, key, {
      issuer,
      ...(audiences.length > 0 && { audience: [...audiences] }),
      algorithms: ALGORITHMS,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: clock.now(),
    }).catch((error: unknown) => {
      throw error instanceof ProviderUnavailableError ? error : invalid(reasonOf(error));
    });
    return beneficiaryOf(payload, claim);
  };
}

function beneficiaryOf(payload: JWTPayload, claim: string): string {
  const id = filledIdentifier.safeParse(Object.hasOwn(payload, claim) ? payload[claim] : undefined);
  if (id.success) return id.data;
  throw invalid(`The token names no beneficiary: its claim ${claim} is missing or is no id.`);
}

const invalid = (message: string): TokenError => new TokenError('TOKEN_INVALID', message);

/** What is wrong with the token, without anything of what it says. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf'
      ? 'The token is not valid yet.'
      : `The token has not the right claim ${error.claim}.`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The token is signed in a way that is not accepted.';
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token is signed with an unknown key.';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token is wrong.';
  return 'The token cannot be verified.';
}
