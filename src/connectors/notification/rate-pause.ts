import { setTimeout as sleep } from 'node:timers/promises';

/** The pause after a refusal that does not say how long it should be, in milliseconds. */
const PAUSE_DEFAULT_MS = 1_000;
/** The shortest pause, so that a service that says "at once" is not hammered, in milliseconds. */
const PAUSE_MIN_MS = 250;
/** The longest pause: a service with a wrong clock must not silence a process for days, in milliseconds. */
const PAUSE_MAX_MS = 3_600_000;

/**
 * A pause that a service asked for with HTTP 429, shared by all that call it: whoever comes while it lasts waits.
 * Time is monotonic, in milliseconds.
 */
export class RatePause {
  #untilMs = 0;

  /** How long the pause still lasts, in milliseconds; 0 when there is none. */
  get remainingMs(): number {
    return Math.max(0, this.#untilMs - performance.now());
  }

  /**
   * Begins a pause, or makes the present one longer; none is ever made shorter.
   *
   * @param retryAfter the header of that name (RFC 9110, section 10.2.3): seconds, or a date
   */
  hold(retryAfter: string | null): void {
    const pauseMs = Math.min(Math.max(readRetryAfter(retryAfter), PAUSE_MIN_MS), PAUSE_MAX_MS);
    this.#untilMs = Math.max(this.#untilMs, performance.now() + pauseMs);
  }

  /**
   * Waits until the pause is over, also when it is made longer meanwhile.
   *
   * @param latestMs when to give up, on the clock of `performance.now()`
   * @returns whether the pause is over; false at once when it will last beyond `latestMs`
   * @throws AbortError when the signal is aborted
   */
  async over(latestMs: number, signal: AbortSignal): Promise<boolean> {
    for (let waitMs = this.remainingMs; waitMs > 0; waitMs = this.remainingMs) {
      if (performance.now() + waitMs > latestMs) return false;
      // A timer may fire a fraction of a millisecond early.
      await sleep(Math.ceil(waitMs), undefined, { signal });
    }
    return true;
  }
}

function readRetryAfter(header: string | null): number {
  const text = header?.trim() ?? '';
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? PAUSE_DEFAULT_MS : at - Date.now();
}
