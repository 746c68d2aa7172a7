import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../../runtime/clock.ts';
import { invalidToken } from './bearer.ts';
import { ProviderUnavailableError, providerKeys } from './provider-keys.ts';
import type { ProviderSettings } from './settings.ts';

/** How far the provider's clock and ours may be apart, seconds. */
const CLOCK_TOLERANCE_SECONDS = 10;

/** Signatures by a key that only the provider has. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/**
 * Verifies a token: signature, issuer, audience, times.
 *
 * @returns what it says
 * @throws TokenError when it is no good, ProviderUnavailableError when that cannot be found out
 */
export type Verification = (token: string) => Promise<JWTPayload>;

/**
 * Makes the verification of a provider's tokens. They are access tokens: whoever they were issued to (`azp`) may use them for
 * everything in their audience, so that is what counts; only of ID tokens is `azp` the client itself.
 *
 * @param onProblem told in one line why the provider's keys could not be fetched
 */
export function tokenVerification(
  settings: ProviderSettings,
  clock: Clock,
  onProblem: (problem: string) => void,
): Verification {
  const { issuer, audiences } = settings;
  const key = providerKeys(settings, onProblem);
  return async (token) => {
    const { payload } = await jwtVerify(token, key, {
      issuer,
      ...(audiences.length > 0 && { audience: [...audiences] }),
      algorithms: ALGORITHMS,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: clock.now(),
    }).catch((error: unknown) => {
      throw error instanceof ProviderUnavailableError ? error : invalidToken(reasonOf(error));
    });
    requireIssued(payload, clock);
    return payload;
  };
}

/** A token of the future is of a clock that cannot be trusted, or is made to outlive its key. @throws TokenError */
function requireIssued({ iat }: JWTPayload, clock: Clock): void {
  const latest = clock.now().getTime() / 1000 + CLOCK_TOLERANCE_SECONDS;
  if (iat !== undefined && iat > latest) throw invalidToken('The token is not valid yet.');
}

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
