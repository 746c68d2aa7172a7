import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { connect, type Database, type Queryable, type Sql } from './connection.ts';
import { PROCESSES_END_WITHIN_MS, processesRunning } from './processes-running.ts';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any fixed number: who migrates holds the advisory lock of it, so processes that start together take turns. */
const MIGRATION_LOCK = 7_240_940;
/** How long a migration waits, in milliseconds. */
const PATIENCE = {
  processesMs: PROCESSES_END_WITHIN_MS,
  /** Nobody works on the database, so what holds a table for so long is not going to let it go. */
  locksMs: 10_000,
};
/** SQLSTATEs: lock not available, deadlock detected. */
const BLOCKED = new Set(['55P03', '40P01']);

/** The database cannot be brought to this version now; nothing of it was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: 'DATABASE_NEWER' | 'PROCESSES_RUNNING' | 'MIGRATION_BLOCKED';

  constructor(code: MigrationError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** What migrating came to. */
export interface Migrated {
  /** Migrations that the database has now, and how many of them are new. */
  readonly migrations: number;
  readonly applied: number;
}

/**
 * Applies the migrations that the database does not have yet, all of them or none; does nothing when it is up to date.
 * Several that begin at once take turns, and the first one does it.
 *
 * @param url database to migrate, on a connection of its own that is closed afterwards
 * @param patience how long to wait for processes to end and for locks
 * @throws MigrationError `DATABASE_NEWER` when it has migrations that this version does not know; `PROCESSES_RUNNING` when
 *   there is something to apply and processes work on it, which must be of an older version; `MIGRATION_BLOCKED` when
 *   somebody else holds a table. The server's error when it cannot be reached or refuses
 */
export async function migrate(url: string, patience = PATIENCE): Promise<Migrated> {
  const database = connect(url, { max: 1, applicationName: 'g2p-bridge migrate', unlimited: true });
  const { sql } = database;
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    const before = await applied(sql);
    const wanted = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).map(
      ({ folderMillis }) => folderMillis,
    );
    if (before.last > Math.max(...wanted)) throw newer();
    if (before.last === wanted.at(-1)) return { migrations: before.count, applied: 0 };
    if (before.count > 0) await requireNobodyWorking(sql, patience.processesMs);
    await apply(database, patience.locksMs);
    const { count } = await applied(sql);
    return { migrations: count, applied: count - before.count };
  } finally {
    await database.close();
  }
}

/** Whether every migration of this version has been applied to the database. */
export async function isMigrated(sql: Queryable): Promise<boolean> {
  const wanted = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).at(-1)?.folderMillis ?? 0;
  const [row] = await sql<{ last: string | null }[]>`
    select max(created_at)::text as last from drizzle.__drizzle_migrations`;
  const last = Number(row?.last ?? 0);
  if (last > wanted) throw newer();
  return last === wanted;
}

/** How many migrations the database has, and the time of the last one. */
async function applied(sql: Sql): Promise<{ readonly count: number; readonly last: number }> {
  const [table] = await sql<{ name: string | null }[]>`
    select to_regclass('drizzle.__drizzle_migrations')::text as name`;
  if (!table?.name) return { count: 0, last: 0 };
  const [row] = await sql<{ count: number; last: string | null }[]>`
    select count(*)::int as count, max(created_at)::text as last from drizzle.__drizzle_migrations`;
  return { count: row?.count ?? 0, last: Number(row?.last ?? 0) };
}

function newer(): MigrationError {
  return new MigrationError(
    'DATABASE_NEWER',
    'The database has been brought to a newer version than this one, which would not understand it: ' +
      'run that version, or restore a backup that was made before.',
  );
}

/** An old process knows nothing of what a new version adds, and holds tables that a migration has to change. */
async function requireNobodyWorking(sql: Sql, withinMs: number): Promise<void> {
  const running = await processesRunning(sql, withinMs);
  if (running === 0) return;
  const those = running === 1 ? 'A process' : `${running} processes`;
  throw new MigrationError(
    'PROCESSES_RUNNING',
    `${those} of an older version still ${running === 1 ? 'works' : 'work'} on the database: ` +
      'stop all of them, then start this version. Nothing was changed.',
  );
}

async function apply({ sql, orm }: Database, lockTimeoutMs: number): Promise<void> {
  try {
    await sql`select set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, false)`;
    await applyMigrations(orm, { migrationsFolder: MIGRATIONS_FOLDER });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const state = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!BLOCKED.has(state)) throw cause;
    throw new MigrationError(
      'MIGRATION_BLOCKED',
      'Another session holds a table that must be changed; find it in pg_stat_activity, end it and start again. ' +
        'Nothing was changed.',
      cause,
    );
  }
}
