import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { connect, type Queryable } from './connection.ts';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any fixed number: who migrates holds the advisory lock of it, so processes that start together take turns. */
const MIGRATION_LOCK = 7_240_940;

/**
 * Applies the migrations that the database does not have yet; does nothing when it is up to date.
 *
 * @param url database to migrate, on a connection of its own that is closed afterwards
 * @throws when the server cannot be reached or a migration fails; nothing of a failed migration stays
 */
export async function migrate(url: string): Promise<void> {
  const database = connect(url, { max: 1, applicationName: 'g2p-bridge migrate', unlimited: true });
  try {
    await database.sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await applyMigrations(database.orm, { migrationsFolder: MIGRATIONS_FOLDER });
  } finally {
    await database.close();
  }
}

/** Whether every migration of this version has been applied to the database. */
export async function isMigrated(sql: Queryable): Promise<boolean> {
  const wanted = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).at(-1)?.folderMillis ?? 0;
  const [row] = await sql<{ last: string | null }[]>`
    select max(created_at)::text as last from drizzle.__drizzle_migrations`;
  return Number(row?.last ?? 0) >= wanted;
}
