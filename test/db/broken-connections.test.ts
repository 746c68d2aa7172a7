import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Database } from '../../src/db/connection.ts';
import { administer, createDatabase, type TestDatabase } from '../support/database.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/wait.ts';

const CONNECTIONS = 4;
const ROUNDS = 8;

let own: TestDatabase;
let proxy: TcpProxy;
let database: Database;
beforeAll(async () => {
  own = await createDatabase('broken_connections');
  proxy = await startTcpProxy(own.url);
  database = connect(proxy.through(own.url), { max: CONNECTIONS, applicationName: 'broken connections' });
});
afterAll(async () => {
  await database.close();
  await proxy.close();
  await own.drop();
});

const ends = {
  reset: async () => proxy.cut(),
  'ended by the server': () =>
    administer(
      own.url,
      (sql) => sql`
        select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'broken connections'`,
    ),
};

/** Sends one query after the other, whatever becomes of them. @returns how many failed */
async function sendOnAndOn(queries: number): Promise<number> {
  let failed = 0;
  for (let n = 0; n < queries; n++) await database.sql`select ${n}::int`.catch(() => void failed++);
  return failed;
}

it.each(Object.entries(ends))(
  'every query has an end and the pool goes on when connections are %s',
  async (_, end) => {
    let failed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await sendOnAndOn(1);
      const sending = Array.from({ length: 2 * CONNECTIONS }, () => sendOnAndOn(20));
      await end();
      for (const count of await Promise.all(sending)) failed += count;
    }
    expect(failed).toBeGreaterThan(0);
    await until('all connections work', async () => {
      const all = Array.from({ length: CONNECTIONS }, () => database.sql`select pg_sleep(0.2)`);
      return (await Promise.allSettled(all)).every(({ status }) => status === 'fulfilled');
    });
  },
);

it.each(Object.entries(ends))(
  'a transaction fails, and nothing else, when its connection is %s',
  async (_, end) => {
    const transaction = database.sql.begin(async (tx) => {
      await tx`select 1`;
      const taken = proxy.open;
      await end();
      while (proxy.open === taken) await new Promise((resolve) => setImmediate(resolve));
      // The driver has heard of it, too.
      await setTimeout(20);
      await tx`select 1`;
    });
    await expect(transaction).rejects.toThrow();
    await sendOnAndOn(CONNECTIONS);
    expect(await database.sql`select 1 as one`).toHaveLength(1);
  },
);

describe('on one connection', () => {
  let one: Database;
  beforeAll(() => {
    one = connect(proxy.through(own.url), { max: 1 });
  });
  afterAll(() => one.close());
  const answer = async () => [...(await one.sql`select 42 as n`)];
  /** The first answer on the connection that is made anew. */
  const answerAnew = async () => {
    let rows: unknown[] | null = null;
    await until('the pool answers', async () => {
      rows = await answer().catch(() => null);
      return rows !== null;
    });
    return rows;
  };

  it('what follows a query that failed amid its rows has its own rows only', async () => {
    await expect(one.sql`select 1 / (5 - n) from generate_series(1, 10) n`).rejects.toThrow(
      'division by zero',
    );
    expect(await answer()).toEqual([{ n: 42 }]);
  });

  it('so has what follows one whose connection broke amid its rows', async () => {
    await answer();
    const many = one.sql`select n, pg_sleep(n / 300 * 0.01) from generate_series(1, 1000) n`;
    const failed = expect(many).rejects.toThrow();
    await setTimeout(200);
    proxy.cut();
    await failed;
    expect(await answerAnew()).toEqual([{ n: 42 }]);
  });

  it('what follows one that the server has ended with its connection gets no error of that', async () => {
    const [row] = await one.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const ended = expect(one.sql`select pg_sleep(60)`).rejects.toThrow();
    await setTimeout(100);
    await administer(own.url, (sql) => sql`select pg_terminate_backend(${row?.pid ?? 0})`);
    await ended;
    expect(await answerAnew()).toEqual([{ n: 42 }]);
  });

  it('a COPY that the server refuses has an end', async () => {
    await one.sql`create temporary table numbers (n int)`;
    const copy = await one.sql`copy numbers from stdin`.writable();
    await expect(pipeline(Readable.from(['no number\n']), copy)).rejects.toThrow('invalid input syntax');
    expect(await answer()).toEqual([{ n: 42 }]);
  });

  it('a server that takes connections and ends them is an error, and asked once', async () => {
    await answer();
    proxy.treat('hang-up');
    proxy.cut();
    const before = proxy.taken;
    while (proxy.taken === before) await expect(answer()).rejects.toThrow();
    expect(proxy.taken).toBe(before + 1);
    proxy.treat('pass');
    expect(await answerAnew()).toEqual([{ n: 42 }]);
  });
});
