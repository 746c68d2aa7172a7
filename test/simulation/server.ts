import { type Holder, Lock } from './locks.ts';
import { Table } from './tables.ts';
import { fault, type Statement, Transaction, type Wait } from './transaction.ts';
import type { Process, World } from './world.ts';

/** What a connection is on the server. */
export class Connection implements Holder {
  waitsFor: Lock | null = null;
  transaction: Transaction | null = null;
  /** Of the statement under way. */
  current: Transaction | null = null;
  /** Numbers of processes whose life it shows. */
  readonly shows = new Set<number>();
  /** Ends the wait of the statement under way. */
  stopWaiting: (() => void) | null = null;
  closed = false;
}

export interface Listener {
  readonly process: Process;
  readonly channel: string;
  heard(payload: string): void;
  /** Notices are lost until then. */
  deafUntil: number;
}

/** The database server: its transactions, locks and notices. */
export class Server {
  readonly world: World;
  readonly connections = new Set<Connection>();
  readonly listeners = new Set<Listener>();
  readonly #named = new Map<string, Lock>();
  readonly tables = new Map<string, Table<unknown>>();
  #sequence = 0;
  /** Refuses connections until then. */
  downUntil = 0;

  constructor(world: World) {
    this.world = world;
  }

  table<T>(name: string): Table<T> {
    const known = this.tables.get(name);
    if (known) return known as Table<T>;
    const made = new Table<T>(name);
    this.tables.set(name, made as Table<unknown>);
    return made;
  }

  /** Taken at once, so that a later one may be committed first. */
  nextNumber(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** An advisory lock. */
  named(name: string): Lock {
    const known = this.#named.get(name);
    if (known) return known;
    const made = new Lock();
    this.#named.set(name, made);
    return made;
  }

  get heldNames(): string[] {
    return [...this.#named].filter(([, lock]) => lock.isWanted).map(([name]) => name);
  }

  connect(): Connection {
    const connection = new Connection();
    this.connections.add(connection);
    return connection;
  }

  /** Runs a statement; `answer` is called once it has ended, unless the connection is closed before. */
  execute<T>(
    connection: Connection,
    work: (tx: Transaction) => Statement<T>,
    answer: (error: unknown, result?: T) => void,
  ): void {
    const alone = connection.transaction === null;
    const tx = connection.transaction ?? new Transaction();
    if (tx.failed) {
      answer(fault('25P02', 'the transaction has failed'));
      return;
    }
    const statement = work(tx);
    connection.current = tx;
    const fail = (error: unknown) => {
      tx.failed = true;
      connection.current = null;
      if (alone) this.end(tx, false);
      answer(error);
    };
    const go = (granted: boolean) => {
      try {
        const { done, value } = statement.next(granted);
        if (!done) return this.#wait(connection, tx, value, go);
        connection.current = null;
        if (alone) this.end(tx, true);
        answer(null, value);
      } catch (error) {
        fail(error);
      }
    };
    go(true);
  }

  #wait(
    connection: Connection,
    tx: Transaction,
    { lock, shared, waitMs }: Wait,
    go: (granted: boolean) => void,
  ): void {
    const resume = (granted: boolean) => {
      late.close();
      connection.stopWaiting = null;
      // The next statement of somebody else may come first.
      this.world.after(this.world.random() * 0.2, null, 'granted', () => {
        if (!connection.closed) go(granted);
      });
    };
    const leave = lock.queue(tx, shared, () => {
      tx.locks.add(lock);
      resume(true);
    });
    const late = this.world.after(waitMs, null, 'lock timeout', () => {
      leave();
      resume(false);
    });
    connection.stopWaiting = () => {
      late.close();
      leave();
    };
  }

  /** Commits or rolls back. */
  end(tx: Transaction, commit: boolean): void {
    const slots = [...tx.written];
    for (const slot of slots) slot.settle(commit);
    for (const lock of [...tx.locks]) lock.release(tx);
    for (const slot of slots) slot.tidy(slot);
    if (!commit) return;
    for (const { channel, payload } of tx.notices) {
      for (const listener of this.listeners) {
        if (listener.channel !== channel) continue;
        this.world.after(this.world.latency(), listener.process, `hears ${channel}`, () => {
          if (listener.deafUntil <= this.world.now) listener.heard(payload);
        });
      }
    }
  }

  /** The server has noticed that a connection is gone. */
  close(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    this.connections.delete(connection);
    const left = connection.transaction ?? connection.current;
    connection.stopWaiting?.();
    connection.transaction = null;
    connection.current = null;
    if (left) this.end(left, false);
  }
}
