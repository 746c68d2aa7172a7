import { hostname } from 'node:os';
import type { Tx } from '../db/connection.ts';
import { RuntimeError } from './errors.ts';
import { type Claim, HANDED_BACK, type QueuedClaim } from './jobs.ts';
import { openSession, type Session } from './session.ts';
import type { Store } from './store.ts';

/** Advisory locks (this number, process number) tell who lives: a lock goes with the connection that holds it. */
export const PROCESS_LOCK = 7_240_942;
const APPLICATION_NAME = 'actor process';

/**
 * The processes that run the system. Each holds an advisory lock while it lives, so PostgreSQL itself notices its
 * death: the others hand its jobs on within seconds, long before a heartbeat would lapse. A process whose connection
 * broke looks dead too; its jobs may then be performed twice at the same time, which fencing makes harmless. Where
 * advisory locks do not exist (YugabyteDB), heartbeats alone do this.
 */
export class Processes {
  readonly #store: Store;
  readonly #role: string;
  readonly #lookMs: number;
  readonly #onHandedBack: (queue: string) => void;
  #lock: Session | null = null;
  #number: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  /** Whether somebody may have been handed jobs and not have lived, or not have heard of it, to claim them. */
  #suspicious = false;
  /** Before when, by the database's clock, such jobs were handed out; until they have been looked for. */
  #unclaimedBefore: Date | null = null;
  #unlisten: (() => Promise<void>) | null = null;
  #stopped = true;

  /**
   * @param lookMs how often this process looks for dead ones, in milliseconds
   * @param onHandedBack called when jobs of a queue wait for another worker, whichever process handed them back
   */
  constructor(store: Store, role: string, lookMs: number, onHandedBack: (queue: string) => void) {
    this.#store = store;
    this.#role = role;
    this.#lookMs = lookMs;
    this.#onHandedBack = onHandedBack;
  }

  /** Registers this process and hands on what dead ones have left. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#register();
    const { unlisten } = await this.#store.database.sql.listen(HANDED_BACK, this.#onHandedBack);
    this.#unlisten = unlisten;
    await this.#look();
    this.#schedule(this.#lookMs);
  }

  /** This process has no more work: leaves the list. Without a database, its lock ends with it and the others notice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#looking;
    const number = this.#number;
    this.#number = null;
    try {
      if (number !== null)
        await this.#store.query((sql) => sql`delete from actor_processes where number = ${number}`);
      await this.#unlisten?.();
    } catch (error) {
      this.#store.observer.troubled('processes', error);
    }
    await this.#lock?.close();
    this.#lock = null;
  }

  /** Notes that this process performs these jobs. */
  async claim(queue: string, claims: readonly Claim[]): Promise<void> {
    const rows = claims.map(({ id, delivery }) => ({ id, delivery }));
    const at = this.#store.registry.clock.now();
    await this.#store.query(
      (sql) => sql`
      insert into actor_claims (job_id, queue, delivery, process, claimed_at)
      select v.id, ${queue}, v.delivery, ${this.#number}, ${at}
      from json_to_recordset(${JSON.stringify(rows)}::json) as v(id text, delivery int)
      on conflict (job_id) do update
      set delivery = excluded.delivery, process = excluded.process, claimed_at = excluded.claimed_at
      -- A process that was slow to note its claim must not hide who has the job by now.
      where actor_claims.delivery <= excluded.delivery`,
    );
  }

  /** Notes that this process is done with a job of which nothing was recorded, since it belongs to another by now. */
  async unclaim({ id, delivery }: Claim): Promise<void> {
    await this.#store.query(
      (sql) => sql`
      delete from actor_claims where job_id = ${id} and delivery = ${delivery} and process = ${this.#number}`,
    );
  }

  /** A job may be under way that nobody knows of: the next two looks go after it. */
  suspectUnclaimed(): void {
    this.#suspicious = true;
  }

  /**
   * Hands back what this process still has claimed of a queue, so that somebody else goes on with it, at once or as soon
   * as its stage is resumed.
   */
  async handBackOwn(queue: string, reason: string): Promise<void> {
    const claims = await this.#store.query(
      (sql) => sql<Claim[]>`
      select job_id as id, delivery from actor_claims where process = ${this.#number} and queue = ${queue}`,
    );
    if (claims.length > 0) await this.giveBack(queue, claims, reason);
  }

  /** Hands back jobs that this process was handed, claimed or not; those that it has lost meanwhile are left alone. */
  async giveBack(queue: string, claims: readonly Claim[], reason: string): Promise<void> {
    await this.#store.transact(async ({ sql }) => {
      // The jobs before the claims, in the order in which outcomes are recorded.
      await this.#store.jobs.handBack(sql, queue, claims, reason, true);
      await sql`
        delete from actor_claims a using json_to_recordset(${JSON.stringify(claims)}::json) as c(id text, delivery int)
        where a.job_id = c.id and a.delivery = c.delivery and a.process = ${this.#number}`;
    });
  }

  /** The number of this process in `actor_processes`; null while it has none. */
  get number(): number | null {
    return this.#number;
  }

  async #register(): Promise<void> {
    const lock = await openSession(this.#store.database, APPLICATION_NAME, () => this.#schedule(0));
    const { sql } = lock;
    try {
      await sql`begin`;
      const [row] = await sql<{ number: number }[]>`
        insert into actor_processes (role, host, pid, started_at)
        values (${this.#role}, ${hostname()}, ${process.pid}, ${this.#store.registry.clock.now()})
        returning number`;
      if (!row) throw new RuntimeError('NO_NUMBER', 'The list of processes gave this one no number.');
      // Locked before the row can be seen, so that nobody takes a newcomer for dead.
      await sql`select pg_advisory_lock(${PROCESS_LOCK}, ${row.number})`;
      await sql`commit`;
      this.#number = row.number;
      this.#lock = lock;
    } catch (error) {
      await lock.close();
      throw error;
    }
  }

  #schedule(inMs: number): void {
    if (this.#stopped) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // One look at a time: the one under way is followed by another anyway.
      if (this.#looking) return;
      this.#looking = this.#beat().finally(() => {
        this.#looking = null;
        this.#schedule(this.#lookMs);
      });
    }, inMs);
  }

  async #beat(): Promise<void> {
    try {
      await this.#keepLock();
      await this.#look();
    } catch (error) {
      this.#store.observer.troubled('processes', error);
    }
  }

  /** After a lost connection the lock is gone, and perhaps the registration too: takes a new one. */
  async #keepLock(): Promise<void> {
    if (this.#lock && !this.#lock.lost) return;
    const before = this.#number;
    await this.#register();
    const now = this.#number;
    await this.#store.transact(async ({ sql }) => {
      await sql`update actor_claims set process = ${now} where process = ${before}`;
      await sql`
        update actor_processes p set report = b.report, reported_at = b.reported_at
        from actor_processes b where p.number = ${now} and b.number = ${before}`;
      await sql`delete from actor_processes where number = ${before}`;
    });
  }

  async #look(): Promise<void> {
    const dead = await this.#store.query(
      (sql) => sql<{ number: number }[]>`
      select number from (
        select number from actor_processes union select process from actor_claims
      ) p
      where not exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.classid = ${PROCESS_LOCK} and l.objid = p.number and l.objsubid = 2
          and l.database = (select oid from pg_database where datname = current_database())
      )`,
    );
    let count = 0;
    if (dead.length > 0) {
      const numbers = dead.map(({ number }) => number);
      count += await this.#handOn(numbers, 'The process that performed the work died.');
    }
    count += await this.#lookForUnclaimed();
    if (count > 0) this.#store.observer.recovered(count);
  }

  /** Of several processes that notice a death, the one that deletes the claim hands the job on. */
  async #handOn(numbers: readonly number[], reason: string): Promise<number> {
    return this.#store.transact(async ({ sql }) => {
      const noticed = await sql`delete from actor_processes where number = any(${numbers as number[]})`;
      const claims = await sql<QueuedClaim[]>`
        delete from actor_claims where process = any(${numbers as number[]})
        returning job_id as id, queue, delivery`;
      await this.#handBack(sql, claims, reason);
      if (noticed.count > 0) this.suspectUnclaimed();
      return claims.length;
    });
  }

  /**
   * A process may die between fetching a job and claiming it. So may its connection: it then does not hear of what it
   * was handed, or can neither claim it nor hand it back. Looked for one round after the suspicion: the living have
   * claimed by then what they had fetched before.
   */
  async #lookForUnclaimed(): Promise<number> {
    const before = this.#unclaimedBefore;
    const count = before ? await this.#handOnUnclaimed(before) : 0;
    this.#unclaimedBefore = null;
    if (!this.#suspicious) return count;
    // Before the clock is asked: what is suspected meanwhile may have been handed out after its answer.
    this.#suspicious = false;
    try {
      const [row] = await this.#store.query((sql) => sql<{ at: Date }[]>`select clock_timestamp() as at`);
      this.#unclaimedBefore = row?.at ?? null;
    } catch (error) {
      this.#suspicious = true;
      throw error;
    }
    return count;
  }

  async #handOnUnclaimed(before: Date): Promise<number> {
    const { jobs, registry } = this.#store;
    return this.#store.transact(async ({ sql }) => {
      const claims = await jobs.unclaimed(sql, registry.stages, before);
      await this.#handBack(sql, claims, 'The process that fetched the work died.');
      return claims.length;
    });
  }

  async #handBack(sql: Tx, claims: readonly QueuedClaim[], reason: string): Promise<void> {
    for (const [queue, some] of Map.groupBy(claims, (claim) => claim.queue)) {
      await this.#store.jobs.handBack(sql, queue, some, reason);
    }
  }
}
