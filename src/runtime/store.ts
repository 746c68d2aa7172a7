import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../db/connection.ts';
import type { Jobs } from './jobs.ts';
import type { Observer } from './observer.ts';
import type { Registry } from './registry.ts';
import { ActorTransaction, type Committed } from './transaction.ts';

/** PostgreSQL's words for "run the whole transaction again": serialization failure, deadlock. */
const RUN_AGAIN = new Set(['40001', '40P01']);
const RUNS_MAX = 5;

/** Runs units of work, and tells who needs to know after each commit. */
export class Store {
  readonly database: Database;
  readonly registry: Registry;
  readonly jobs: Jobs;
  readonly observer: Observer;
  readonly #afterCommit: ((committed: Committed) => void)[] = [];

  constructor(database: Database, registry: Registry, jobs: Jobs, observer: Observer) {
    this.database = database;
    this.registry = registry;
    this.jobs = jobs;
    this.observer = observer;
  }

  /** Registers what is to be called after every commit that stored transitions or messages. */
  onCommit(listener: (committed: Committed) => void): void {
    this.#afterCommit.push(listener);
  }

  /**
   * Runs `work` in one database transaction and stores what it did. The work is run again from the start after a
   * deadlock or serialization failure, so it must not do anything that a rollback does not undo.
   *
   * @throws what `work` throws (nothing is stored then) or the database's error
   */
  async transact<T>(work: (tx: ActorTransaction) => Promise<T>): Promise<T> {
    for (let run = 1; ; run += 1) {
      try {
        const [result, committed] = await this.#once(work);
        this.#announce(committed);
        return result;
      } catch (error) {
        const code = error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : '';
        if (!RUN_AGAIN.has(code) || run === RUNS_MAX) throw error;
        await delay(Math.random() * 10 * 2 ** run);
      }
    }
  }

  async #once<T>(work: (tx: ActorTransaction) => Promise<T>): Promise<[T, Committed]> {
    const done = await this.database.sql.begin(async (sql) => {
      const tx = new ActorTransaction(sql, this.registry.clock.now(), this.registry, this.jobs);
      const result = await work(tx);
      return { result, committed: await tx.flush() };
    });
    return [done.result as T, done.committed];
  }

  #announce(committed: Committed): void {
    for (const error of committed.parked) this.observer.parked(error.message);
    if (committed.transitions.length > 0) this.observer.transitions(committed.transitions);
    for (const listener of this.#afterCommit) listener(committed);
  }
}
