import { retryAt } from './backoff.ts';
import { tickQueue, workerQueue } from './jobs.ts';
import type { Stage } from './stage.ts';
import type { ActorStore } from './store.ts';
import type { Timer } from './timing.ts';
import type { ActorTransaction } from './transaction.ts';
import { unpark } from './unpark.ts';

/** Pieces of stale work that one tick recovers at most; the next tick goes on. */
const STALE_PER_TICK_MAX = 100;
/** Pieces of due work dispatched in one transaction when a process starts in event mode. */
const SWEEP_SET = 200;
/** How long after a slot begins it is asked for its tick, so that the database's clock has surely reached it. */
const AFTER_SLOT_MS = 50;
/** Pause before a sweep that failed begins again. */
const AFTER_TROUBLE_MS = 500;

/** What ticks are told by configuration. */
export interface TickOptions {
  /** Due pieces of work that one tick dispatches at most. */
  readonly dispatchMax: number;
  /** Work that has been in progress for longer is taken back. */
  readonly staleAfterMs: number;
}

/**
 * The ticks: every stage has one, at its frequency, once per interval across any number of processes. Every process
 * asks for every slot's tick; the queue makes one job of it.
 */
export class Ticks {
  readonly #store: ActorStore;
  readonly #options: TickOptions;
  readonly #timers = new Map<string, Timer>();
  #running = false;

  constructor(store: ActorStore, options: TickOptions) {
    this.#store = store;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = true;
    const { jobs } = this.#store;
    for (const stage of this.#store.registry.stages) {
      await jobs.work(tickQueue(stage), { pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 30 }, () =>
        this.#tickOrReport(stage),
      );
      this.#schedule(stage);
    }
    for (const stage of this.#store.registry.stages) await this.#sweep(stage);
  }

  /** Dispatches what has become due while a stage was paused. */
  resume(stage: Stage): void {
    void this.#sweepUntilDone(stage);
  }

  async stop(): Promise<void> {
    this.#running = false;
    for (const timer of this.#timers.values()) timer.close();
    this.#timers.clear();
    const { jobs } = this.#store;
    await Promise.allSettled(
      this.#store.registry.stages.map((stage) => jobs.offWork(tickQueue(stage), { wait: true })),
    );
  }

  async #tickOrReport(stage: Stage): Promise<void> {
    if (this.#isPaused(stage)) return;
    try {
      await this.tick(stage);
    } catch (error) {
      this.#store.observer.troubled(tickQueue(stage), error);
      throw error;
    }
  }

  /**
   * Recovers what is stale, then dispatches what is due, oldest first. What other processes have locked is skipped.
   * To be called for a stage that is not paused.
   */
  async tick(stage: Stage): Promise<{ dispatched: number; stale: number }> {
    await unpark(this.#store, stage);
    const stale = await this.#recoverStale(stage);
    const dispatched = await this.#dispatchDue(stage, this.#options.dispatchMax);
    await this.#keep(stage, { dispatched, stale });
    this.#store.observer.ticked(stage, { dispatched, stale });
    return { dispatched, stale };
  }

  /** Keeps the last tick of each stage, whichever process ran it. */
  async #keep(stage: Stage, { dispatched, stale }: { dispatched: number; stale: number }): Promise<void> {
    const at = this.#store.registry.clock.now();
    await this.#store.query((sql) =>
      this.#store.storage.keepTick(sql, { stage: stage.name, at, dispatched, stale }),
    );
  }

  #isPaused(stage: Stage): boolean {
    return this.#store.registry.paused.has(stage.name);
  }

  /**
   * Everything of a stage that is due when a process starts or the stage is resumed: in event mode, due work is only
   * overlooked while no process runs at all, and left alone only while its stage is paused.
   */
  async #sweep(stage: Stage): Promise<void> {
    if (this.#store.registry.mode !== 'event') return;
    while (!this.#isPaused(stage) && (await this.#dispatchDue(stage, SWEEP_SET, false)) > 0);
  }

  async #sweepUntilDone(stage: Stage): Promise<void> {
    while (this.#running) {
      try {
        return await this.#sweep(stage);
      } catch (error) {
        this.#store.observer.troubled(tickQueue(stage), error);
        await this.#store.timing.sleep(AFTER_TROUBLE_MS, { ref: false });
      }
    }
  }

  /** Slots are those of the system's clock, so that processes on machines with other clocks agree on them. */
  #schedule(stage: Stage): void {
    const slotMs = stage.frequencySeconds * 1000;
    const now = this.#store.registry.clock.now().getTime();
    const untilNext = slotMs - (now % slotMs) + AFTER_SLOT_MS;
    const timer = this.#store.timing.after(Math.min(untilNext, 2 ** 31 - 1), () => {
      void this.#ask(stage);
      this.#schedule(stage);
    });
    this.#timers.set(stage.name, timer);
  }

  async #ask(stage: Stage): Promise<void> {
    if (this.#isPaused(stage)) return;
    try {
      await this.#store.jobs.sendOnce(tickQueue(stage), stage.name, stage.frequencySeconds);
    } catch (error) {
      this.#store.observer.troubled(tickQueue(stage), error);
    }
  }

  async #dispatchDue(stage: Stage, limit: number, withAskAgain = true): Promise<number> {
    const { region, states } = this.#regionOf(stage, withAskAgain);
    return this.#store.transact(async (tx) => {
      const ids = await this.#select(tx, stage, states, {
        part: 'dueAt',
        column: region.columns.due_at,
        until: tx.now,
        limit,
      });
      const results = await tx.deliver(
        stage.actor,
        ids.map((id) => ({
          id,
          event: { type: `${stage.region}.dispatch`, job: this.#store.jobs.newId(), at: tx.now },
        })),
      );
      return results.filter(({ accepted }) => accepted).length;
    });
  }

  async #recoverStale(stage: Stage): Promise<number> {
    const { region } = this.#regionOf(stage, false);
    const count = await this.#store.transact(async (tx) => {
      const ids = await this.#select(tx, stage, [region.processing], {
        part: 'timestamp',
        column: region.columns.timestamp,
        until: new Date(tx.now.getTime() - this.#options.staleAfterMs),
        limit: STALE_PER_TICK_MAX,
      });
      let recovered = 0;
      for (const id of ids) recovered += (await this.#takeBack(tx, stage, id)) ? 1 : 0;
      return recovered;
    });
    if (count > 0) this.#store.observer.stale(stage, count);
    return count;
  }

  /** Work whose job has waited in a long queue, or was begun only lately, is late and not stale. */
  async #takeBack(tx: ActorTransaction, stage: Stage, id: string): Promise<boolean> {
    const data = tx.peek(stage.actor, id)?.context.stages[stage.region];
    if (!data) return false;
    if (data.jobId !== null) {
      const startedBefore = new Date(tx.now.getTime() - this.#options.staleAfterMs);
      if (await this.#store.jobs.isInTime(tx.sql, workerQueue(stage), data.jobId, startedBefore))
        return false;
    }
    const event = {
      type: `${stage.region}.stale`,
      at: tx.now,
      retryAt: retryAt(tx.now, data.attempts, this.#store.registry.backoff, this.#store.timing.random),
      message: `No worker finished this within ${Math.round(this.#options.staleAfterMs / 60_000)} minutes.`,
    };
    const [result] = await tx.deliver(stage.actor, [{ id, event }]);
    return result?.accepted ?? false;
  }

  #regionOf(stage: Stage, withAskAgain: boolean) {
    const region = stage.actor.stages.find((one) => one.region === stage.region);
    if (!region) throw new Error(`${stage.actor.name} has no stage region ${stage.region}.`);
    return { region, states: withAskAgain ? [region.pending, ...region.askAgain] : [region.pending] };
  }

  /**
   * Ids in some states whose time has come, oldest first, locked and loaded; parked actors and locked rows do not count.
   * What is found is looked at again once it is locked: it may have moved on while the query ran.
   */
  async #select(
    tx: ActorTransaction,
    stage: Stage,
    states: readonly string[],
    by: {
      readonly part: 'dueAt' | 'timestamp';
      readonly column: string;
      readonly until: Date;
      readonly limit: number;
    },
  ): Promise<string[]> {
    const { region } = this.#regionOf(stage, false);
    const ids = await this.#store.storage.search(tx.sql, {
      actor: stage.actor,
      states,
      statusColumn: region.columns.status,
      timeColumn: by.column,
      until: by.until,
      // A result may wait as mail, for an actor that could not be read when it came: it is heard before it is given up.
      unlessMailWaits: by.part === 'timestamp',
      limit: by.limit,
    });
    await tx.load(stage.actor, ids);
    return ids.filter((id) => {
      const actor = tx.peek(stage.actor, id);
      const time = actor?.context.stages[stage.region]?.[by.part];
      return actor && time && states.includes(actor.value[stage.region] ?? '') && time <= by.until;
    });
  }
}
