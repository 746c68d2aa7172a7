import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { startBank, startSpar } from '../support/simulators.ts';
import { post } from './fixtures.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase('simulators');
});

afterAll(() => database.drop());

describe('a simulator', () => {
  it('stops cleanly when asked, finishing the request under way', async () => {
    const bank = await startBank({ databaseUrl: database.url });
    await post(bank.url, '/_admin/accounts', [{ account_number: 'A', currency: 'INR', balance: 1 }]);
    await post(bank.url, '/_control', { faults: [{ path: '/check_funds', kind: 'delay', delay_ms: 500 }] });
    const answer = post(bank.url, '/check_funds', {
      account_number: 'A',
      account_currency: 'INR',
      total_funds_needed: 1,
    });
    await expect.poll(async () => (await fetch(`${bank.url}/_admin/stats`)).text()).toContain('"fired":1');
    const stopped = bank.stop();
    expect((await answer).body.status).toBe('success');
    expect(await stopped).toBe(0);
    expect(bank.stderr()).toBe('');
  });

  it('can start beside another on the same empty database', async () => {
    const fresh = await createDatabase('simulators');
    const both = await Promise.all([
      startSpar({ databaseUrl: fresh.url }),
      startSpar({ databaseUrl: fresh.url }),
    ]);
    for (const spar of both) expect((await fetch(`${spar.url}/ping`)).status).toBe(200);
    for (const spar of both) expect(await spar.stop()).toBe(0);
    await fresh.drop();
  });

  it('does not start without its database, or with an option that is wrong, and says why', async () => {
    const nowhere = new URL(database.url);
    nowhere.pathname = '/not_there';
    await expect(startSpar({ databaseUrl: nowhere.href })).rejects.toThrow(
      /database "not_there" does not exist/,
    );
    await expect(startBank({ databaseUrl: database.url, port: 70_000 })).rejects.toThrow(
      /'--port <port>' argument '70000' is invalid. Must be a whole number from 0 to 65535/,
    );
  });
});
