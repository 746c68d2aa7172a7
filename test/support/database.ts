import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

/** A database of its own for one test or one test file. */
export interface TestDatabase {
  /** Connection URL of the database, as a superuser. */
  url: string;
  /** Removes the database, closing whatever connections are still open on it. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database with a unique name on the test run's server.
 *
 * @param prefix how the name begins, to tell databases apart when debugging: lower-case letters, digits
 *   and underscores
 * @throws the server's error when the name or the server is unusable
 */
export async function createDatabase(prefix = 'test'): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  await administer(serverUrl, (sql) => sql`create database ${sql(name)} strategy file_copy`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer(serverUrl, (sql) => sql`drop database if exists ${sql(name)} with (force)`),
  };
}

/** Runs statements on a connection of their own. */
export async function administer(
  url: string,
  run: (sql: postgres.Sql) => PromiseLike<unknown>,
): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await run(sql);
  } finally {
    await sql.end();
  }
}
