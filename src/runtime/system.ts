import type { AnyStateMachine } from 'xstate';
import type { Database } from '../db/connection.ts';
import { type Acted, type Action, type ActOptions, act, released } from './actions.ts';
import type { Actor, EventOf } from './actor.ts';
import type { Backoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { Counts } from './counts.ts';
import { Feed } from './feed.ts';
import { Jobs } from './jobs.ts';
import { Mailbox } from './mailbox.ts';
import { type Observer, silentObserver } from './observer.ts';
import { type Pause, Pauses } from './pauses.ts';
import { Processes } from './processes.ts';
import { createRegistry, type DispatchMode } from './registry.ts';
import { Reports } from './reports.ts';
import type { Stage } from './stage.ts';
import { Store } from './store.ts';
import { Ticks } from './ticks.ts';
import type { ActorTransaction, Delivered } from './transaction.ts';
import type { Who } from './who.ts';
import { Workers } from './worker.ts';

const LOOK_FOR_DEAD_MS = 2_000;

/** What a system is made of. */
export interface SystemOptions {
  readonly database: Database;
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
  /** How often the counts are brought up to date, in milliseconds; 1,000 unless told otherwise. */
  readonly foldMs?: number;
  readonly observer?: Observer;
  /** What this process says of itself, asked for every five seconds; kept with it in the list of processes. JSON. */
  readonly report?: () => Record<string, unknown>;
}

/**
 * The durable actor system of one process. Any number of processes on one database make one system; they need no
 * setting to know of each other.
 */
export class ActorSystem {
  readonly store: Store;
  readonly feed: Feed;
  readonly counts: Counts;
  readonly ticks: Ticks;
  readonly pauses: Pauses;
  readonly #reports: Reports;
  readonly #mailbox: Mailbox;
  readonly #processes: Processes;
  readonly #workers: Workers;
  readonly #works: boolean;

  constructor(options: SystemOptions) {
    const observer = options.observer ?? silentObserver;
    const paused = new Map<string, Pause>();
    const registry = createRegistry({
      mode: options.mode ?? 'event',
      clock: options.clock ?? systemClock,
      backoff: options.backoff ?? { baseMs: 2_000, maxMs: 300_000 },
      actors: options.actors,
      stages: options.stages,
      paused,
    });
    const jobs = new Jobs(options.database.url, options.works, (error, mayBeLost) => {
      observer.troubled('jobs', error);
      if (mayBeLost) this.#processes.suspectUnclaimed();
    });
    this.#works = options.works;
    this.store = new Store(options.database, registry, jobs, observer);
    this.feed = new Feed(this.store);
    this.counts = new Counts(this.store, this.feed, options.foldMs);
    this.#mailbox = new Mailbox(this.store);
    this.#processes = new Processes(
      this.store,
      options.role ?? 'all',
      options.lookForDeadMs ?? LOOK_FOR_DEAD_MS,
      (queue) => this.#workers.wake(queue),
    );
    this.#reports = new Reports(this.store, this.#processes, options.report ?? (() => ({})));
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

  /** Starts everything; resolves when the system is ready for events. */
  async start(): Promise<void> {
    await this.store.jobs.start(this.store.registry.stages);
    await this.pauses.start();
    await this.#processes.start();
    await this.#reports.start();
    await this.feed.start();
    await this.counts.start();
    this.#mailbox.start();
    if (!this.#works) return;
    await this.#workers.start();
    await this.ticks.start();
  }

  /**
   * Stops: takes no more work, finishes what is under way, hands back what is not done in time.
   *
   * @param graceMs how long work under way may take to finish
   */
  async stop(graceMs = 10_000): Promise<void> {
    const steps = [
      ...(this.#works ? [() => this.ticks.stop(), () => this.#workers.stop(graceMs)] : []),
      () => this.#mailbox.stop(),
      () => this.counts.stop(),
      () => this.feed.stop(),
      () => this.pauses.stop(),
      () => this.#reports.stop(),
      () => this.#processes.stop(),
      () => this.store.jobs.boss.stop({ graceful: false, close: true }),
      () => this.store.close(),
    ];
    for (const step of steps) {
      // Without a database not everything can be done in order; the others notice that this process is gone.
      await step().catch((error: unknown) => this.store.observer.troubled('stop', error));
    }
  }

  /** Runs a unit of work on sets of actors; see {@link Store.transact}. */
  transact<T>(work: (tx: ActorTransaction) => Promise<T>): Promise<T> {
    return this.store.transact(work);
  }

  /** Sends one event to one actor and tells what became of it. */
  async send<M extends AnyStateMachine>(actor: Actor<M>, id: string, event: EventOf<M>): Promise<Delivered> {
    const [result] = await this.transact((tx) => tx.send(actor, [{ id, event }]));
    return result ?? { id, accepted: false, actor: null, problem: 'missing' };
  }

  /**
   * An operator's release: a stage that stopped in ERROR counts as processed, and what its `onRelease` writes about the
   * part that failed is stored with it, in one transaction.
   *
   * @param region the region of the stage
   * @param who goes into the journal
   * @returns not accepted when the stage is not in ERROR or may not be released; nothing is written then
   * @throws what `onRelease` throws; nothing is written then
   */
  release(actor: Actor, id: string, region: string, who?: Who): Promise<Delivered> {
    return this.transact(async (tx) => {
      const event = { type: `${region}.release`, at: tx.now, ...who };
      const [result] = await tx.deliver(actor, [{ id, event }]);
      const stage = this.store.registry.stageOf(actor, region);
      if (result?.accepted && stage) await released(tx, stage, [id]);
      return result ?? { id, accepted: false, actor: null, problem: 'missing' };
    });
  }

  /**
   * An operator's action on up to 500 pieces of work of one stage, in one transaction; see {@link act}.
   *
   * @throws RuntimeError `UNKNOWN_STAGE`, `TOO_MANY`, `WHO_MISSING`; PausedError for `dispatch` while the stage is paused
   */
  async act(
    stage: string,
    action: Action,
    ids: readonly string[],
    who: Who,
    options?: ActOptions,
  ): Promise<Acted> {
    return act(this.store, this.store.registry.stage(stage), action, ids, who, options);
  }

  /**
   * Runs a stage's tick now, in this process, whether or not it works.
   *
   * @throws RuntimeError `UNKNOWN_STAGE`; PausedError while the stage is paused
   */
  async tickNow(name: string): Promise<{ dispatched: number; stale: number }> {
    const stage = this.store.registry.stage(name);
    await this.pauses.requireRunning(name);
    return this.ticks.tick(stage);
  }

  /** Stores what this process says of itself now. @throws what the report or the database throws */
  reportNow(): Promise<void> {
    return this.#reports.now();
  }
}
