import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from './run.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase('cli_migrate');
});
afterAll(() => database.drop());

it('brings an empty database up to date, and the second time finds nothing to do', async () => {
  const env = { G2P_BRIDGE_DB_DATASOURCE_BRIDGE: database.url };
  const first = await runCli(['migrate', '--json'], env);
  expect([first.code, first.stderr]).toEqual([0, '']);
  const result = JSON.parse(first.stdout);
  expect(result).toMatchObject({ embedded: false, migrations: result.applied });
  expect(result.applied).toBeGreaterThan(0);
  expect(first.stdout).not.toContain(new URL(database.url).password || 'no password');
  const second = await runCli(['migrate'], env);
  expect([second.code, second.stdout]).toEqual([
    0,
    expect.stringMatching(new RegExp(`has all ${result.migrations} migrations; nothing to do\\.`)),
  ]);
});

it('says in one line when the database cannot be reached or does not exist', async () => {
  const refused = await runCli(['migrate'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  expect([refused.code, refused.stderr]).toEqual([
    3,
    expect.stringMatching(/^error ECONNREFUSED: .*127\.0\.0\.1:1\n$/),
  ]);
  const absent = await runCli(['migrate'], { DATABASE_URL: `${database.url}_absent` });
  expect([absent.code, absent.stderr]).toEqual([
    3,
    expect.stringMatching(/^error DATABASE_3D000: .*does not exist\n$/),
  ]);
});
