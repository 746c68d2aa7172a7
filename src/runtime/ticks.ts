import { quoted } from '../db/bulk.ts';
import { retryAt } from './backoff.ts';
import { tickQueue, workerQueue } from './jobs.ts';
import type { Stage } from './stage.ts';
import type { Store } from './store.ts';
import type { ActorTransaction } from './transaction.ts';
import { unpark } from './unpark.ts';

/** Pieces of stale work that one tick recovers at most; the next tick goes on. */
const STALE_PER_TICK_MAX = 100;
/** Pieces of due work dispatched in one transaction when a process starts in event mode. */
const SWEEP_SET = 200;
/** How long after a slot begins it is asked for its tick, so that the server's clock has surely reached it. */
const AFTER_SLOT_MS = 50;
const CLOCK_CHECK_MS = 60_000;
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
  readonly #store: Store;
  readonly #options: TickOptions;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #clockOffsetMs = 0;
  #clockTimer: NodeJS.Timeout | null = null;
  #running = false;

  constructor(store: Store, options: TickOptions) {
    this.#store = store;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#running = true;
    await this.#readClock();
    this.#clockTimer = setInterval(() => void this.#readClock().catch(() => {}), CLOCK_CHECK_MS);
    const { boss } = this.#store.jobs;
    for (const stage of this.#store.registry.stages) {
      await boss.work(tickQueue(stage), { pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 30 }, () =>
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
    if (this.#clockTimer) clearInterval(this.#clockTimer);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    const { boss } = this.#store.jobs;
    await Promise.allSettled(
      this.#store.registry.stages.map((stage) => boss.offWork(tickQueue(stage), { wait: true })),
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
    await this.#store.query(
      (sql) => sql`
      insert into actor_ticks as t (stage, at, dispatched, stale)
      values (${stage.name}, ${at}, ${dispatched}, ${stale})
      on conflict (stage) do update set at = excluded.at, dispatched = excluded.dispatched, stale = excluded.stale
      where t.at <= excluded.at`,
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
        await new Promise((resolve) => setTimeout(resolve, AFTER_TROUBLE_MS).unref());
      }
    }
  }

  /** Slots are those of the database's clock, so processes with other clocks agree on them. */
  #schedule(stage: Stage): void {
    const slotMs = stage.frequencySeconds * 1000;
    const now = Date.now() + this.#clockOffsetMs;
    const untilNext = slotMs - (now % slotMs) + AFTER_SLOT_MS;
    const timer = setTimeout(
      () => {
        void this.#ask(stage);
        this.#schedule(stage);
      },
      Math.min(untilNext, 2 ** 31 - 1),
    );
    this.#timers.set(stage.name, timer);
  }

  async #ask(stage: Stage): Promise<void> {
    if (this.#isPaused(stage)) return;
    try {
      await this.#store.jobs.boss.send(
        tickQueue(stage),
        {},
        { singletonKey: stage.name, singletonSeconds: stage.frequencySeconds },
      );
    } catch (error) {
      this.#store.observer.troubled(tickQueue(stage), error);
    }
  }

  async #readClock(): Promise<void> {
    const before = Date.now();
    const [row] = await this.#store.query(
      (sql) => sql<{ now: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`,
    );
    if (row) this.#clockOffsetMs = row.now - (before + Date.now()) / 2;
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
      retryAt: retryAt(tx.now, data.attempts, this.#store.registry.backoff),
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
    const [main] = stage.actor.tables;
    const table = stage.actor.tables.find(({ columns }) => columns.includes(region.columns.status)) ?? main;
    const t = table === main ? 'm' : 't';
    const rows = await tx.sql.unsafe<{ id: string }[]>(
      `select m.${quoted(main.id)} as id
       from ${quoted(main.name)} m
       ${table === main ? '' : `join ${quoted(table.name)} t on t.${quoted(table.id)} = m.${quoted(main.id)}`}
       where ${t}.${quoted(region.columns.status)} in (${states.map((state) => `'${state}'`).join(', ')})
         and ${t}.${quoted(by.column)} <= $1
         and not exists (select from actor_parked p where p.machine = $2 and p.actor_id = m.${quoted(main.id)})
         ${by.part === 'timestamp' ? unlessMailWaits(quoted(main.id)) : ''}
       order by ${t}.${quoted(by.column)} limit $3 for no key update of m skip locked`,
      [by.until, stage.actor.name, by.limit],
    );
    const ids = rows.map(({ id }) => id);
    await tx.load(stage.actor, ids);
    return ids.filter((id) => {
      const actor = tx.peek(stage.actor, id);
      const time = actor?.context.stages[stage.region]?.[by.part];
      return actor && time && states.includes(actor.value[stage.region] ?? '') && time <= by.until;
    });
  }
}

/** A result may be waiting as mail, for an actor that could not be read when it came: it is heard before it is given up. */
const unlessMailWaits = (id: string): string =>
  `and not exists (select from actor_messages x where x.machine = $2 and x.actor_id = m.${id})`;
