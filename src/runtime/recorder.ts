import { setTimeout as delay } from 'node:timers/promises';
import { type Backoff, retryAt } from './backoff.ts';
import { SupersededError } from './errors.ts';
import { type Claim, type JobData, workerQueue } from './jobs.ts';
import type { Outcome, OutcomeTransaction, Stage } from './stage.ts';
import type { Store } from './store.ts';
import type { ActorTransaction } from './transaction.ts';

/** What came of one piece of work, waiting to be recorded. */
export interface Recording {
  readonly stage: Stage;
  readonly claim: Claim;
  readonly data: JobData;
  readonly outcome: Outcome;
}

interface Waiting extends Recording {
  resolve(): void;
  reject(error: unknown): void;
}

/** Outcomes recorded in one transaction at most. */
const SET_SIZE_MAX = 100;
/** How long a result is kept and tried to be recorded again while the database is away. */
const TRIES_MAX = 8;
const TRY_AGAIN_BASE_MS = 100;

/**
 * Records outcomes, each with the job's completion and whatever the outcome writes, in one transaction. Outcomes that
 * come in while a transaction is under way are recorded together in the next one: under load sets grow by themselves,
 * and a single outcome does not wait.
 */
export class Recorder {
  readonly #store: Store;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #running = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Resolves when the outcome has been committed.
   *
   * @throws SupersededError when the job belongs to another worker by now; the database's error when it stays away
   */
  record(recording: Recording): Promise<void> {
    return new Promise((resolve, reject) => {
      const machine = recording.stage.actor.name;
      const queue = this.#waiting.get(machine) ?? [];
      this.#waiting.set(machine, queue);
      queue.push({ ...recording, resolve, reject });
      if (!this.#running.has(machine)) void this.#run(machine, queue);
    });
  }

  async #run(machine: string, queue: Waiting[]): Promise<void> {
    this.#running.add(machine);
    while (queue.length > 0) await this.#recordSet(queue.splice(0, SET_SIZE_MAX));
    this.#running.delete(machine);
  }

  async #recordSet(set: readonly Waiting[]): Promise<void> {
    try {
      await this.#commit(set);
      for (const { resolve } of set) resolve();
    } catch (error) {
      // One bad outcome must not spoil the others: each gets a transaction of its own, and its own verdict.
      const [only] = set;
      if (set.length === 1 && only && error instanceof SupersededError) only.reject(error);
      else for (const one of set) await this.#recordAlone(one);
    }
  }

  async #recordAlone(one: Waiting): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#commit([one]);
        return one.resolve();
      } catch (error) {
        if (error instanceof SupersededError || tries === TRIES_MAX) return one.reject(error);
        this.#store.observer.troubled(`${one.stage.name} record`, error);
        await delay(TRY_AGAIN_BASE_MS * 2 ** tries);
      }
    }
  }

  async #commit(set: readonly Recording[]): Promise<void> {
    await this.#store.transact(async (tx) => {
      await this.#complete(tx, set);
      for (const { outcome } of set) {
        await outcome.write?.(outcomeTransaction(tx));
      }
      const [first] = set;
      if (!first) return;
      await tx.deliver(
        first.stage.actor,
        set.map((one) => ({
          id: one.data.id,
          event: resultEvent(one, tx.now, this.#store.registry.backoff),
        })),
      );
    });
  }

  async #complete(tx: ActorTransaction, set: readonly Recording[]): Promise<void> {
    const byQueue = Map.groupBy(set, ({ stage }) => workerQueue(stage));
    for (const [queue, some] of byQueue) {
      const claims = some.map(({ claim }) => claim);
      const all = await this.#store.jobs.complete(tx.sql, queue, claims);
      if (!all) throw new SupersededError(claims.map(({ id }) => id).join(', '));
      await tx.sql`delete from actor_claims where job_id = any(${claims.map(({ id }) => id)})`;
    }
  }
}

/** The part of a transaction that a stage may write with. */
export const outcomeTransaction = (tx: ActorTransaction): OutcomeTransaction => ({
  sql: tx.sql,
  now: tx.now,
  tell: (to, event) => tx.tell(to, { at: tx.now, ...event } as { type: string }),
});

function resultEvent({ stage, claim, data, outcome }: Recording, now: Date, backoff: Backoff) {
  const { write: _, kind, ...rest } = outcome;
  const event = 'event' in rest ? rest.event : rest;
  return {
    ...event,
    type: `${stage.region}.${kind}`,
    job: claim.id,
    at: now,
    retryAt: retryAt(now, data.attempt, backoff),
  };
}
