import type { AnyStateMachine } from 'xstate';
import type { Database, Sql } from '../db/connection.ts';
import { type Acted, type Action, type ActOptions, act, released } from './actions.ts';
import type { Actor, EventOf } from './actor.ts';
import { Counts } from './counts.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { Feed } from './feed.ts';
import { Jobs } from './jobs.ts';
import { silentObserver } from './observer.ts';
import type { Pauses } from './pauses.ts';
import { postgresStorage } from './postgres/storage.ts';
import { Retention, type RetentionOptions } from './retention.ts';
import { ActorStore, type Store } from './store.ts';
import type { Ticks } from './ticks.ts';
import type { ActorTransaction, Delivered } from './transaction.ts';
import type { Who } from './who.ts';

const KEEP_ALL: RetentionOptions = { keepMs: null };

/** What a system is made of. */
export interface SystemOptions extends EngineOptions {
  readonly database: Database;
  /** How often the counts are brought up to date, in milliseconds; 1,000 unless told otherwise. */
  readonly foldMs?: number;
  /** How long history is kept; for ever unless told otherwise. Processes that work remove it. */
  readonly retention?: RetentionOptions;
  /** Asked about each new connection, before anything is done on it; what it throws is thrown to who wanted the connection. */
  readonly admit?: (sql: Sql) => Promise<void>;
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
  readonly #engine: Engine<Store>;
  readonly #retention: Retention;

  constructor(options: SystemOptions) {
    const { database, observer = silentObserver } = options;
    this.#engine = new Engine(options, (registry, suspect) => {
      const jobs = new Jobs(database.url, options.works, (error, mayBeLost) => {
        observer.troubled('jobs', error);
        if (mayBeLost) suspect();
      });
      const storage = postgresStorage(database, options.admit);
      return Object.assign(new ActorStore({ storage, jobs, registry, observer }), { database, jobs });
    });
    this.store = this.#engine.store;
    this.feed = new Feed(this.store);
    this.counts = new Counts(this.store, this.feed, options.foldMs);
    this.#retention = new Retention(this.store, options.works ? (options.retention ?? KEEP_ALL) : KEEP_ALL);
    this.ticks = this.#engine.ticks;
    this.pauses = this.#engine.pauses;
  }

  /** Starts everything; resolves when the system is ready for events. */
  async start(): Promise<void> {
    await this.#engine.join();
    await this.feed.start();
    await this.counts.start();
    await this.#engine.start();
    await this.#retention.start();
  }

  /**
   * Stops: takes no more work, finishes what is under way, hands back what is not done in time.
   *
   * @param graceMs how long work under way may take to finish
   */
  stop(graceMs = 10_000): Promise<void> {
    const further = [() => this.#retention.stop(), () => this.counts.stop(), () => this.feed.stop()];
    return this.#engine.stop(graceMs, further);
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
    return this.#engine.reports.now();
  }
}
