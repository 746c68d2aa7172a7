/** An OpenID provider whose tokens are accepted. */
export interface ProviderSettings {
  /** The `iss` of every token, exactly. */
  readonly issuer: string;
  /** Where the provider publishes its keys; null: what its discovery document says. */
  readonly jwksUrl: string | null;
  /** A token must be for one of them; empty: for whom it is does not matter. */
  readonly audiences: readonly string[];
  /** How keys are fetched; left out, in whole or in part: {@link KEY_LIMITS_DEFAULT}. */
  readonly keyLimits?: Partial<KeyLimits>;
}

/** Bounds of fetching and keeping the provider's keys. */
export interface KeyLimits {
  /** Time for one fetch, discovery included, ms. */
  readonly timeoutMs: number;
  /** So long after a fetch a token with an unknown key does not lead to another, ms. */
  readonly cooldownMs: number;
  /** So long after a fetch that failed nothing is fetched, ms. */
  readonly pauseMs: number;
  /** So long keys are used without being fetched again, ms. */
  readonly freshMs: number;
  /** So long keys are used while they cannot be fetched again, ms. */
  readonly staleMs: number;
}

export const KEY_LIMITS_DEFAULT: KeyLimits = {
  timeoutMs: 5_000,
  cooldownMs: 10_000,
  pauseMs: 10_000,
  freshMs: 300_000,
  staleMs: 86_400_000,
};
