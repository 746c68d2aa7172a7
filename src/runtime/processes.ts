import type { Tx } from '../db/connection.ts';
import { type Claim, HANDED_BACK, type QueuedClaim } from './jobs.ts';
import type { Session } from './session.ts';
import type { ActorStore } from './store.ts';
import type { Timer } from './timing.ts';

export { PROCESS_LOCK } from './postgres/processes.ts';

const APPLICATION_NAME = 'actor process';

const keyOf = ({ id, delivery }: Claim): string => `${id} ${delivery}`;

/**
 * The processes that run the system. Each holds an advisory lock while it lives, so PostgreSQL itself notices its
 * death: the others hand its jobs on within seconds, long before a heartbeat would lapse. A process whose connection
 * broke looks dead too; its jobs may then be performed twice at the same time, which fencing makes harmless. Where
 * advisory locks do not exist, no process can start.
 */
export class Processes {
  readonly #store: ActorStore;
  readonly #role: string;
  readonly #lookMs: number;
  readonly #onHandedBack: (queue: string) => void;
  #lock: Session | null = null;
  #number: number | null = null;
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  /** Whether somebody may have been handed jobs and not have lived, or not have heard of it, to claim them. */
  #suspicious = false;
  /** Before when, by the database's clock, such jobs were handed out; until they have been looked for. */
  #unclaimedBefore: Date | null = null;
  /** Jobs that this process has in hand; after an outage the same one perhaps twice, each time as another delivery. */
  readonly #performing = new Set<string>();
  #unlisten: (() => Promise<void>) | null = null;
  #stopped = true;

  /**
   * @param lookMs how often this process looks for dead ones, in milliseconds
   * @param onHandedBack called when jobs of a queue wait for another worker, whichever process handed them back
   */
  constructor(store: ActorStore, role: string, lookMs: number, onHandedBack: (queue: string) => void) {
    this.#store = store;
    this.#role = role;
    this.#lookMs = lookMs;
    this.#onHandedBack = onHandedBack;
  }

  /** Registers this process and hands on what dead ones have left. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#register();
    const { unlisten } = await this.#store.storage.listen(HANDED_BACK, this.#onHandedBack);
    this.#unlisten = unlisten;
    await this.#look();
    this.#schedule(this.#lookMs);
  }

  /** This process has no more work: leaves the list. Without a database, its lock ends with it and the others notice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.close();
    await this.#looking;
    const number = this.#number;
    this.#number = null;
    try {
      // Who still suspects that jobs lie about leaves that to the others: they see him dead, and look.
      const suspects = this.#suspicious || this.#unclaimedBefore !== null;
      if (number !== null && !suspects)
        await this.#store.query((sql) => this.#store.storage.removeProcesses(sql, [number]));
      await this.#unlisten?.();
    } catch (error) {
      this.#store.observer.troubled('processes', error);
    }
    await this.#lock?.close();
    this.#lock = null;
  }

  /**
   * Notes that this process performs these jobs; until {@link performed}, whatever the database has heard of it.
   *
   * @throws the database's error
   */
  async claim(queue: string, claims: readonly Claim[]): Promise<void> {
    for (const claim of claims) this.#performing.add(keyOf(claim));
    const at = this.#store.registry.clock.now();
    await this.#store.query((sql) =>
      this.#store.storage.claim(sql, { queue, claims, process: this.#number, at }),
    );
  }

  /** This process is done with these jobs, well or badly. */
  performed(claims: readonly Claim[]): void {
    for (const claim of claims) this.#performing.delete(keyOf(claim));
  }

  /** Notes that this process is done with a job of which nothing was recorded, since it belongs to another by now. */
  async unclaim(claim: Claim): Promise<void> {
    await this.#store.query((sql) => this.#store.storage.unclaim(sql, [claim], this.#number));
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
    const claims = (await this.#claims()).filter((claim) => claim.queue === queue);
    if (claims.length > 0) await this.giveBack(queue, claims, reason);
  }

  /** Hands back jobs that this process was handed, claimed or not; those that it has lost meanwhile are left alone. */
  async giveBack(queue: string, claims: readonly Claim[], reason: string): Promise<void> {
    await this.#store.transact(async ({ sql }) => {
      // The jobs before the claims, in the order in which outcomes are recorded.
      await this.#store.jobs.handBack(sql, queue, claims, reason, true);
      await this.#store.storage.unclaim(sql, claims, this.#number);
    });
  }

  /** The number of this process in `actor_processes`; null while it has none. */
  get number(): number | null {
    return this.#number;
  }

  async #register(): Promise<void> {
    const { storage, registry } = this.#store;
    const lock = await storage.openSession(APPLICATION_NAME, () => this.#schedule(0));
    try {
      this.#number = await storage.register(lock, this.#role, registry.clock.now());
      this.#lock = lock;
    } catch (error) {
      await lock.close();
      throw error;
    }
  }

  #schedule(inMs: number): void {
    if (this.#stopped) return;
    this.#timer?.close();
    this.#timer = this.#store.timing.after(inMs, () => {
      // One look at a time: the one under way is followed by another anyway.
      if (this.#looking) return;
      this.#looking = this.#beat().finally(() => {
        this.#looking = null;
        this.#schedule(this.#lookMs);
      });
    });
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
    await this.#store.transact(({ sql }) => this.#store.storage.renumberProcess(sql, before, now));
    // A claim that was to be removed meanwhile may have been missed, under the one number or the other.
    this.suspectUnclaimed();
  }

  async #look(): Promise<void> {
    const dead = await this.#store.query((sql) => this.#store.storage.deadProcesses(sql));
    let count = 0;
    if (dead.length > 0) count += await this.#handOn(dead, 'The process that performed the work died.');
    count += await this.#lookForUnclaimed();
    if (count > 0) this.#store.observer.recovered(count);
  }

  /** Of several processes that notice a death, the one that deletes the claim hands the job on. */
  async #handOn(numbers: readonly number[], reason: string): Promise<number> {
    const { storage } = this.#store;
    return this.#store.transact(async ({ sql }) => {
      const noticed = await storage.removeProcesses(sql, numbers);
      const claims = await storage.takeClaims(sql, numbers);
      await this.#handBack(sql, claims, reason);
      if (noticed > 0) this.suspectUnclaimed();
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
    const count = before ? (await this.#handOnUnclaimed(before)) + (await this.#handBackDropped()) : 0;
    this.#unclaimedBefore = null;
    if (!this.#suspicious) return count;
    // Before the clock is asked: what is suspected meanwhile may have been handed out after its answer.
    this.#suspicious = false;
    try {
      this.#unclaimedBefore = await this.#store.query((sql) => this.#store.storage.now(sql));
    } catch (error) {
      this.#suspicious = true;
      throw error;
    }
    return count;
  }

  /** Jobs that it has claimed and could neither perform nor give back for want of a connection. */
  async #handBackDropped(): Promise<number> {
    const dropped = (await this.#claims()).filter((claim) => !this.#performing.has(keyOf(claim)));
    for (const [queue, some] of Map.groupBy(dropped, (claim) => claim.queue))
      await this.giveBack(queue, some, 'The connection to the database broke.');
    return dropped.length;
  }

  #claims(): Promise<readonly QueuedClaim[]> {
    return this.#store.query((sql) => this.#store.storage.claimsOf(sql, this.#number));
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
