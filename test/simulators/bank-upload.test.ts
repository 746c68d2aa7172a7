import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type BankOptions, type Simulator, startBank } from '../support/simulators.ts';
import {
  accountWithBlock,
  get,
  payment,
  post,
  readStatement,
  type StatementReceiver,
  startReceiver,
} from './fixtures.ts';

const account = 'PROGRAM-1';

let database: TestDatabase;
let receiver: StatementReceiver;
let bank: Simulator;

beforeEach(async () => {
  database = await createDatabase('bank');
  receiver = await startReceiver();
});

afterEach(async () => {
  await bank.stop();
  await receiver.close();
  await database.drop();
});

async function start(options: Partial<BankOptions> = {}): Promise<string> {
  bank = await startBank({ databaseUrl: database.url, statementUploadUrl: receiver.url, ...options });
  return await accountWithBlock(bank.url, account, '1000.00', '900.00');
}

const generate = () => post(bank.url, '/generate_account_statement', { program_account_number: account });
const statements = (count: number) =>
  vi.waitFor(() => {
    expect(receiver.statements).toHaveLength(count);
    return receiver.statements.map(readStatement);
  }, 10_000);
const returning = (reversals: object) => post(bank.url, '/_control', { reversals });

async function busyConnections(): Promise<number> {
  const sql = postgres(database.url, { max: 1 });
  const [row] = await sql<{ busy: number }[]>`
    select count(*)::integer as busy from pg_stat_activity
    where datname = current_database() and application_name = 'bank-simulator' and state <> 'idle'`;
  await sql.end();
  return row?.busy ?? 0;
}

/** Ends the bank's connections as a restart of the database would. */
async function cutConnections(): Promise<void> {
  const sql = postgres(database.url, { max: 1 });
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'bank-simulator'`;
  await sql.end();
}

describe('the upload', () => {
  it('is repeated until it is answered 2xx, in the order of the statements', async () => {
    const block = await start({ statementUploadToken: 'secret' });
    receiver.status = 503;
    await post(bank.url, '/initiate_payment', [payment(account, block, 'P1')]);
    await generate();
    await vi.waitFor(() => expect(receiver.uploads.length).toBeGreaterThan(1), 10_000);
    await generate();
    receiver.status = 200;
    const made = await statements(2);
    expect(made.map(({ number }) => number)).toEqual(['1', '2']);
    expect(new Set(receiver.uploads.map((upload) => upload.authorization))).toEqual(
      new Set(['Bearer secret']),
    );
    await vi.waitFor(async () => {
      const kept = await get(bank.url, `/_admin/statements?account=${account}`);
      expect(kept.body).toMatchObject([
        { uploaded_at: expect.any(String) },
        { uploaded_at: expect.any(String) },
      ]);
    });
    expect(bank.stderr()).toContain('A statement could not be uploaded');
  });

  it('is repeated when it breaks off in the middle, and leaves no connection to the database busy', async () => {
    const block = await start();
    const many = Array.from({ length: 5_000 }, (_, index) =>
      payment(account, block, `P${index}`, { payment_amount: '0.01' }),
    );
    await post(bank.url, '/initiate_payment', many);
    receiver.hangUps = 3;
    await generate();
    const [statement] = await statements(1);
    expect(statement).toMatchObject({ opening: '1000,00', closing: '950,00' });
    expect(new Set(statement?.entries.map(({ customerReference }) => customerReference)).size).toBe(5_000);
    await vi.waitFor(async () => expect(await busyConnections()).toBe(0), 5_000);
  });

  it('goes on when the database cuts all connections in the middle', async () => {
    const block = await start();
    const many = Array.from({ length: 2_000 }, (_, index) =>
      payment(account, block, `P${index}`, { payment_amount: '0.01' }),
    );
    await post(bank.url, '/initiate_payment', many);
    receiver.status = 503;
    await generate();
    await vi.waitFor(() => expect(receiver.uploads.length).toBeGreaterThan(0));
    await cutConnections();
    receiver.status = 200;
    const [statement] = await statements(1);
    expect(statement?.entries).toHaveLength(2_000);
    expect((await generate()).body.status).toBe('success');
    expect(await statements(2)).toMatchObject([{ number: '1' }, { number: '2' }]);
  });

  it('is resumed by the next process when the bank was killed before it', async () => {
    receiver.status = 503;
    const block = await start();
    await post(bank.url, '/initiate_payment', [payment(account, block, 'P1')]);
    await generate();
    await bank.kill();
    receiver.status = 200;
    bank = await startBank({ databaseUrl: database.url, statementUploadUrl: receiver.url });
    const [statement] = await statements(1);
    expect(statement?.entries).toHaveLength(1);
  });
});

describe('statements by themselves', () => {
  it('come when the account has rested, returns in the one after', async () => {
    const block = await start({ autoStatementMs: 100 });
    await returning({ bank_code: 'FAR-BANK', count: 1 });
    await post(bank.url, '/initiate_payment', [payment(account, block, 'P1'), payment(account, block, 'P2')]);
    const made = await statements(2);
    expect(made.map(({ entries }) => entries.map(({ mark }) => mark))).toEqual([['D', 'D'], ['RD']]);
  });

  it('come for what a killed process left unreported', async () => {
    const block = await start({ autoStatementMs: 60_000 });
    await post(bank.url, '/initiate_payment', [payment(account, block, 'P1')]);
    await bank.kill();
    expect(receiver.uploads).toEqual([]);
    bank = await startBank({
      databaseUrl: database.url,
      statementUploadUrl: receiver.url,
      autoStatementMs: 50,
    });
    const [statement] = await statements(1);
    expect(statement?.entries).toHaveLength(1);
  });
});
