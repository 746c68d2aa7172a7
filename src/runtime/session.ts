import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import postgres from 'postgres';
import { connectionSettings, type Database, type Sql, type Tx } from '../db/connection.ts';
import { RuntimeError } from './errors.ts';

const OPEN_TIMEOUT_MS = 10_000;

/** One connection of its own, for one user at a time. */
export interface Session {
  readonly sql: Sql;
  /** True as soon as the connection has broken or was closed; everything on it fails from then on. */
  readonly lost: boolean;
  close(): Promise<void>;
}

/** What the driver tells whoever makes its sockets; left out of its published types. */
interface SocketOptions {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
}

/**
 * Opens a connection that is never replaced. A pool of postgres.js puts a new connection in the place of a broken one:
 * what a transaction still sends after its connection broke would, as the driver is published (3.4.9, see
 * `patches/apply.mjs`), run in somebody else's transaction or end the process, and a lock would be lost unnoticed. So
 * transactions and locks get sessions: when one breaks, what is under way on it fails, and nothing else is touched.
 *
 * @param database whose URL and conversions of values it uses
 * @param applicationName shown in `pg_stat_activity`
 * @param onLost called once when the connection breaks, not when it is closed
 * @throws the driver's error when the server cannot be reached; RuntimeError `CONNECTION_LOST` after ten seconds
 */
export async function openSession(
  database: Database,
  applicationName: string,
  onLost: () => void = () => {},
): Promise<Session> {
  await inTime(knowTypes(database));
  const state = { dialled: false, opened: false, lost: false, closed: false };
  const failed = Promise.withResolvers<never>();
  const sql = postgres(database.url, {
    max: 1,
    fetch_types: false,
    idle_timeout: 0,
    max_lifetime: null,
    onnotice: () => {},
    connection: connectionSettings(applicationName),
    onclose: () => {
      if (!state.opened || state.lost) return;
      state.lost = true;
      // Otherwise the driver would keep what is sent from now on for a connection that never comes.
      void sql.end({ timeout: 0 });
      if (!state.closed) onLost();
    },
    async socket(options: SocketOptions) {
      try {
        // Not even while it opens: what the driver has not sent on the first socket keeps it from using a second one.
        if (state.dialled) throw new RuntimeError('CONNECTION_LOST', 'The connection to the database broke.');
        state.dialled = true;
        return await dialled(options);
      } catch (error) {
        failed.reject(error);
        throw error;
      }
    },
  } as postgres.Options<Record<string, never>>);
  Object.assign(sql.options.parsers, database.sql.options.parsers);
  Object.assign(sql.options.serializers, database.sql.options.serializers);
  const close = async () => {
    state.closed = true;
    await sql.end({ timeout: 0 });
  };
  try {
    await inTime(Promise.race([sql`select 1`, failed.promise]));
  } catch (error) {
    await close();
    throw error;
  }
  state.opened = true;
  return {
    sql,
    get lost() {
      return state.lost || state.closed;
    },
    close,
  };
}

/**
 * Runs `work` in one transaction on a session.
 *
 * @throws what `work` throws (nothing is stored then) or the database's error; when the connection breaks during the
 *   commit, it may have been stored nevertheless
 */
export async function inTransaction<T>(session: Session, work: (sql: Tx) => Promise<T>): Promise<T> {
  const { sql } = session;
  try {
    await sql`begin`;
    const result = await work(sql as unknown as Tx);
    await commit(sql);
    return result;
  } catch (error) {
    if (!session.lost) await sql`rollback`.catch(() => session.close());
    throw error;
  }
}

/** A statement that failed unnoticed makes PostgreSQL answer a commit with a rollback, which is no error to the driver. */
async function commit(sql: Sql): Promise<void> {
  const { command } = await sql`commit`;
  if (command !== 'COMMIT') {
    throw new RuntimeError(
      'NOT_COMMITTED',
      'A statement of the transaction failed and its error was ignored.',
    );
  }
}

/** The driver asks for the types of arrays on every new connection. Once they are known, the question is not asked again. */
async function knowTypes({ sql }: Database): Promise<void> {
  if (!sql.options.fetch_types) return;
  await sql`select 1`;
  sql.options.fetch_types = false;
}

async function inTime(answer: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new RuntimeError('CONNECTION_LOST', `No database within ${OPEN_TIMEOUT_MS} ms.`);
    timer = setTimeout(() => reject(error), OPEN_TIMEOUT_MS);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws what kept the server from answering */
async function dialled({ host, port, path }: SocketOptions): Promise<Socket> {
  if (path) return opened(dial({ path }), path);
  const [name = 'localhost'] = host;
  const socket = await opened(dial({ host: name, port: port[0] ?? 5432 }), name);
  // The driver reads the name that TLS certificates are checked against here.
  return Object.assign(socket, { host: name });
}

async function opened(socket: Socket, name: string): Promise<Socket> {
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) });
    // The end of a COPY would otherwise wait for the server's delayed acknowledgement, 40 ms each time.
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    socket.destroy();
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    throw new RuntimeError('CONNECTION_LOST', `${name} did not answer within ${OPEN_TIMEOUT_MS} ms.`);
  }
}
