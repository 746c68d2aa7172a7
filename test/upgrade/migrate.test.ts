import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Database } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { TestDatabase } from '../support/database.ts';
import { restoreDatabase } from './fixture.ts';

const PATIENCE = { processesMs: 200, locksMs: 200 };

let database: TestDatabase;
let other: Database;
beforeEach(async () => {
  database = await restoreDatabase('0003-operators', 'bridge');
  other = connect(database.url, { max: 1, applicationName: 'actor process' });
});
afterEach(async () => {
  await other.close();
  await database.drop();
});

/** What a migration would change. */
async function state() {
  const reader = connect(database.url, { max: 1 });
  const columns = await reader.sql`
    select table_schema, table_name, column_name, data_type from information_schema.columns
    where table_schema in ('public', 'drizzle') order by 1, 2, 3`;
  const migrations = await reader.sql`select hash from drizzle.__drizzle_migrations order by id`;
  await reader.close();
  return { columns: [...columns], migrations: [...migrations] };
}

describe('a database of the release before', () => {
  it('is migrated once by processes that start together', async () => {
    const both = await Promise.all([migrate(database.url), migrate(database.url)]);
    const applied = both.map((one) => one.applied).toSorted();
    expect(applied).toEqual([0, 1]);
    expect(new Set(both.map(({ migrations }) => migrations)).size).toBe(1);
  });

  it('is left as it is while a process of that release works on it, and migrated when it has stopped', async () => {
    const before = await state();
    await other.sql`select 1`;
    await expect(migrate(database.url, PATIENCE)).rejects.toMatchObject({
      code: 'PROCESSES_RUNNING',
      message: expect.stringMatching(/^A process of an older version .*Nothing was changed\.$/),
    });
    expect(await state()).toEqual(before);
    await other.close();
    expect(await migrate(database.url)).toMatchObject({ applied: 1 });
  });

  it('is left as it is when somebody holds a table of it, after some of it was changed', async () => {
    const before = await state();
    await other.sql`set application_name = 'a report'`;
    await other.sql.begin(async (tx) => {
      await tx`lock table envelope_batch_status_for_cash in access exclusive mode`;
      await expect(migrate(database.url, PATIENCE)).rejects.toMatchObject({
        code: 'MIGRATION_BLOCKED',
        message: expect.stringMatching(/pg_stat_activity.*Nothing was changed\.$/),
      });
    });
    expect(await state()).toEqual(before);
  });
});

it('a database of a newer release is refused and left as it is', async () => {
  await other.close();
  await migrate(database.url);
  const newer = connect(database.url, { max: 1 });
  await newer.sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', 9999999999999)`;
  await newer.close();
  const before = await state();
  await expect(migrate(database.url)).rejects.toMatchObject({
    code: 'DATABASE_NEWER',
    message: expect.stringMatching(/newer version/),
  });
  expect(await state()).toEqual(before);
});
