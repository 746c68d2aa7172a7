import { setTimeout as delay } from 'node:timers/promises';
import { retryAt } from '../runtime/backoff.ts';
import { CliError, EXIT } from './failure.ts';
import type { Answer } from './partner-client.ts';
import { formatDuration } from './ui.ts';

/** How long to keep trying. */
export interface RetryPolicy {
  /** After the first failure, in milliseconds; 0 tries once. */
  readonly retryForMs: number;
  /** Ends all trying, with its reason. */
  readonly signal: AbortSignal;
  /** Told before each wait, in milliseconds, why there is one. */
  readonly onRetry?: (message: string, waitMs: number) => void;
}

/** An answer that decides: the server did it, or said no. */
export type Decided<T> = Exclude<Answer<T>, { kind: 'failed' }>;

const NOTE_INTERVAL_MS = 10_000;

/** Tells people of retries: of the first, of another reason, and now and then that it goes on. */
export function retryNotes(note: (line: string) => void): NonNullable<RetryPolicy['onRetry']> {
  let notedAt = Number.NEGATIVE_INFINITY;
  let noted = '';
  return (message, waitMs) => {
    const now = performance.now();
    if (message === noted && now - notedAt < NOTE_INTERVAL_MS) return;
    notedAt = now;
    noted = message;
    note(`${message} Trying again in ${formatDuration(waitMs)}.`);
  };
}

const BACKOFF = { baseMs: 250, maxMs: 5_000 };

/**
 * Makes a request until there is an answer, waiting longer and longer in between. Only for requests that may be made
 * again without harm: those of the partner API carry ids, so the same one has the effect of one.
 *
 * @throws CliError exit code 3 with the last failure's code when none came in time; exit code 1 when the failure is not
 *   a passing one; the signal's reason
 */
export async function untilAnswered<T>(
  call: () => Promise<Answer<T>>,
  policy: RetryPolicy,
): Promise<Decided<T>> {
  let deadline: number | null = null;
  for (let attempt = 0; ; attempt++) {
    policy.signal.throwIfAborted();
    const answer = await call();
    if (answer.kind !== 'failed') return answer;
    policy.signal.throwIfAborted();
    if (!answer.passing) {
      const exitCode = answer.code === 'REQUEST_REFUSED' ? EXIT.refused : EXIT.unreachable;
      throw new CliError(answer.code, answer.message, exitCode);
    }
    const now = performance.now();
    deadline ??= now + policy.retryForMs;
    const waitMs = Math.min(retryAt(new Date(0), attempt, BACKOFF).getTime(), deadline - now);
    if (waitMs <= 0) throw new CliError(answer.code, answer.message, EXIT.unreachable);
    policy.onRetry?.(answer.message, waitMs);
    await wait(waitMs, policy.signal);
  }
}

/**
 * Waits.
 *
 * @throws the signal's reason
 */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
