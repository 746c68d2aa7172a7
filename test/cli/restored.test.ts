import { afterEach, beforeEach, expect, it } from 'vitest';
import { insertRows } from '../../src/db/bulk.ts';
import { connect, type Sql } from '../../src/db/connection.ts';
import { HELD_AFTER_RESTORE } from '../../src/db/restores.ts';
import { disbursementEnvelopes } from '../../src/db/schema/index.ts';
import { administer, createDatabase, type TestDatabase } from '../support/database.ts';
import { envelopeRow } from '../support/records.ts';
import { runCli } from './run.ts';

let database: TestDatabase;
let copies: string[];
beforeEach(async () => {
  database = await createDatabase('restored');
  copies = [];
  await migrated(database.url);
});
afterEach(async () => {
  for (const copy of copies) await onServer((sql) => sql`drop database ${sql(nameOf(copy))}`);
  await database.drop();
});

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

function onServer(run: Parameters<typeof administer>[1]): Promise<void> {
  const url = new URL(database.url);
  url.pathname = '/postgres';
  return administer(url.href, run);
}

async function copyOf(url: string): Promise<string> {
  const copy = `${url}_copy`;
  await onServer((sql) => sql`create database ${sql(nameOf(copy))} template ${sql(nameOf(url))}`);
  copies.push(copy);
  return copy;
}

async function migrated(
  url: string,
): Promise<{ readonly restored: boolean; readonly origin_untold: boolean }> {
  const { stdout, stderr } = await runCli(['migrate', '--json'], { DATABASE_URL: url });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

async function onDatabase(url: string, run: (sql: Sql) => Promise<void>): Promise<void> {
  const { sql, close } = connect(url, { max: 1 });
  try {
    await run(sql);
  } finally {
    await close();
  }
}

async function look(url: string) {
  const { sql, close } = connect(url, { max: 1 });
  const paused = await sql<
    { stage: string; by: string }[]
  >`select stage, by from actor_pauses order by stage`;
  const restores = await sql<{ reason: string; last_seq: number }[]>`
    select reason, last_seq::int from database_restores`;
  const [next] = await sql<{ seq: number }[]>`
    select nextval(pg_get_serial_sequence('actor_transitions', 'seq'))::int as seq`;
  await close();
  return { paused: [...paused], restores: [...restores], next: next?.seq ?? 0 };
}

const HELD = HELD_AFTER_RESTORE.toSorted().map((stage) => ({ stage, by: 'g2p-bridge' }));

it('a copy of a database is recognised once, holds what acts on the outside, and leaves numbers of the journal out', async () => {
  expect(await migrated(database.url)).toMatchObject({ restored: false });
  const copy = await copyOf(database.url);
  expect(await migrated(copy)).toMatchObject({ restored: true });
  expect(await migrated(copy)).toMatchObject({ restored: false });
  const { paused, restores, next } = await look(copy);
  expect(paused).toEqual(HELD);
  expect(restores).toEqual([{ reason: expect.stringMatching(/copy of another/), last_seq: 0 }]);
  expect(next).toBeGreaterThan(100_000_000);
  expect(await look(database.url)).toEqual({ paused: [], restores: [], next: 1 });
});

it('a database that was moved with nothing lost goes on as it was when that is said', async () => {
  const copy = await copyOf(database.url);
  const { code } = await runCli(['restored', '--nothing-lost'], { DATABASE_URL: copy });
  expect(code).toBe(0);
  expect(await migrated(copy)).toMatchObject({ restored: false });
  expect(await look(copy)).toMatchObject({ paused: [], restores: [], next: 1 });
});

it('what was restored from files is held when that is said; one of the two must be said', async () => {
  const refused = await runCli(['restored'], { DATABASE_URL: database.url });
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--reason TEXT or --nothing-lost/),
  });
  const args = ['restored', '--reason', 'WAL up to 14:05', '--json'];
  const { stdout } = await runCli(args, { DATABASE_URL: database.url });
  expect(JSON.parse(stdout).paused.toSorted()).toEqual(HELD.map(({ stage }) => stage));
  const { paused, restores } = await look(database.url);
  expect(paused).toEqual(HELD);
  expect(restores).toEqual([{ reason: 'WAL up to 14:05', last_seq: 0 }]);
});

it('a copy that was taken for restored goes on as it was when it is said that nothing was lost', async () => {
  await onDatabase(database.url, async (sql) => {
    await sql`insert into actor_pauses values ('mapper_resolution', now(), 'Ann', 'For the night.')`;
    await sql`insert into actor_pauses values ('mt940_processor', now(), 'Ann', 'Wrong file.')`;
  });
  const copy = await copyOf(database.url);
  expect(await migrated(copy)).toMatchObject({ restored: true });
  const { stdout } = await runCli(['restored', '--nothing-lost'], { DATABASE_URL: copy });
  expect(stdout).toMatch(
    /Goes on: .*disburse_funds_from_bank.* Paused .*: mapper_resolution, mt940_processor\./,
  );
  expect(await look(copy)).toMatchObject({
    paused: [
      { stage: 'mapper_resolution', by: 'Ann' },
      { stage: 'mt940_processor', by: 'Ann' },
    ],
    restores: [],
  });
  await onDatabase(copy, async (sql) => {
    const pauses = await sql`select reason from actor_pauses where stage = 'mt940_processor'`;
    expect([...pauses]).toEqual([{ reason: 'Wrong file.' }]);
  });
});

it('a stage that was paused before says of the restore, too, and counts as held', async () => {
  await onDatabase(database.url, async (sql) => {
    await sql`insert into actor_pauses values ('disburse_funds_from_bank', now(), 'Ann', 'Wrong list.')`;
  });
  const args = ['restored', '--reason', 'WAL up to 14:05.', '--json'];
  const { stdout } = await runCli(args, { DATABASE_URL: database.url });
  expect(JSON.parse(stdout).paused).toContain('disburse_funds_from_bank');
  await onDatabase(database.url, async (sql) => {
    const [pause] = await sql`select by, reason from actor_pauses where stage = 'disburse_funds_from_bank'`;
    expect(pause).toEqual({
      by: 'Ann',
      reason: expect.stringMatching(/^WAL up to 14:05\. Compare with the bank .* Before: Wrong list\.$/),
    });
  });
});

it('is refused while a process works on the database, and changes nothing', async () => {
  const works = connect(database.url, { max: 1, applicationName: 'actor process' });
  await works.sql`select 1`;
  for (const args of [
    ['restored', '--reason', 'Why'],
    ['restored', '--nothing-lost'],
  ])
    expect(await runCli(args, { DATABASE_URL: database.url })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/PROCESSES_RUNNING: A process works on the database: stop/),
    });
  await works.close();
  expect(await look(database.url)).toMatchObject({ paused: [], restores: [] });
});

it('a database in use that comes from a version that did not note where it ran is pointed out, once', async () => {
  await onDatabase(database.url, async (sql) => {
    await sql`delete from database_origin`;
    await insertRows(sql, disbursementEnvelopes, [envelopeRow({ receipt_time_stamp: new Date() })]);
  });
  const { stdout } = await runCli(['migrate'], { DATABASE_URL: database.url });
  expect(stdout).toMatch(/nobody can tell whether it was restored from a backup.*restored --reason/);
  expect(await migrated(database.url)).toMatchObject({ restored: false, origin_untold: false });
});
