import postgres from 'postgres';
import { codeOf, EmbeddedPostgresError } from './embedded-error.ts';

/** Being one of the processes that use the server, for as long as its connection lives. */
export interface Membership {
  /** Fires when the connection is lost without {@link leave}: the server was stopped, killed or crashed. */
  lost: Promise<void>;
  /**
   * Ends the membership.
   *
   * @param stopServer called when nobody else is a member, while newcomers are kept from joining
   * @returns whether the server was stopped
   */
  leave(stopServer: () => Promise<void>): Promise<boolean>;
}

/** Members share this advisory lock of the database `postgres`; who stops the server has it alone. */
const MEMBERS_LOCK = '7022350187326595';

/** Errors that mean: not now, since the server is starting, stopping or gone. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
]);

/**
 * Registers this process as a user of the server.
 *
 * @param url of the database `postgres`
 * @returns undefined when the server is not to be joined at this moment (starting, or its last user stops it)
 * @throws EmbeddedPostgresError EMBEDDED_PASSWORD_REJECTED, or the server's own error
 */
export async function joinMembers(url: string): Promise<Membership | undefined> {
  let leaving = false;
  const lost = Promise.withResolvers<void>();
  const sql = administrator(url, () => {
    if (!leaving) lost.resolve();
  });
  try {
    const [row] = await sql`select pg_try_advisory_lock_shared(${MEMBERS_LOCK}) as joined`;
    if (row?.joined === true) {
      return {
        lost: lost.promise,
        leave: (stopServer) => {
          leaving = true;
          return leaveMembers(sql, stopServer);
        },
      };
    }
  } catch (error) {
    if (!isPassing(error)) {
      await sql.end({ timeout: 0 });
      throw refusal(error);
    }
  }
  await sql.end({ timeout: 0 });
  return undefined;
}

/**
 * Runs statements as the superuser on a connection of their own, closed afterwards.
 *
 * @param url of the database to connect to
 */
export async function administer<T>(url: string, run: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const sql = administrator(url, () => {});
  try {
    return await run(sql);
  } finally {
    await sql.end();
  }
}

async function leaveMembers(sql: postgres.Sql, stopServer: () => Promise<void>): Promise<boolean> {
  try {
    // Our share must go first: two members who both kept theirs and asked for all would both be refused.
    await sql`select pg_advisory_unlock_shared(${MEMBERS_LOCK})`;
    const [row] = await sql`select pg_try_advisory_lock(${MEMBERS_LOCK}) as last`;
    if (row?.last !== true) return false;
    await stopServer();
    return true;
  } catch (error) {
    if (isPassing(error)) return false;
    throw error;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** One connection that is never renewed by itself, because the lock lives and dies with it. */
function administrator(url: string, onclose: () => void): postgres.Sql {
  return postgres(url, {
    max: 1,
    max_lifetime: null,
    idle_timeout: 0,
    connect_timeout: 10,
    fetch_types: false,
    onclose,
    onnotice: () => {},
    connection: { application_name: 'g2p-bridge embedded' },
  });
}

function isPassing(error: unknown): boolean {
  return PASSING.has(codeOf(error) ?? '');
}

function refusal(error: unknown): unknown {
  if (codeOf(error) !== '28P01') return error;
  return new EmbeddedPostgresError(
    'EMBEDDED_PASSWORD_REJECTED',
    'The database server rejects the password in cluster/superuser-password of the data folder: ' +
      'restore that file, or set the password of the superuser to what it says.',
    { cause: error },
  );
}
