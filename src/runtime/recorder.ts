import { postponedUntil, retryAt } from './backoff.ts';
import { codeOf, isPassing, messageOf, SupersededError } from './errors.ts';
import { type Claim, type JobData, workerQueue } from './jobs.ts';
import type { Outcome, OutcomeTransaction, Stage } from './stage.ts';
import type { ActorStore } from './store.ts';
import type { ActorTransaction } from './transaction.ts';

/** What came of one piece of work, waiting to be recorded. */
export interface Recording {
  readonly stage: Stage;
  readonly claim: Claim;
  readonly data: JobData;
  readonly outcome: Outcome;
}

interface Waiting extends Recording {
  /** Takes the place of an outcome that the database does not take. */
  readonly instead?: Outcome;
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
  readonly #store: ActorStore;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #running = new Set<string>();

  constructor(store: ActorStore) {
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

  /** @param sure nothing of these outcomes can have been committed before; after a broken connection nobody knows */
  async #recordSet(set: readonly Waiting[], sure = true): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#commit(set);
        for (const { resolve } of set) resolve();
        return;
      } catch (error) {
        if (!isPassing(error) || tries === TRIES_MAX) return this.#settle(set, error, sure && tries === 1);
        this.#store.observer.troubled(`${set[0]?.stage.name} record`, error);
        // A process that ends meanwhile does not wait for this.
        await this.#store.timing.sleep(TRY_AGAIN_BASE_MS * 2 ** tries, { ref: false });
      }
    }
  }

  async #settle(set: readonly Waiting[], error: unknown, sure: boolean): Promise<void> {
    const [one] = set;
    if (!one || isPassing(error)) {
      for (const { reject } of set) reject(error);
    } else if (set.length > 1) {
      // One bad outcome must not spoil the others: each gets a transaction of its own, and its own verdict.
      for (const alone of set) await this.#recordSet([alone], sure);
    } else if (error instanceof SupersededError) {
      if (sure) await this.#showLate(one);
      one.reject(error);
    } else if (one.outcome === one.instead) {
      one.reject(error);
    } else {
      // What cannot be stored as it is would fail every time: the attempt has failed.
      this.#store.observer.troubled(`${one.stage.name} record`, error);
      const instead: Outcome = {
        kind: 'failed',
        code: codeOf(error, 'RECORD_FAILED'),
        message: messageOf(error),
      };
      await this.#recordSet([{ ...one, outcome: instead, instead }]);
    }
  }

  async #showLate(one: Recording): Promise<void> {
    const { actor } = one.stage;
    await this.#store
      .transact((tx) => tx.late(actor, one.data.id, resultEvent(one, tx.now, this.#store)))
      .catch((error: unknown) => this.#store.observer.troubled(`${one.stage.name} record`, error));
  }

  async #commit(set: readonly Recording[]): Promise<void> {
    await this.#store.transact(async (tx) => {
      await this.#complete(tx, set);
      await this.#store.storage.lockNames(
        tx.sql,
        set.flatMap(({ outcome }) => outcome.exclusively ?? []),
      );
      for (const { outcome } of set) {
        await outcome.write?.(outcomeTransaction(tx));
      }
      const [first] = set;
      if (!first) return;
      const deliveries = set.map((one) => ({
        id: one.data.id,
        event: resultEvent(one, tx.now, this.#store),
      }));
      const results = await tx.deliver(first.stage.actor, deliveries);
      for (const [index, { problem, accepted }] of results.entries()) {
        const one = set[index];
        const delivery = deliveries[index];
        if (!one || !delivery) continue;
        // The actor hears of it when its row can be read again.
        if (problem === 'parked')
          tx.tell({ machine: first.stage.actor.name, id: delivery.id }, delivery.event);
        // What it wrote must not stay when nobody waits for the result.
        else if (!accepted && one.outcome.write) throw new SupersededError(one.claim.id);
      }
    });
  }

  async #complete(tx: ActorTransaction, set: readonly Recording[]): Promise<void> {
    const byQueue = Map.groupBy(set, ({ stage }) => workerQueue(stage));
    for (const [queue, some] of byQueue) {
      const claims = some.map(({ claim }) => claim);
      const all = await this.#store.jobs.complete(tx.sql, queue, claims);
      if (!all) throw new SupersededError(claims.map(({ id }) => id).join(', '));
      await this.#store.storage.endClaims(
        tx.sql,
        claims.map(({ id }) => id),
      );
    }
  }
}

/** The part of a transaction that a stage may write with. */
export const outcomeTransaction = (tx: ActorTransaction): OutcomeTransaction => ({
  sql: tx.sql,
  now: tx.now,
  tell: (to, event) => tx.tell(to, { at: tx.now, ...event } as { type: string }),
});

function resultEvent(
  { stage, claim, data, outcome }: Recording,
  now: Date,
  { registry: { backoff }, timing }: ActorStore,
) {
  return {
    ...fieldsOf(outcome),
    type: `${stage.region}.${outcome.kind}`,
    job: claim.id,
    at: now,
    retryAt:
      outcome.kind === 'postponed'
        ? postponedUntil(now, outcome.until)
        : retryAt(now, data.attempt, backoff, timing.random),
  };
}

/** What the event says besides. */
function fieldsOf(outcome: Outcome) {
  if (outcome.kind === 'succeeded') return outcome.event ?? {};
  const { kind: _, write: __, exclusively: ___, ...fields } = outcome;
  return fields;
}
