import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
  type IBackoff,
  isBrokenCircuitError,
} from 'cockatiel';
import type { CallContext } from '../call-context.ts';
import { type CircuitOpenCode, CircuitOpenError, ConnectorError, OutageError } from '../connector-error.ts';
import { isConnectorError, type Verdict, verdictOf } from './verdict.ts';

/** When a circuit opens, and how long it pauses. */
export interface CircuitSettings {
  /** Calls that must fail in a row; from 1. */
  readonly failureThreshold: number;
  /** From opening until the first probe, in milliseconds; doubles with every probe that fails. */
  readonly pauseMs: number;
  /** The longest pause, in milliseconds. */
  readonly pauseMaxMs: number;
}

/** The system that a circuit watches. */
export interface CircuitSystem {
  /** A short name, as `/readyz` and metrics have it: `bank:EXAMPLE-BANK`. */
  readonly name: string;
  /** As sentences begin with it: `The sponsor bank EXAMPLE-BANK`. */
  readonly title: string;
  /** The code of calls that are held back. */
  readonly code: CircuitOpenCode;
}

/** A circuit as operators see it. */
export interface CircuitView {
  readonly state: 'closed' | 'open' | 'half_open';
  /** Since when calls pass, or since when they pause, probes included. */
  readonly since: Date;
  /** Calls that have failed since the last one that was answered. */
  readonly failures: number;
  /** How often it has opened; a probe that fails is no further opening. */
  readonly openings: number;
}

/** Hears of a circuit that opens or closes. */
export interface CircuitObserver {
  opened(system: string, circuit: CircuitView): void;
  /** @param openMs how long it was open, in milliseconds */
  closed(system: string, openMs: number): void;
}

/** How the outcome of a call is read where faults are values. */
export interface Reading<T> {
  /** Whether a value means that the system as a whole is out of order. */
  isOutage(value: T): boolean;
  /** The value, with when to ask again. */
  postponed(value: T, notBefore: Date): T;
}

/** Far more than two clocks of one machine differ by in the time of a call. */
const OVERDUE_MS = 1_000;

type Ended<T> = { readonly verdict: Verdict } & ({ readonly value: T } | { readonly error: unknown });

/**
 * Watches the calls of this process to one system. After some failures in a row it opens: calls are held back for a
 * pause, before anything is sent. Then one call is let through as a probe, while others wait for what comes of it. If it
 * is answered the circuit closes and all go on; if it fails, the next pause is twice as long.
 *
 * Cockatiel keeps the states. It reads the machine's clock only when it is called, so nothing runs while nobody calls.
 */
export class Circuit {
  readonly system: CircuitSystem;
  readonly #settings: CircuitSettings;
  readonly #policy: CircuitBreakerPolicy;
  readonly #observer: CircuitObserver;
  readonly #now: () => number;
  /** The pause that was begun last, in milliseconds. */
  #pauseMs = 0;
  #probeAtMs = 0;
  #sinceMs: number;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #openings = 0;
  #probe = Promise.withResolvers<void>();

  /** @param now the time that others go by too, in milliseconds since 1970; left out: the machine's */
  constructor(
    system: CircuitSystem,
    settings: CircuitSettings,
    observer: CircuitObserver,
    now: () => number = () => Date.now(),
  ) {
    this.system = system;
    this.#settings = settings;
    this.#observer = observer;
    this.#now = now;
    this.#sinceMs = now();
    const failed = handleWhenResult((ended) => (ended as Ended<unknown>).verdict !== 'answered');
    this.#policy = circuitBreaker(failed, {
      breaker: new ConsecutiveBreaker(settings.failureThreshold),
      halfOpenAfter: { next: () => this.#pause(settings.pauseMs) },
    });
    let wasOpen = false;
    this.#policy.onHalfOpen(() => {
      this.#probe = Promise.withResolvers();
    });
    this.#policy.onBreak(() => {
      this.#probeAtMs = this.#now() + this.#pauseMs;
      this.#probe.resolve();
      if (wasOpen) return;
      wasOpen = true;
      this.#sinceMs = this.#now();
      this.#openings += 1;
      this.#observer.opened(system.name, this.view());
    });
    this.#policy.onReset(() => {
      const openMs = this.#now() - this.#sinceMs;
      wasOpen = false;
      this.#sinceMs = this.#now();
      this.#probe.resolve();
      this.#observer.closed(system.name, openMs);
    });
  }

  /**
   * Makes a call, unless calls pause.
   *
   * @param perform the call itself
   * @param reading how to read its value; left out: every value is an answer
   * @returns what the call returns
   * @throws CircuitOpenError before anything is sent; OutageError in place of a ConnectorError that lies with the system
   *   as a whole; whatever else the call throws
   */
  async call<T>(ctx: CallContext, perform: () => Promise<T>, reading?: Reading<T>): Promise<T> {
    const { signal } = ctx;
    // No other call may come between the last look and the call, so the look is taken here.
    while (this.#policy.state === CircuitState.HalfOpen) await this.#probed(signal);
    try {
      const ended = await this.#policy.execute(() => this.#perform(signal, perform, reading));
      return this.#report(ended, reading);
    } catch (error) {
      if (error instanceof Uncounted) return this.#report(error.ended as Ended<T>, reading);
      if (!isBrokenCircuitError(error)) throw error;
      if (!this.#isOverdue()) throw this.#openError();
      this.#policy.isolate().dispose();
      return this.call(ctx, perform, reading);
    }
  }

  /**
   * The pause is over, and cockatiel does not know: the machine's clock, which it goes by, was set back meanwhile. It may be
   * hours until it is where it was; so the circuit begins anew, closed.
   */
  #isOverdue(): boolean {
    return this.#now() > this.#probeAtMs + OVERDUE_MS;
  }

  /** @throws CircuitOpenError while calls pause; not when the next one would be the probe */
  requireNotPaused(): void {
    if (this.#policy.state === CircuitState.Open && this.#now() < this.#probeAtMs) throw this.#openError();
  }

  view(): CircuitView {
    return {
      state: STATES[this.#policy.state] ?? 'open',
      since: new Date(this.#sinceMs),
      failures: this.#failures,
      openings: this.#openings,
    };
  }

  /** Waits for what comes of the probe, which another call is. */
  async #probed(signal: AbortSignal): Promise<void> {
    await unlessAborted(this.#probe.promise, signal);
    if (!signal.aborted) return;
    const code = this.system.code.replace(/_CIRCUIT_OPEN$/, '_CALL_ABORTED');
    throw new ConnectorError(code, `${this.system.title} was not called: the work was taken back.`);
  }

  /** @throws Uncounted with what came of a call that counts neither as a failure nor as an answer */
  async #perform<T>(
    signal: AbortSignal,
    perform: () => Promise<T>,
    reading: Reading<T> | undefined,
  ): Promise<Ended<T>> {
    const isProbe = this.#policy.state === CircuitState.HalfOpen;
    const ended = await ending(perform, reading);
    // Nobody waits for the answer of an aborted call, so that it has none is nobody's fault.
    const verdict = ended.verdict === 'outage' && signal.aborted ? 'nothing' : ended.verdict;
    if (verdict === 'outage') this.#failures += 1;
    if (verdict === 'answered') {
      this.#failures = 0;
      this.#answeredAtMs = this.#now();
    }
    const counted = { ...ended, verdict };
    if (verdict === 'nothing' && !isProbe) throw new Uncounted(counted);
    return counted;
  }

  #report<T>(ended: Ended<T>, reading: Reading<T> | undefined): T {
    const notBefore = ended.verdict === 'outage' ? this.#notBefore() : null;
    if ('value' in ended)
      return notBefore && reading ? reading.postponed(ended.value, notBefore) : ended.value;
    const { verdict, error } = ended;
    throw verdict === 'outage' && isConnectorError(error) ? new OutageError(error, notBefore) : error;
  }

  /**
   * When to ask again after an outage. Also a single failure is put down to the system while nothing says that it is up:
   * the attempts of one batch may be made by several processes, in none of which enough calls fail to open the circuit.
   */
  #notBefore(): Date | null {
    if (this.#policy.state === CircuitState.Open) return new Date(this.#probeAtMs);
    const now = this.#now();
    const { pauseMs } = this.#settings;
    const isUp = this.#policy.state === CircuitState.Closed && now - this.#answeredAtMs < pauseMs;
    return isUp ? null : new Date(now + pauseMs);
  }

  #openError(): CircuitOpenError {
    const since = new Date(this.#sinceMs).toISOString();
    const next = new Date(this.#probeAtMs);
    const message =
      `${this.system.title} has been out of order since ${since}, so nothing was sent; ` +
      `the next call is let through at ${next.toISOString()}.`;
    return new CircuitOpenError(this.system.code, message, next);
  }

  /** A pause of some length, and the one after it, should the probe fail. A probe that proves nothing costs nothing. */
  #pause(durationMs: number): IBackoff<{ readonly result: unknown }> {
    this.#pauseMs = durationMs;
    const longerMs = Math.min(durationMs * 2, this.#settings.pauseMaxMs);
    return {
      duration: durationMs,
      next: ({ result }) => this.#pause(provesNothing(result) ? durationMs : longerMs),
    };
  }
}

const STATES: Partial<Record<CircuitState, CircuitView['state']>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
};

/** Takes what came of a call past cockatiel, which counts all that is returned. */
class Uncounted extends Error {
  readonly ended: Ended<unknown>;

  constructor(ended: Ended<unknown>) {
    super('The call says nothing about its system.');
    this.ended = ended;
  }
}

async function ending<T>(perform: () => Promise<T>, reading: Reading<T> | undefined): Promise<Ended<T>> {
  try {
    const value = await perform();
    return { value, verdict: reading?.isOutage(value) ? 'outage' : 'answered' };
  } catch (error) {
    return { error, verdict: verdictOf(error) };
  }
}

const provesNothing = (result: unknown): boolean =>
  (result as { readonly value?: Ended<unknown> }).value?.verdict === 'nothing';

/** Resolves when the promise does, or when the signal is aborted. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
