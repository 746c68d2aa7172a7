import pino from 'pino';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startServer } from '../../src/main.ts';
import { administer } from '../support/database.ts';
import { createPreparedDatabase } from '../support/prepared-database.ts';
import { until } from '../support/wait.ts';

const nameOf = (url: string) => new URL(url).pathname.slice(1);

it('a process does nothing on a database that was put in the place of its own, and ends', async () => {
  const [own, restored] = [await createPreparedDatabase('own'), await createPreparedDatabase('restored')];
  const config = loadConfig({
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE: own.url,
    G2P_BRIDGE_ROLE: 'worker',
    G2P_BRIDGE_PORT: '0',
  });
  const server = await startServer(config, pino({ level: 'silent' }));
  try {
    await administer(new URL('/postgres', own.url).href, async (sql) => {
      await sql`drop database ${sql(nameOf(own.url))} with (force)`;
      await sql`alter database ${sql(nameOf(restored.url))} rename to ${sql(nameOf(own.url))}`;
    });
    await until('it notices', () => server.replaced.aborted);
    expect(server.replaced.reason).toMatchObject({ code: 'DATABASE_REPLACED' });
    await expect(server.system.transact(async () => {})).rejects.toMatchObject({ code: 'DATABASE_REPLACED' });
    await administer(own.url, async (sql) => {
      expect(await sql`select number from actor_processes`).toHaveLength(0);
    });
  } finally {
    await server.stop();
    await own.drop();
  }
});
