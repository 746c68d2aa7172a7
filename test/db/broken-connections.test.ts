import { afterAll, beforeAll, expect, it } from 'vitest';
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
      await new Promise((resolve) => setTimeout(resolve, 20));
      await tx`select 1`;
    });
    await expect(transaction).rejects.toThrow();
    await sendOnAndOn(CONNECTIONS);
    expect(await database.sql`select 1 as one`).toHaveLength(1);
  },
);
