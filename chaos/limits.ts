import { CliError, EXIT } from '../src/cli/failure.ts';

/** What a run does, one after the other; how long each may take, and what must be left for those after it. */
const PHASES = {
  start: { called: 'Starting everything', mostMs: 90_000, keepMs: 0 },
  faults: { called: 'Giving back what faults have taken', mostMs: Number.POSITIVE_INFINITY, keepMs: 150_000 },
  calm: { called: 'Waiting until all processes are back', mostMs: 150_000, keepMs: 130_000 },
  load: { called: 'Submitting what was begun', mostMs: 60_000, keepMs: 120_000 },
  settle: { called: 'Coming to an end', mostMs: Number.POSITIVE_INFINITY, keepMs: 85_000 },
  feed: { called: 'Reading the feed to its end', mostMs: 40_000, keepMs: 50_000 },
  checks: { called: 'Checking what must hold', mostMs: Number.POSITIVE_INFINITY, keepMs: 20_000 },
  stop: { called: 'Stopping everything', mostMs: Number.POSITIVE_INFINITY, keepMs: 0 },
} as const;
export type Phase = keyof typeof PHASES;

const MINUTE_MS = 60_000;
/** Five minutes for all but the faults, less what npm and the end of this process take. */
const BESIDE_FAULTS_MS = 5 * MINUTE_MS - 20_000;
/** A long run leaves a long journal, which is read as a whole: so much more for each hour after the first. */
const FOR_EACH_HOUR_MS = MINUTE_MS;
/** Also when those before have used up everything: it takes so long to find that something does not work. */
const LEAST_MS = 10_000;

/** How long a run may take in all, and each of its phases. */
export class Limits {
  readonly #endsAtMs: number;
  readonly #now: () => number;

  /**
   * The run begins now.
   *
   * @param minutes how long faults strike
   * @param now milliseconds of a clock that never goes back
   */
  constructor(minutes: number, now: () => number = () => performance.now()) {
    const furtherHours = Math.floor(Math.max(0, minutes - 1) / 60);
    this.#now = now;
    this.#endsAtMs = now() + minutes * MINUTE_MS + BESIDE_FAULTS_MS + furtherHours * FOR_EACH_HOUR_MS;
  }

  /** How long a phase that begins now may take, in milliseconds. */
  leftMs(phase: Phase): number {
    const { mostMs, keepMs } = PHASES[phase];
    return Math.max(LEAST_MS, Math.min(mostMs, this.#endsAtMs - keepMs - this.#now()));
  }

  /**
   * Waits for a phase that begins now.
   *
   * @param signal gives it up early
   * @throws CliError PHASE_LATE when it takes too long; the reason of `signal`; what `work` throws
   */
  within<T>(phase: Phase, work: Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.given(phase, signal, (given) => unlessAborted(work, given));
  }

  /** The same for work that gives itself up when it is told to. @param work told when to give up */
  async given<T>(
    phase: Phase,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = new AbortController();
    const limitMs = this.leftMs(phase);
    const timer = setTimeout(() => late.abort(lateError(phase, limitMs)), limitMs);
    try {
      return await work(signal ? AbortSignal.any([late.signal, signal]) : late.signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

const lateError = (phase: Phase, limitMs: number): CliError =>
  new CliError(
    'PHASE_LATE',
    `${PHASES[phase].called} has not ended within ${Math.round(limitMs / 1000)} s, so nothing is proven.`,
    EXIT.refused,
  );

/** Waits for something until a signal is aborted; what it comes to afterwards is nobody's. @throws the signal's reason */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => {});
  }
}
