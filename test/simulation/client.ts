import type { Sql } from '../../src/db/connection.ts';
import { RuntimeError } from '../../src/runtime/errors.ts';
import type { Session } from '../../src/runtime/session.ts';
import type { Connection, Server } from './server.ts';
import { fault, type Statement, Transaction } from './transaction.ts';
import type { Process, World } from './world.ts';

/** What goes wrong with one request to the database. */
export type Trouble =
  /** The server answers with an error that passes. */
  | 'error'
  /** The connection breaks before the server has the request. */
  | 'cut before'
  /** The connection breaks after the server has done it, and before it has answered. */
  | 'cut after'
  /** The process dies, with the request on its way or its answer. */
  | 'death before'
  | 'death after'
  /** The process stands still before it hears the answer. */
  | 'standstill'
  /** The request takes seconds. */
  | 'slow';

/** Asked for every request what is to go wrong with it. */
export type Troubles = (process: Process, operation: string) => Trouble | null;

const STANDSTILL_MS = 4_000;
const SLOW_MS = 3_000;
const lostConnection = () => fault('CONNECTION_CLOSED', 'the connection broke');

/** The database as one process reaches it. */
export class Client {
  readonly process: Process;
  readonly server: Server;
  readonly sessions = new Set<SimulatedSession>();
  readonly #troubles: Troubles;

  constructor(process: Process, server: Server, troubles: Troubles) {
    this.process = process;
    this.server = server;
    this.#troubles = troubles;
    // The server hears of it when the operating system closes the sockets, or much later.
    process.onDeath.push(() => {
      for (const session of this.sessions) session.vanish();
    });
  }

  get world(): World {
    return this.server.world;
  }

  /** @throws `ECONNREFUSED` while the server is down */
  async open(onLost: () => void = () => {}): Promise<SimulatedSession> {
    await this.#pass('connect');
    if (this.server.downUntil > this.world.now) throw fault('ECONNREFUSED', 'the database is down');
    return new SimulatedSession(this, onLost);
  }

  /** One statement on a connection that nobody else uses. */
  async alone<T>(operation: string, work: (tx: Transaction) => Statement<T>): Promise<T> {
    if (this.server.downUntil > this.world.now) throw fault('ECONNREFUSED', 'the database is down');
    const session = new SimulatedSession(this, () => {});
    try {
      return await session.request(operation, work);
    } finally {
      await session.close();
    }
  }

  /** All connections of the process break. */
  cutAll(): void {
    for (const session of [...this.sessions]) session.cut();
  }

  #pass(name: string): Promise<void> {
    return new Promise((resolve) => this.world.after(this.world.latency(), this.process, name, resolve));
  }

  trouble(operation: string): Trouble | null {
    const trouble = this.#troubles(this.process, operation);
    if (trouble) this.world.note(this.process, `${operation}: ${trouble}`);
    return trouble;
  }
}

/** A connection, as its process sees it. What the runtime passes around as `sql` is this. */
export class SimulatedSession implements Session {
  readonly client: Client;
  readonly #connection: Connection;
  readonly #onLost: () => void;
  #state: 'open' | 'lost' | 'closed' = 'open';
  #reject: ((error: unknown) => void) | null = null;

  constructor(client: Client, onLost: () => void) {
    this.client = client;
    this.#connection = client.server.connect();
    this.#onLost = onLost;
    client.sessions.add(this);
  }

  get sql(): Sql {
    return this as unknown as Sql;
  }

  get lost(): boolean {
    return this.#state !== 'open';
  }

  /** The server's side, for locks that go with the connection. */
  get connection(): Connection {
    return this.#connection;
  }

  begin(): void {
    this.#connection.transaction = new Transaction();
  }

  /** @returns whether what was done is stored; otherwise a statement had failed */
  commit(): Promise<boolean> {
    return this.#send('commit', (answer) => {
      const { transaction: tx } = this.#connection;
      this.#connection.transaction = null;
      if (tx) this.client.server.end(tx, !tx.failed);
      answer(null, tx !== null && !tx.failed);
    });
  }

  rollback(): Promise<void> {
    return this.#send('rollback', (answer) => {
      const { transaction: tx } = this.#connection;
      this.#connection.transaction = null;
      if (tx) this.client.server.end(tx, false);
      answer(null);
    });
  }

  /** @throws what the server answers, or that the connection broke */
  request<T>(operation: string, work: (tx: Transaction) => Statement<T>): Promise<T> {
    return this.#send(operation, (answer) => this.client.server.execute(this.#connection, work, answer));
  }

  #send<T>(operation: string, execute: (answer: (error: unknown, result?: T) => void) => void): Promise<T> {
    if (this.lost) return Promise.reject(lostConnection());
    const { client } = this;
    const { world, process } = client;
    const trouble = client.trouble(operation);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#reject = reject;
    const answer = (error: unknown, result?: T) => {
      world.note(process, `${operation}${error ? ` fails: ${(error as Error).message}` : ''}`);
      if (trouble === 'cut after') return this.cut();
      if (trouble === 'death after') return process.kill();
      if (trouble === 'standstill') process.freeze(STANDSTILL_MS);
      world.after(world.latency(), process, `${operation} answered`, () => {
        if (this.lost) return;
        this.#reject = null;
        if (error) reject(error);
        else resolve(result as T);
      });
    };
    // On its way it is nobody's: it arrives even if the process dies.
    world.after(world.latency() + (trouble === 'slow' ? SLOW_MS : 0), null, operation, () => {
      if (this.#connection.closed) return;
      if (trouble === 'cut before') return this.cut();
      if (trouble === 'death before') return process.kill();
      if (trouble === 'error') {
        const tx = this.#connection.transaction;
        if (tx) tx.failed = true;
        return answer(fault('53200', 'out of memory'));
      }
      execute(answer);
    });
    return promise;
  }

  /** The connection breaks: the process hears of it at once, the server a little later. */
  cut(): void {
    if (this.lost) return;
    this.#state = 'lost';
    this.vanish();
    const { process, world } = this.client;
    world.after(0, process, 'connection lost', () => {
      this.#reject?.(lostConnection());
      this.#reject = null;
      this.#onLost();
    });
  }

  /** The server will notice that nobody is there. */
  vanish(): void {
    const { world, server, sessions } = this.client;
    sessions.delete(this);
    world.after(world.latency(), null, 'connection gone', () => server.close(this.#connection));
  }

  async close(): Promise<void> {
    if (this.lost) return;
    this.#state = 'closed';
    this.vanish();
    this.#reject?.(lostConnection());
  }
}

/** Runs work in a transaction, like the runtime's own on PostgreSQL. */
export async function inTransaction<T>(
  session: SimulatedSession,
  work: (session: SimulatedSession) => Promise<T>,
): Promise<T> {
  try {
    session.begin();
    const result = await work(session);
    if (!(await session.commit()))
      throw new RuntimeError('NOT_COMMITTED', 'A statement failed and its error was ignored.');
    return result;
  } catch (error) {
    if (!session.lost) await session.rollback().catch(() => session.close());
    throw error;
  }
}
