import { DrizzleQueryError } from 'drizzle-orm';
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { ConnectorError } from './connector-error.ts';
import {
  connectReadOnly,
  type ReadOnlyConnection,
  type ReadOnlyConnectionSettings,
  within,
} from './read-only-connection.ts';
import { aborted, type ForeignDatabase, faultOf, isLost, unavailable } from './read-only-fault.ts';

/** What a database of another system is opened with. */
export interface ReadOnlySettings extends ReadOnlyConnectionSettings {
  /** Which database it is; begins the codes of its faults. */
  readonly name: ForeignDatabase;
  /** Most connections at once; further calls wait for one. */
  readonly connectionsMax: number;
}

/** A database of another system, which is only read. */
export interface ReadOnlyDatabase {
  /**
   * Runs queries, on one connection. A call ends within a bound, whatever the server does: an unreachable server is
   * reported after `connectTimeoutMs`, a slow one after `queryTimeoutMs`.
   *
   * @param run asks its queries one after the other; `queryTimeoutMs` holds for all of them together. It is called a
   *   second time when it was given a connection that had broken while nobody used it.
   * @param options.signal ends the call early; the query itself goes on up to its time limit
   * @returns what `run` returns
   * @throws ConnectorError PBMS_UNAVAILABLE, PBMS_QUERY_FAILED, PBMS_CALL_ABORTED (or REGISTRY_…); and what `run`
   *   throws by itself
   */
  query<T>(
    run: (orm: PostgresJsDatabase) => Promise<T>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>;
  /** Lets queries under way finish for five seconds and ends all connections. Later calls fail. */
  close(): Promise<void>;
}

/** The server ends a statement at its time limit; a server that does not even do that is given up a little later. */
const GRACE_MS = 1_000;

/** Opens a database. Connections are made when first used, so this does not fail when the server is down. */
export function openReadOnly(settings: ReadOnlySettings): ReadOnlyDatabase {
  return new ReadOnlyPool(settings);
}

interface Waiting {
  readonly go: () => void;
  readonly fail: (fault: ConnectorError) => void;
}

/** Few connections, each used by one call at a time and never again after a fault. */
class ReadOnlyPool implements ReadOnlyDatabase {
  readonly #settings: ReadOnlySettings;
  /** Connections that stand, in use or not. */
  readonly #standing = new Set<ReadOnlyConnection>();
  readonly #idle = new Set<ReadOnlyConnection>();
  readonly #waiting = new Set<Waiting>();
  /** How many more calls may use a connection now. */
  #free: number;
  #closed = false;

  constructor(settings: ReadOnlySettings) {
    this.#settings = settings;
    this.#free = settings.connectionsMax;
  }

  async query<T>(
    run: (orm: PostgresJsDatabase) => Promise<T>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const abandoned = aborted(this.#settings.name);
    if (signal?.aborted || this.#closed) throw abandoned;
    const performed = this.#perform(run);
    return signal ? unlessAborted(performed, signal, abandoned) : performed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#failWaiting(aborted(this.#settings.name));
    await Promise.all([...this.#standing].map((connection) => connection.close()));
  }

  async #perform<T>(run: (orm: PostgresJsDatabase) => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn();
    try {
      const idle = this.#takeIdle();
      return await this.#runOn(idle ?? (await this.#connect()), run, idle !== undefined);
    } finally {
      const [next] = this.#waiting;
      if (next) next.go();
      else this.#free += 1;
    }
  }

  /** Waits until another call hands its turn on. */
  #turn(): Promise<void> {
    const { name, queryTimeoutMs } = this.#settings;
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        go: () => {
          leave();
          resolve();
        },
        fail: (fault) => {
          leave();
          reject(fault);
        },
      };
      const late = unavailable(name, `is busy: no connection was free within ${queryTimeoutMs} ms.`);
      const timer = setTimeout(() => waiting.fail(late), queryTimeoutMs);
      this.#waiting.add(waiting);
    });
  }

  #failWaiting(fault: ConnectorError): void {
    for (const waiting of this.#waiting) waiting.fail(fault);
  }

  #takeIdle(): ReadOnlyConnection | undefined {
    const [connection] = this.#idle;
    if (connection) this.#idle.delete(connection);
    return connection;
  }

  async #connect(): Promise<ReadOnlyConnection> {
    if (this.#closed) throw aborted(this.#settings.name);
    try {
      const connection = await connectReadOnly(this.#settings);
      this.#standing.add(connection);
      void connection.ended.then(() => this.#forget(connection));
      return connection;
    } catch (error) {
      const fault = faultOf(this.#settings.name, error);
      // Those who wait would meet the same fault, one after the other.
      if (this.#standing.size === 0) this.#failWaiting(fault);
      throw fault;
    }
  }

  async #runOn<T>(
    connection: ReadOnlyConnection,
    run: (orm: PostgresJsDatabase) => Promise<T>,
    wasIdle: boolean,
  ): Promise<T> {
    const { name, queryTimeoutMs } = this.#settings;
    const late = unavailable(name, `gave no answer within ${queryTimeoutMs} ms.`);
    try {
      const result = await within(run(connection.orm), queryTimeoutMs + GRACE_MS, late);
      if (this.#standing.has(connection)) this.#idle.add(connection);
      return result;
    } catch (error) {
      // A statement may still run on it, or it is broken, or what is wrong with it is not known.
      this.#drop(connection);
      if (!(error instanceof DrizzleQueryError)) throw error;
      // That it broke while nobody used it may be noticed only when it is used.
      if (wasIdle && isLost(error.cause)) return this.#runOn(await this.#connect(), run, false);
      throw faultOf(name, error.cause);
    }
  }

  #drop(connection: ReadOnlyConnection): void {
    this.#forget(connection);
    connection.destroy();
  }

  #forget(connection: ReadOnlyConnection): void {
    this.#standing.delete(connection);
    this.#idle.delete(connection);
  }
}

/** @throws `fault` as soon as the signal is aborted; the work itself goes on */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, fault: ConnectorError): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(fault);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
