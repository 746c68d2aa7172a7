import { setTimeout as delay } from 'node:timers/promises';

/** A call that is still to come. */
export interface Timer {
  /** Keeps it from coming. */
  close(): unknown;
}

/** Everything that makes the runtime wait, measure or guess: real by default, and in a simulation part of the schedule. */
export interface Timing {
  /** Milliseconds since some moment; never goes back. */
  elapsedMs(): number;
  /** What the machine's clock shows, in milliseconds since 1970. */
  wallMs(): number;
  /** Calls once, after so many milliseconds. */
  after(ms: number, ring: () => void): Timer;
  /** @param options.ref whether a process that ends waits for it; yes unless told otherwise */
  sleep(ms: number, options?: { readonly ref?: boolean }): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
}

/** Time and chance of the machine it runs on. */
export const realTiming: Timing = {
  elapsedMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, ring) => setTimeout(ring, ms),
  sleep: (ms, { ref = true } = {}) => delay(ms, undefined, { ref }),
  random: () => Math.random(),
};

/**
 * Waits for an answer, but no longer than `ms`.
 *
 * @param late makes the error that is thrown when the answer has not come by then
 */
export async function answeredWithin<T>(
  timing: Timing,
  ms: number,
  answer: Promise<T>,
  late: () => Error,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = timing.after(ms, () => reject(late()));
  try {
    return await Promise.race([answer, promise]);
  } finally {
    timer.close();
  }
}
