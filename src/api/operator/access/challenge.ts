import { TokenError } from '../../oidc/bearer.ts';
import { ProviderUnavailableError } from '../../oidc/provider-keys.ts';
import { ProblemError } from '../problem.ts';

/** What a token opens, as a challenge for one says. */
const REALM = 'operators';

/** A missing or wrong token, or a provider that is away, as operators are told; any other error as it is. */
export function problemOfToken(error: unknown): unknown {
  if (error instanceof TokenError) {
    const headers = { 'www-authenticate': error.challengeOf(REALM) };
    return new ProblemError(401, error.code, error.message, headers);
  }
  if (error instanceof ProviderUnavailableError) return new ProblemError(503, error.code, error.message);
  return error;
}
