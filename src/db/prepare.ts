import { connect, type Queryable } from './connection.ts';
import { isMigrated, migrate } from './migrate.ts';
import { checkOrigin, isKnownOrigin, type Origin } from './restores.ts';

/** SQLSTATEs that mean: no such table, no such schema, or not for this user. */
const NOT_THERE = new Set(['42P01', '3F000', '42501']);

/** The database is not of this version, and its user may not change that. */
export class NotMigratedError extends Error {
  override readonly name = 'NotMigratedError';
  readonly code = 'NOT_MIGRATED';

  constructor() {
    super(
      'The database is not of this version, or was restored from a backup, and this user may not change its tables: ' +
        'run "g2p-bridge migrate" as their owner.',
    );
  }
}

/**
 * Makes sure that the database is of this version: migrates it where its user may, as the owner of a database may, and
 * only looks where it may not. A database that was restored from a backup is held, see {@link checkOrigin}.
 *
 * @throws NotMigratedError; and what {@link migrate} throws
 */
export async function prepare(url: string): Promise<Origin> {
  const database = connect(url, { max: 1, applicationName: 'g2p-bridge migrate' });
  try {
    const [row] = await database.sql<{ may: boolean }[]>`
      select has_database_privilege(current_database(), 'create') as may`;
    if (row?.may !== true && !(await isReady(database.sql))) throw new NotMigratedError();
    if (row?.may !== true) return { kind: 'known' };
  } finally {
    await database.close();
  }
  await migrate(url);
  return checkOrigin(url);
}

async function isReady(sql: Queryable): Promise<boolean> {
  try {
    return (await isMigrated(sql)) && (await isKnownOrigin(sql));
  } catch (error) {
    const state = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (NOT_THERE.has(state)) return false;
    throw error;
  }
}
