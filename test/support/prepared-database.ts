import { randomBytes } from 'node:crypto';
import { STAGE_NAMES } from '../../src/config.ts';
import { migrate } from '../../src/db/migrate.ts';
import { Jobs } from '../../src/runtime/jobs.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import { administer, createDatabase, type TestDatabase } from './database.ts';

/** Preparing a database takes the better part of a second, copying one a fraction of it: each worker prepares one. */
let template: Promise<string> | undefined;

async function prepare(): Promise<string> {
  const { url } = await createDatabase('template');
  await migrate(url);
  const jobs = new Jobs(url, false, () => {});
  // Queues need no more of a stage than its name.
  await jobs.start(STAGE_NAMES.map((name) => ({ name })) as unknown as Stage[]);
  await jobs.boss.stop({ graceful: false, close: true });
  return url;
}

/**
 * Creates a database that has been migrated, with the queues of all stages.
 *
 * @param prefix how its name begins
 */
export async function createPreparedDatabase(prefix: string): Promise<TestDatabase> {
  template ??= prepare();
  const url = new URL(await template);
  const source = url.pathname.slice(1);
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  url.pathname = '/postgres';
  const server = url.href;
  await administer(
    server,
    (sql) => sql`create database ${sql(name)} template ${sql(source)} strategy file_copy`,
  );
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer(server, (sql) => sql`drop database if exists ${sql(name)} with (force)`),
  };
}
