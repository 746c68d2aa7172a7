/** How long to wait before a failed attempt is made again. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with jitter: the time doubles with every attempt up to a bound, and is drawn from its upper half
 * so that work which failed together does not come back together.
 *
 * @param attempt attempts used before the one that failed, from 0
 * @param random a number in [0, 1)
 */
export function retryAt(
  now: Date,
  attempt: number,
  backoff: Backoff,
  random: () => number = Math.random,
): Date {
  const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
  return new Date(now.getTime() + Math.round(full * (0.5 + random() / 2)));
}

/** Work is postponed for no longer than this: whoever says until when may have a wrong clock. */
const POSTPONED_MAX_MS = 3_600_000;
/** What should have been tried again by now is tried after this time, so that no fault of the outside makes a hot loop. */
const POSTPONED_PAST_MS = 1_000;

/** When postponed work is due: at `until`, within bounds. */
export function postponedUntil(now: Date, until: Date): Date {
  const waitMs = until.getTime() - now.getTime();
  return new Date(now.getTime() + (waitMs > 0 ? Math.min(waitMs, POSTPONED_MAX_MS) : POSTPONED_PAST_MS));
}
