import { quoted } from '../db/bulk.ts';
import { RuntimeError } from './errors.ts';
import {
  actorsWithMail,
  addressToChildren,
  machinesWithMail,
  nextDelivery,
  takeMessages,
} from './messages.ts';
import type { Store } from './store.ts';

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
  readonly #store: Store;
  #timer: NodeJS.Timeout | null = null;
  #draining: Promise<void> | null = null;
  #again = false;
  #stopped = true;

  constructor(store: Store) {
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
    if (this.#timer) clearTimeout(this.#timer);
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

  #sleep(ms: number): void {
    if (this.#stopped) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.max(1, Math.min(ms, SWEEP_MS)));
  }

  async #drain(): Promise<void> {
    try {
      let delivered = 0;
      do {
        delivered = 0;
        const now = this.#store.registry.clock.now();
        for (const machine of await machinesWithMail(this.#store.database.sql, now)) {
          delivered += await this.#deliver(machine);
        }
      } while (delivered > 0 && !this.#stopped);
      const next = await nextDelivery(this.#store.database.sql);
      this.#sleep(next ? next.getTime() - this.#store.registry.clock.now().getTime() : SWEEP_MS);
    } catch (error) {
      this.#store.observer.troubled('mailbox', error);
      this.#sleep(AFTER_TROUBLE_MS);
    }
  }

  async #deliver(machine: string): Promise<number> {
    const actor = this.#store.registry.actor(machine);
    const [main] = actor.tables;
    return this.#store.transact(async (tx) => {
      const children = { table: quoted(main.name), id: quoted(main.id), parent: quoted(actor.parent) };
      await addressToChildren(tx.sql, machine, children, tx.now);
      const ids = await actorsWithMail(tx.sql, machine, tx.now, ACTORS_PER_TRANSACTION);
      if (ids.length === 0) return 0;
      await tx.load(actor, ids);
      const readable = tx.readable(actor, ids);
      for (const id of ids) {
        if (!readable.includes(id) && !tx.isParked(id)) await tx.park(actor, id, missing(main.name, id));
      }
      const messages = await takeMessages(tx.sql, machine, readable, tx.now, MESSAGES_PER_TRANSACTION);
      const results = await tx.deliver(
        actor,
        messages.map(({ actor_id, event }) => ({ id: actor_id, event })),
      );
      return results.length;
    });
  }
}

const missing = (table: string, id: string) =>
  new RuntimeError('ACTOR_MISSING', `A message is addressed to ${table} ${id}, which does not exist.`);
