import type { JWTPayload } from 'jose';
import type { Clock } from '../../runtime/clock.ts';
import { bearerOf, invalidToken } from '../oidc/bearer.ts';
import { tokenVerification } from '../oidc/verify.ts';
import { filledIdentifier } from '../partner/fields.ts';
import type { PortalSettings } from './settings.ts';

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
  const verify = tokenVerification(settings, clock, onProblem);
  return async (authorization) =>
    beneficiaryOf(await verify(bearerOf(authorization)), settings.beneficiaryIdClaim);
}

function beneficiaryOf(payload: JWTPayload, claim: string): string {
  const id = filledIdentifier.safeParse(Object.hasOwn(payload, claim) ? payload[claim] : undefined);
  if (id.success) return id.data;
  throw invalidToken(`The token names no beneficiary: its claim ${claim} is missing or is no id.`);
}
