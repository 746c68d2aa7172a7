import type { Database, Sql } from '../db/connection.ts';
import { codeOf } from './errors.ts';
import type { JobQueue } from './job-queue.ts';
import type { Jobs } from './jobs.ts';
import type { Observer } from './observer.ts';
import type { Registry } from './registry.ts';
import { Sessions } from './sessions.ts';
import type { Storage } from './storage.ts';
import { realTiming, type Timing } from './timing.ts';
import { ActorTransaction, type Committed } from './transaction.ts';

/** PostgreSQL's words for "run the whole transaction again": serialization failure, deadlock. */
const RUN_AGAIN = new Set(['40001', '40P01']);
const RUNS_MAX = 5;
/** Transactions at the same time in one process. */
const TRANSACTIONS_MAX = 8;
/** Single statements at the same time in one process. */
const STATEMENTS_MAX = 4;

/** What a store is made of. */
export interface StoreParts {
  readonly storage: Storage;
  readonly jobs: JobQueue;
  readonly registry: Registry;
  readonly observer: Observer;
  readonly timing?: Timing;
}

/** The store of a system on PostgreSQL. */
export type Store = ActorStore & { readonly database: Database; readonly jobs: Jobs };

/** Runs units of work, and tells who needs to know after each commit. */
export class ActorStore {
  readonly storage: Storage;
  readonly jobs: JobQueue;
  readonly registry: Registry;
  readonly observer: Observer;
  readonly timing: Timing;
  readonly #transactions: Sessions;
  readonly #statements: Sessions;
  readonly #afterCommit: ((committed: Committed) => void)[] = [];

  constructor({ storage, jobs, registry, observer, timing = realTiming }: StoreParts) {
    this.storage = storage;
    this.jobs = jobs;
    this.registry = registry;
    this.observer = observer;
    this.timing = timing;
    this.#transactions = this.sessions('actor transactions', TRANSACTIONS_MAX);
    this.#statements = this.sessions('actor statements', STATEMENTS_MAX);
  }

  /** Sessions of one kind. @param applicationName shown in `pg_stat_activity` */
  sessions(applicationName: string, max: number): Sessions {
    return new Sessions(() => this.storage.openSession(applicationName), max);
  }

  /** Registers what is to be called after every commit that stored transitions or messages. */
  onCommit(listener: (committed: Committed) => void): void {
    this.#afterCommit.push(listener);
  }

  /**
   * Runs `work` in one database transaction and stores what it did. The work is run again from the start after a
   * deadlock or serialization failure, so it must not do anything that a rollback does not undo.
   *
   * @throws what `work` throws (nothing is stored then) or the database's error; when the connection breaks during the
   *   commit, it may have been stored nevertheless
   */
  async transact<T>(work: (tx: ActorTransaction) => Promise<T>): Promise<T> {
    for (let run = 1; ; run += 1) {
      try {
        const [result, committed] = await this.#once(work);
        this.#announce(committed);
        return result;
      } catch (error) {
        if (!RUN_AGAIN.has(codeOf(error, '')) || run === RUNS_MAX) throw error;
        await this.timing.sleep(this.timing.random() * 10 * 2 ** run);
      }
    }
  }

  /**
   * Runs statements that need no transaction. On a session and not in the pool, like transactions: a connection of the
   * pool that broke at the wrong moment keeps those who use it afterwards waiting for ten seconds each.
   *
   * @throws the database's error; when the connection broke, the statement may have been carried out nevertheless
   */
  async query<T>(run: (sql: Sql) => Promise<T>): Promise<T> {
    const session = await this.#statements.take();
    try {
      return await run(session.sql);
    } finally {
      this.#statements.giveBack(session);
    }
  }

  /** Ends all sessions; `transact` and `query` throw RuntimeError `STOPPED` from now on. */
  async close(): Promise<void> {
    await Promise.all([this.#transactions.close(), this.#statements.close()]);
  }

  async #once<T>(work: (tx: ActorTransaction) => Promise<T>): Promise<[T, Committed]> {
    const session = await this.#transactions.take();
    try {
      return await this.storage.inTransaction(session, async (sql) => {
        const tx = new ActorTransaction(sql, this.registry.clock.now(), this);
        const result = await work(tx);
        return [result, await tx.flush()];
      });
    } finally {
      this.#transactions.giveBack(session);
    }
  }

  #announce(committed: Committed): void {
    for (const error of committed.parked) this.observer.parked(error.message);
    if (committed.transitions.length > 0) this.observer.transitions(committed.transitions);
    for (const listener of this.#afterCommit) listener(committed);
  }
}
