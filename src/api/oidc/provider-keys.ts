import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type ExportedJWKSCache,
  errors,
  type JWTVerifyGetKey,
  jwksCache,
} from 'jose';
import { fetchKeys } from './fetch-keys.ts';
import { KEY_LIMITS_DEFAULT, type KeyLimits, type ProviderSettings } from './settings.ts';

/** The identity provider's keys cannot be had, so nobody's token can be checked. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';
  readonly code = 'IDENTITY_PROVIDER_UNAVAILABLE';

  constructor() {
    super('The identity provider cannot be asked for its keys. Try again later.');
  }
}

/**
 * Finds the provider's key that a token names.
 *
 * Keys are fetched when they are first needed, when they are no longer fresh, and when a token names one that is not
 * among them (the provider may have changed its keys), but not at every such token. While the provider cannot be
 * reached those that are known go on serving, and it is left alone for a while after each failure, so that requests do
 * not wait for its time-out one after the other.
 *
 * @param onProblem told in one line, each time, why keys could not be fetched
 * @returns throws ProviderUnavailableError when the keys cannot be had, and jose's errors when none is the token's
 */
export function providerKeys(
  settings: ProviderSettings,
  onProblem: (problem: string) => void,
): JWTVerifyGetKey {
  const limits: KeyLimits = { ...KEY_LIMITS_DEFAULT, ...settings.keyLimits };
  const cache: Partial<ExportedJWKSCache> = {};
  const remote = createRemoteJWKSet(new URL(settings.jwksUrl ?? settings.issuer), {
    timeoutDuration: limits.timeoutMs,
    cooldownDuration: limits.cooldownMs,
    cacheMaxAge: limits.freshMs,
    [jwksCache]: cache as Record<string, never>,
    [customFetch]: (_url, { signal }) => fetchKeys(settings, signal),
  });
  let pauseUntilMs = 0;

  /** Of keys that could not be fetched again: the token's, unless they are too old or it may be a newer one. */
  const remembered: JWTVerifyGetKey = async (header, token) => {
    const { jwks, uat: fetchedAtMs = 0 } = cache;
    if (!jwks || fetchedAtMs + limits.staleMs < Date.now()) throw new ProviderUnavailableError();
    try {
      return await createLocalJWKSet(jwks)(header, token);
    } catch (error) {
      throw error instanceof errors.JWKSNoMatchingKey ? new ProviderUnavailableError() : error;
    }
  };

  return async (header, token) => {
    if (performance.now() < pauseUntilMs) return remembered(header, token);
    try {
      return await remote(header, token);
    } catch (error) {
      if (isOfTheToken(error)) throw error;
      pauseUntilMs = performance.now() + limits.pauseMs;
      onProblem(problemOf(error));
      return remembered(header, token);
    }
  };
}

/** Whether the keys were there and none, or more than one, fits. */
function isOfTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What fetch says is the same for everything; why is in the cause.
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
