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
