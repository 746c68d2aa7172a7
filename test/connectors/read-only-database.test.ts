import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  openReadOnly,
  type ReadOnlyDatabase,
  type ReadOnlySettings,
} from '../../src/connectors/read-only-database.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';

/** Far more than "a little", for a busy machine; far less than any time-out that would come instead. */
const A_LITTLE_MS = 3_000;
const UNAVAILABLE = { name: 'ConnectorError', code: 'PBMS_UNAVAILABLE', retryable: true };

let database: TestDatabase;
let owner: postgres.Sql;
let proxy: TcpProxy;
beforeAll(async () => {
  database = await createDatabase('read_only');
  owner = postgres(database.url, { max: 2, onnotice: () => {} });
  await owner`create table fruit (id int, name text)`;
  await owner`insert into fruit values (1, 'apple'), (2, 'pear')`;
  proxy = await startTcpProxy(database.url);
});
afterAll(async () => {
  await proxy.close();
  await owner.end();
  await database.drop();
});

const opened: ReadOnlyDatabase[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await proxy.stop();
  await proxy.start();
  proxy.treat('pass');
  proxy.cutAfter(null);
});

/** Opens the database, through the proxy. */
function open(settings: Partial<ReadOnlySettings> = {}): ReadOnlyDatabase {
  const one = openReadOnly({
    name: 'PBMS',
    url: proxy.through(database.url),
    connectionsMax: 2,
    connectTimeoutMs: 5_000,
    queryTimeoutMs: 20_000,
    ...settings,
  });
  opened.push(one);
  return one;
}

type Rows = readonly Readonly<Record<string, unknown>>[];

function ask(pbms: ReadOnlyDatabase, query: string, signal?: AbortSignal): Promise<Rows> {
  return pbms.query(async (orm) => [...(await orm.execute(sql.raw(query)))], signal ? { signal } : {});
}

const fruit = (pbms: ReadOnlyDatabase) => ask(pbms, 'select name from fruit order by id');
const FRUIT = [{ name: 'apple' }, { name: 'pear' }];

async function elapsed(work: Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work.catch(() => {});
  return performance.now() - before;
}

/** Queries of this form that the server is working on. */
async function running(form: string): Promise<number> {
  const [row] = await owner<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and state = 'active' and query like ${form} and pid <> pg_backend_pid()`;
  return row?.count ?? 0;
}

describe('a database of another system', () => {
  test('is not contacted before it is asked', async () => {
    const before = proxy.taken;
    const pbms = open();
    await pbms.close();
    expect(proxy.taken).toBe(before);
  });

  test('is asked in a session that names us, cannot write and has a time limit', async () => {
    const [session] = await ask(
      open({ queryTimeoutMs: 1_234 }),
      `select current_setting('application_name') as application, current_setting('TimeZone') as zone,
        current_setting('transaction_read_only') as read_only, current_setting('statement_timeout') as statement`,
    );
    expect(session).toEqual({ application: 'g2p-bridge', zone: 'UTC', read_only: 'on', statement: '1234ms' });
  });

  test('keeps its connection for the next query', async () => {
    const pbms = open();
    const before = proxy.taken;
    for (let n = 0; n < 5; n += 1) expect(await fruit(pbms)).toEqual(FRUIT);
    expect(proxy.taken).toBe(before + 1);
  });

  test('serves more calls than it has connections', async () => {
    const pbms = open({ connectionsMax: 2 });
    const before = proxy.taken;
    const answers = await Promise.all(Array.from({ length: 20 }, () => fruit(pbms)));
    expect(answers).toEqual(Array.from({ length: 20 }, () => FRUIT));
    expect(proxy.taken).toBe(before + 2);
  });

  test('passes on what the caller throws by itself, and goes on', async () => {
    const pbms = open({ connectionsMax: 1 });
    const ours = new TypeError('a fault of ours');
    await expect(pbms.query(() => Promise.reject(ours))).rejects.toBe(ours);
    expect(await fruit(pbms)).toEqual(FRUIT);
  });

  test('lets a query under way finish when it is closed, and takes none afterwards', async () => {
    const pbms = open();
    const slow = ask(pbms, 'select pg_sleep(0.3), 1 as one');
    await until('the query runs', async () => (await running('select pg_sleep(0.3)%')) === 1);
    await pbms.close();
    expect(await slow).toMatchObject([{ one: 1 }]);
    await expect(fruit(pbms)).rejects.toMatchObject({ code: 'PBMS_CALL_ABORTED' });
    await until('the connection is closed', () => proxy.open === 0);
  });
});

describe('a query that cannot succeed', () => {
  test('because it writes is refused, and nothing is written', async () => {
    await expect(ask(open(), `insert into fruit values (3, 'fig')`)).rejects.toMatchObject({
      code: 'PBMS_QUERY_FAILED',
      retryable: false,
      message: 'PBMS refused the query: cannot execute INSERT in a read-only transaction.',
    });
    expect(await owner`select name from fruit order by id`).toEqual(FRUIT);
  });

  test('because a table is missing names the table, and neither the query nor its parameters', async () => {
    const beneficiary = 'BEN-12345';
    const asked = open({ name: 'REGISTRY' }).query((orm) =>
      orm.execute(sql`select secret_column from vegetable where name = ${beneficiary}`),
    );
    await expect(asked).rejects.toMatchObject({
      code: 'REGISTRY_QUERY_FAILED',
      retryable: false,
      message: 'The registry refused the query: relation "vegetable" does not exist.',
    });
  });

  test('because of a missing permission names the table', async () => {
    const role = `reader_${randomBytes(6).toString('hex')}`;
    await owner.unsafe(`create role ${role} login password 'open-sesame'`);
    try {
      const url = new URL(proxy.through(database.url));
      [url.username, url.password] = [role, 'open-sesame'];
      await expect(fruit(open({ url: url.href }))).rejects.toMatchObject({
        code: 'PBMS_QUERY_FAILED',
        message: 'PBMS refused the query: permission denied for table fruit.',
      });
    } finally {
      await owner.unsafe(`drop role ${role}`);
    }
  });

  test('because the database does not exist says so, without the password', async () => {
    const url = new URL(proxy.through(database.url));
    url.pathname = '/nowhere';
    const error = await fruit(open({ url: url.href })).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'PBMS_QUERY_FAILED',
      message: 'PBMS refused the query: database "nowhere" does not exist.',
    });
  });
});

describe('a database that takes too long', () => {
  test('is given up after the time limit, and can be asked again', async () => {
    const pbms = open({ connectionsMax: 1, queryTimeoutMs: 300 });
    const slow = ask(pbms, 'select pg_sleep(30)');
    const took = elapsed(slow);
    await expect(slow).rejects.toMatchObject(UNAVAILABLE);
    expect(await took).toBeLessThan(300 + A_LITTLE_MS);
    expect(await fruit(pbms)).toEqual(FRUIT);
    expect(await running('select pg_sleep(30)%')).toBe(0);
  });

  test('is given up when it does not even say that the time limit has passed', async () => {
    const pbms = open({ connectionsMax: 1, queryTimeoutMs: 300 });
    await fruit(pbms);
    proxy.freeze();
    const took = elapsed(
      expect(fruit(pbms)).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: 'PBMS gave no answer within 300 ms.',
      }),
    );
    expect(await took).toBeLessThan(300 + A_LITTLE_MS);
    expect(await fruit(pbms)).toEqual(FRUIT);
  });

  test('does not keep other calls waiting without an end', async () => {
    const pbms = open({ connectionsMax: 1, queryTimeoutMs: 400 });
    const three = pbms.query(async (orm) => {
      for (let n = 0; n < 3; n += 1) await orm.execute(sql`select pg_sleep(0.3)`);
    });
    await expect(fruit(pbms)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: 'PBMS is busy: no connection was free within 400 ms.',
    });
    await three;
    expect(await fruit(pbms)).toEqual(FRUIT);
  });

  test('is not waited for when nobody wants the answer any more', async () => {
    const pbms = open({ connectionsMax: 1 });
    const abort = new AbortController();
    const slow = ask(pbms, 'select pg_sleep(0.5)', abort.signal);
    await until('the query runs', async () => (await running('select pg_sleep(0.5)%')) === 1);
    abort.abort();
    await expect(slow).rejects.toMatchObject({ code: 'PBMS_CALL_ABORTED', retryable: true });
    expect(await running('select pg_sleep(0.5)%')).toBe(1);
    expect(await fruit(pbms)).toEqual(FRUIT);
    await expect(ask(pbms, 'select 1', abort.signal)).rejects.toMatchObject({ code: 'PBMS_CALL_ABORTED' });
  });
});

describe('a database that cannot be reached', () => {
  const ways: readonly (readonly [string, () => unknown])[] = [
    ['refuses connections', () => proxy.stop()],
    ['takes connections and says nothing', () => proxy.treat('silence')],
    ['takes connections and hangs up', () => proxy.treat('hang-up')],
  ];

  const CALLS = 3;
  test.each(ways)(
    'because it %s is reported soon, every time, and works as soon as it is back',
    async (_, fail) => {
      const pbms = open({ connectTimeoutMs: 300 });
      await fail();
      const before = proxy.taken;
      for (let n = 0; n < CALLS; n += 1) {
        const took = elapsed(expect(fruit(pbms)).rejects.toMatchObject(UNAVAILABLE));
        expect(await took).toBeLessThan(300 + A_LITTLE_MS);
      }
      // One connection for each call: a balancer before a dead server is not flooded.
      expect(proxy.taken - before).toBeLessThanOrEqual(CALLS);
      await proxy.stop();
      proxy.treat('pass');
      await proxy.start();
      expect(await fruit(pbms)).toEqual(FRUIT);
    },
  );

  test('because its host is unknown is reported', async () => {
    const pbms = open({ url: 'postgresql://u:open-sesame@no-such-host.invalid/d' });
    const error = await fruit(pbms).catch((caught: unknown) => caught);
    expect(error).toMatchObject(UNAVAILABLE);
    expect((error as Error).message).not.toContain('open-sesame');
  });

  test('fails all who wait together, not one after the other', async () => {
    proxy.treat('silence');
    const pbms = open({ connectionsMax: 1, connectTimeoutMs: 500 });
    const all = Promise.all(
      Array.from({ length: 50 }, () => expect(fruit(pbms)).rejects.toMatchObject(UNAVAILABLE)),
    );
    expect(await elapsed(all)).toBeLessThan(500 + A_LITTLE_MS);
    await all;
  });
});

describe('a connection that breaks', () => {
  test('during a query fails that query only', async () => {
    const pbms = open();
    const slow = ask(pbms, 'select pg_sleep(30)');
    await until('the query runs', async () => (await running('select pg_sleep(30)%')) > 0);
    const other = open();
    proxy.cut();
    await expect(slow).rejects.toMatchObject(UNAVAILABLE);
    expect(await fruit(pbms)).toEqual(FRUIT);
    expect(await fruit(other)).toEqual(FRUIT);
  });

  test('while nobody uses it is replaced without a word', async () => {
    const pbms = open();
    await fruit(pbms);
    await owner`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'g2p-bridge'`;
    await until('the connection is gone', () => proxy.open === 0);
    expect(await fruit(pbms)).toEqual(FRUIT);
  });

  test('at any byte leaves an error or the answer, and a database that works', async () => {
    const pbms = open({ connectionsMax: 1, connectTimeoutMs: 2_000, queryTimeoutMs: 2_000 });
    const seen = { answered: 0, failed: 0 };
    const anywhere = fc.asyncProperty(fc.integer({ min: 0, max: 1_100 }), async (bytes) => {
      proxy.cut();
      await until('the connection is gone', () => proxy.open === 0);
      proxy.cutAfter(bytes);
      const answer = await pbms
        .query((orm) => orm.execute(sql`select name from fruit where id < ${3} order by id`))
        .catch((error: unknown) => error);
      if (answer instanceof Error) expect(answer).toMatchObject(UNAVAILABLE);
      else expect(answer).toEqual(FRUIT);
      seen[answer instanceof Error ? 'failed' : 'answered'] += 1;
      proxy.cutAfter(null);
      expect(await fruit(pbms)).toEqual(FRUIT);
    });
    await fc.assert(anywhere, { numRuns: 60 });
    expect(seen.answered).toBeGreaterThan(0);
    expect(seen.failed).toBeGreaterThan(0);
  });
});
