import type { AnyStateMachine } from 'xstate';
import type { Database } from '../db/connection.ts';
import type { Actor, EventOf } from './actor.ts';
import type { Backoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { Feed } from './feed.ts';
import { Jobs } from './jobs.ts';
import { Mailbox } from './mailbox.ts';
import { type Observer, silentObserver } from './observer.ts';
import { Processes } from './processes.ts';
import { outcomeTransaction } from './recorder.ts';
import { createRegistry, type DispatchMode } from './registry.ts';
import type { Stage } from './stage.ts';
import { Store } from './store.ts';
import { Ticks } from './ticks.ts';
import type { ActorTransaction, Delivered } from './transaction.ts';
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
  readonly observer?: Observer;
}

/**
 * The durable actor system of one process. Any number of processes on one database make one system; they need no
 * setting to know of each other.
 */
export class ActorSystem {
  readonly store: Store;
  readonly feed: Feed;
  readonly ticks: Ticks;
  readonly #mailbox: Mailbox;
  readonly #processes: Processes;
  readonly #workers: Workers;
  readonly #works: boolean;

  constructor(options: SystemOptions) {
    const observer = options.observer ?? silentObserver;
    const registry = createRegistry({
      mode: options.mode ?? 'event',
      clock: options.clock ?? systemClock,
      backoff: options.backoff ?? { baseMs: 2_000, maxMs: 300_000 },
      actors: options.actors,
      stages: options.stages,
    });
    const jobs = new Jobs(options.database.url, options.works, (error, mayBeLost) => {
      observer.troubled('jobs', error);
      if (mayBeLost) this.#processes.suspectUnclaimed();
    });
    this.#works = options.works;
    this.store = new Store(options.database, registry, jobs, observer);
    this.feed = new Feed(this.store);
    this.#mailbox = new Mailbox(this.store);
    this.#processes = new Processes(
      this.store,
      options.role ?? 'all',
      options.lookForDeadMs ?? LOOK_FOR_DEAD_MS,
      (queue) => this.#workers.wake(queue),
    );
    this.#workers = new Workers(this.store, this.#processes);
    this.ticks = new Ticks(this.store, {
      dispatchMax: options.tickDispatchMax ?? 2,
      staleAfterMs: options.staleAfterMs ?? 3_600_000,
    });
  }

  /** Starts everything; resolves when the system is ready for events. */
  async start(): Promise<void> {
    await this.store.jobs.start(this.store.registry.stages);
    await this.#processes.start();
    await this.feed.start();
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
      () => this.feed.stop(),
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
   * @returns not accepted when the stage is not in ERROR or may not be released; nothing is written then
   * @throws what `onRelease` throws; nothing is written then
   */
  release(actor: Actor, id: string, region: string): Promise<Delivered> {
    return this.transact(async (tx) => {
      const event = { type: `${region}.release`, at: tx.now };
      const [result] = await tx.deliver(actor, [{ id, event }]);
      if (result?.accepted) {
        await this.store.registry.stageOf(actor, region)?.onRelease?.(outcomeTransaction(tx), id);
      }
      return result ?? { id, accepted: false, actor: null, problem: 'missing' };
    });
  }
}
