import { quoted } from '../db/bulk.ts';
import type { Actor } from './actor.ts';
import { retryAt } from './backoff.ts';
import { tickQueue, workerQueue } from './jobs.ts';
import type { Stage } from './stage.ts';
import type { Store } from './store.ts';
import type { ActorTransaction } from './transaction.ts';

/** Pieces of stale work that one tick recovers at most; the next tick goes on. */
const STALE_PER_TICK_MAX = 100;
/** Parked actors that one tick looks at again at most. */
const PARKED_PER_TICK_MAX = 100;
/** Pieces of due work dispatched in one transaction when a process starts in event mode. */
const SWEEP_SET = 200;
/** How long after a slot begins it is asked for its tick, so that the server's clock has surely reached it. */
const AFTER_SLOT_MS = 50;
const CLOCK_CHECK_MS = 60_000;

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

  constructor(store: Store, options: TickOptions) {
    this.#store = store;
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#readClock();
    this.#clockTimer = setInterval(() => void this.#readClock().catch(() => {}), CLOCK_CHECK_MS);
    const { boss } = this.#store.jobs;
    for (const stage of this.#store.registry.stages) {
      await boss.work(tickQueue(stage), { pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 30 }, () =>
        this.#tickOrReport(stage),
      );
      this.#schedule(stage);
    }
    if (this.#store.registry.mode === 'event') await this.#sweep();
  }

  async stop(): Promise<void> {
    if (this.#clockTimer) clearInterval(this.#clockTimer);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    const { boss } = this.#store.jobs;
    await Promise.allSettled(
      this.#store.registry.stages.map((stage) => boss.offWork(tickQueue(stage), { wait: true })),
    );
  }

  async #tickOrReport(stage: Stage): Promise<void> {
    try {
      await this.tick(stage);
    } catch (error) {
      this.#store.observer.troubled(tickQueue(stage), error);
      throw error;
    }
  }

  /** Recovers what is stale, then dispatches what is due, oldest first. What other processes have locked is skipped. */
  async tick(stage: Stage): Promise<{ dispatched: number; stale: number }> {
    await this.#unpark(stage);
    const stale = await this.#recoverStale(stage);
    const dispatched = await this.#dispatchDue(stage, this.#options.dispatchMax);
    this.#store.observer.ticked(stage, { dispatched, stale });
    return { dispatched, stale };
  }

  /** Everything that is due when a process starts: due work is only overlooked while no process runs at all. */
  async #sweep(): Promise<void> {
    for (const stage of this.#store.registry.stages) {
      while ((await this.#dispatchDue(stage, SWEEP_SET, false)) > 0);
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
      await this.#store.jobs.cancel(tx.sql, workerQueue(stage), data.jobId);
      await tx.sql`delete from actor_claims where job_id = ${data.jobId}`;
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

  /**
   * Parked actors whose rows can be read again take part again; their mail is delivered by the next sweep. Machines that
   * no stage works on have no tick of their own, so every tick looks after them.
   */
  async #unpark(stage: Stage): Promise<void> {
    const { actors, stages } = this.#store.registry;
    for (const actor of actors) {
      if (actor.name === stage.actor.name || !stages.some((one) => one.actor.name === actor.name)) {
        await this.#unparkActors(actor);
      }
    }
  }

  async #unparkActors(actor: Actor): Promise<void> {
    await this.#store.transact(async (tx) => {
      const rows = await tx.sql<{ actor_id: string }[]>`
        delete from actor_parked where machine = ${actor.name} and actor_id in (
          select actor_id from actor_parked where machine = ${actor.name}
          order by parked_at limit ${PARKED_PER_TICK_MAX} for update skip locked
        ) returning actor_id`;
      // Loading parks again, as of now, what still cannot be read.
      await tx.load(
        actor,
        rows.map(({ actor_id }) => actor_id),
      );
    });
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
