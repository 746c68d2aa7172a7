import type { Actor } from './actor.ts';
import { isPassing, messageOf, RuntimeError } from './errors.ts';
import type { ActorStore } from './store.ts';
import type { Timer } from './timing.ts';
import type { ActorTransaction } from './transaction.ts';

/** Actors that one transaction handles the mail of, and messages it takes at most. */
const ACTORS_PER_TRANSACTION = 200;
const MESSAGES_PER_TRANSACTION = 1_000;
/**
 * How often each process looks whether there is mail that nobody delivers. The process whose transaction stored a
 * message delivers it right after the commit; this is for the case that it died in between.
 */
const SWEEP_MS = 1_000;
const AFTER_TROUBLE_MS = 500;

/**
 * Delivers durable messages. An actor's messages are handled one at a time under its row lock, in the order they were
 * sent; a message is deleted in the transaction that stores what it did. Whoever delivers waits for the lock instead of
 * skipping it: a message stored while another process is just finishing with the actor would be left lying otherwise.
 */
export class Mailbox {
  readonly #store: ActorStore;
  #timer: Timer | null = null;
  /** When the timer rings, by the monotonic clock. */
  #ringsAtMs = 0;
  #draining: Promise<void> | null = null;
  #again = false;
  #stopped = true;

  constructor(store: ActorStore) {
    this.#store = store;
    store.onCommit(({ nextDelivery: at }) => {
      if (at) this.#wakeAt(at);
    });
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Ends deliveries; what is under way is finished. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.close();
    this.#timer = null;
    await this.#draining;
  }

  /** Delivers what there is, now or as soon as the delivery under way ends. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#draining) {
      this.#again = true;
      return;
    }
    this.#draining = this.#drain().finally(() => {
      this.#draining = null;
      if (this.#again && !this.#stopped) {
        this.#again = false;
        this.wake();
      }
    });
  }

  #wakeAt(at: Date): void {
    const inMs = at.getTime() - this.#store.registry.clock.now().getTime();
    if (inMs <= 0) this.wake();
    else if (inMs < SWEEP_MS) this.#sleep(inMs);
  }

  /** A timer that rings earlier stays: messages for later must not put off the next one. */
  #sleep(ms: number): void {
    if (this.#stopped) return;
    const inMs = Math.max(1, Math.min(ms, SWEEP_MS));
    const ringsAtMs = this.#store.timing.elapsedMs() + inMs;
    if (this.#timer && this.#ringsAtMs <= ringsAtMs) return;
    this.#timer?.close();
    this.#ringsAtMs = ringsAtMs;
    this.#timer = this.#store.timing.after(inMs, () => {
      this.#timer = null;
      this.wake();
    });
  }

  async #drain(): Promise<void> {
    const { registry, observer, storage } = this.#store;
    const machines = registry.actors.map(({ name }) => name);
    try {
      let delivered = 0;
      let inTrouble = false;
      do {
        delivered = 0;
        const now = registry.clock.now();
        for (const machine of await this.#store.query((sql) =>
          storage.machinesWithMail(sql, machines, now),
        )) {
          const done = await this.#deliver(machine);
          delivered += done ?? 0;
          inTrouble ||= done === null;
        }
      } while (delivered > 0 && !this.#stopped);
      const next = await this.#store.query((sql) => storage.nextDelivery(sql, machines));
      const inMs = next ? next.getTime() - registry.clock.now().getTime() : SWEEP_MS;
      this.#sleep(inTrouble ? AFTER_TROUBLE_MS : inMs);
    } catch (error) {
      observer.troubled('mailbox', error);
      this.#sleep(AFTER_TROUBLE_MS);
    }
  }

  /** @returns how many messages were handled; null when those of this machine cannot be handled at present */
  async #deliver(machine: string): Promise<number | null> {
    const actor = this.#store.registry.actor(machine);
    try {
      return await this.#store.transact(async (tx) => {
        const { storage } = this.#store;
        await storage.addressToChildren(tx.sql, actor, tx.now);
        const ids = await storage.actorsWithMail(tx.sql, machine, tx.now, ACTORS_PER_TRANSACTION);
        return this.#deliverTo(tx, actor, ids);
      });
    } catch (error) {
      if (isPassing(error)) throw error;
      this.#store.observer.troubled(`mailbox of ${machine}`, error);
      return this.#deliverOneByOne(actor);
    }
  }

  /** One actor whose mail cannot be handled must not hold up the mail of the others: it is parked. */
  async #deliverOneByOne(actor: Actor): Promise<number | null> {
    const now = this.#store.registry.clock.now();
    const ids = await this.#store.query((sql) =>
      this.#store.storage.actorsWithMail(sql, actor.name, now, ACTORS_PER_TRANSACTION),
    );
    let handled = 0;
    for (const id of ids) {
      try {
        handled += await this.#store.transact((tx) => this.#deliverTo(tx, actor, [id]));
      } catch (error) {
        if (isPassing(error)) throw error;
        await this.#store.transact((tx) => tx.park(actor, id, unhandled(actor, id, error)));
        handled += 1;
      }
    }
    return handled === 0 ? null : handled;
  }

  /** @returns how many messages were handled */
  async #deliverTo(tx: ActorTransaction, actor: Actor, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    await tx.load(actor, ids);
    const readable = tx.readable(actor, ids);
    for (const id of ids) {
      if (!readable.includes(id) && !tx.isParked(id)) {
        await tx.park(actor, id, missing(actor.tables[0].name, id));
      }
    }
    const messages = await this.#store.storage.takeMessages(
      tx.sql,
      actor.name,
      readable,
      tx.now,
      MESSAGES_PER_TRANSACTION,
    );
    const results = await tx.deliver(
      actor,
      messages.map(({ actor_id, event }) => ({ id: actor_id, event })),
    );
    return results.length;
  }
}

const unhandled = (actor: Actor, id: string, error: unknown) =>
  new RuntimeError(
    'MAIL_UNHANDLED',
    `Mail of ${actor.tables[0].name} ${id} cannot be handled: ${messageOf(error)}`,
  );

const missing = (table: string, id: string) =>
  new RuntimeError('ACTOR_MISSING', `A message is addressed to ${table} ${id}, which does not exist.`);
