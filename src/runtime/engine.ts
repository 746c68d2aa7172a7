import type { Actor } from './actor.ts';
import type { Backoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { Mailbox } from './mailbox.ts';
import type { Observer } from './observer.ts';
import type { Pause } from './pause-rows.ts';
import { Pauses } from './pauses.ts';
import { Processes } from './processes.ts';
import { createRegistry, type DispatchMode, type Registry } from './registry.ts';
import { Reports } from './reports.ts';
import type { Stage } from './stage.ts';
import type { ActorStore } from './store.ts';
import { Ticks } from './ticks.ts';
import { Workers } from './worker.ts';

const LOOK_FOR_DEAD_MS = 2_000;

/** What the engine is told; the part of `SystemOptions` that does not say where anything is kept. */
export interface EngineOptions {
  readonly actors: readonly Actor[];
  readonly stages: readonly Stage[];
  /** Whether this process performs work and runs ticks; every process can send events and deliver messages. */
  readonly works: boolean;
  /** Shown in the list of processes. */
  readonly role?: string;
  readonly mode?: DispatchMode;
  readonly clock?: Clock;
  readonly backoff?: Backoff;
  /** Due pieces of work one tick dispatches at most. */
  readonly tickDispatchMax?: number;
  /** Milliseconds in progress after which work is taken back. */
  readonly staleAfterMs?: number;
  /** How often this process looks for dead ones, whose work it hands on, in milliseconds; 2,000 unless told otherwise. */
  readonly lookForDeadMs?: number;
  readonly observer?: Observer;
  /** What this process says of itself, asked for every five seconds; kept with it in the list of processes. JSON. */
  readonly report?: () => Record<string, unknown>;
}

/** What makes the actors of one process go: everything but who follows the journal. */
export class Engine<S extends ActorStore = ActorStore> {
  readonly store: S;
  readonly ticks: Ticks;
  readonly pauses: Pauses;
  readonly reports: Reports;
  readonly #mailbox: Mailbox;
  readonly #processes: Processes;
  readonly #workers: Workers;
  readonly #works: boolean;
  #beginning: Promise<void> = Promise.resolve();
  #stopping = false;

  /**
   * @param makeStore makes the store; `suspect` is to be called when a job may have been handed out that its worker has
   *   not heard of or could not give back
   */
  constructor(options: EngineOptions, makeStore: (registry: Registry, suspect: () => void) => S) {
    const paused = new Map<string, Pause>();
    const registry = createRegistry({
      mode: options.mode ?? 'event',
      clock: options.clock ?? systemClock,
      backoff: options.backoff ?? { baseMs: 2_000, maxMs: 300_000 },
      actors: options.actors,
      stages: options.stages,
      paused,
    });
    this.#works = options.works;
    this.store = makeStore(registry, () => this.#processes.suspectUnclaimed());
    this.#mailbox = new Mailbox(this.store);
    this.#processes = new Processes(
      this.store,
      options.role ?? 'all',
      options.lookForDeadMs ?? LOOK_FOR_DEAD_MS,
      (queue) => this.#workers.wake(queue),
    );
    this.reports = new Reports(this.store, this.#processes, options.report ?? (() => ({})));
    this.pauses = new Pauses(this.store, paused, {
      paused: (stage) => this.#workers.pause(stage),
      resumed: (stage) => {
        this.#workers.resume(stage);
        this.ticks.resume(stage);
      },
    });
    this.#workers = new Workers(this.store, this.#processes, this.pauses);
    this.ticks = new Ticks(this.store, {
      dispatchMax: options.tickDispatchMax ?? 2,
      staleAfterMs: options.staleAfterMs ?? 3_600_000,
    });
  }

  /** Takes its place among the processes; resolves when it knows what is paused and has handed on what dead ones have left. */
  join(): Promise<void> {
    return this.#begin([
      () => this.store.jobs.start(this.store.registry.stages),
      () => this.pauses.start(),
      () => this.#processes.start(),
      () => this.reports.start(),
    ]);
  }

  /** Begins to deliver mail and, where it does, to work. */
  start(): Promise<void> {
    return this.#begin([
      async () => this.#mailbox.start(),
      ...(this.#works ? [() => this.#workers.start(), () => this.ticks.start()] : []),
    ]);
  }

  /** What is stopped while it begins must not begin after it was stopped: who has left the others takes no work. */
  #begin(steps: readonly (() => Promise<void>)[]): Promise<void> {
    const begin = async () => {
      for (const step of steps) if (!this.#stopping) await step();
    };
    this.#beginning = begin();
    return this.#beginning;
  }

  /**
   * Stops: takes no more work, finishes what is under way, hands back what is not done in time.
   *
   * @param graceMs how long work under way may take to finish
   * @param between what else is to be stopped, after work and mail, and before the process leaves the others
   */
  async stop(graceMs = 10_000, between: readonly (() => Promise<void>)[] = []): Promise<void> {
    this.#stopping = true;
    await this.#beginning.catch(() => {});
    const steps = [
      ...(this.#works ? [() => this.ticks.stop(), () => this.#workers.stop(graceMs)] : []),
      () => this.#mailbox.stop(),
      ...between,
      () => this.pauses.stop(),
      () => this.reports.stop(),
      () => this.#processes.stop(),
      () => this.store.jobs.stop(),
      () => this.store.close(),
    ];
    for (const step of steps) {
      // Without a database not everything can be done in order; the others notice that this process is gone.
      await step().catch((error: unknown) => this.store.observer.troubled('stop', error));
    }
  }
}
