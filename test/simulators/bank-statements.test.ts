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
const uuid = '01920000-0000-7000-8000-000000000001';

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

describe('a statement', () => {
  it('reports each payment with its references, its narratives in order, and exact balances', async () => {
    const block = await start();
    await post(bank.url, '/initiate_payment', [
      payment(account, block, uuid),
      payment(account, block, 'P2', {
        payment_amount: 4,
        narrative_2: null,
        narrative_4: ':x\ny',
        narrative_6: 'six',
      }),
    ]);
    const answer = await generate();
    expect(answer.body).toEqual({
      status: 'success',
      account_statement_id: 'STMT0000000001',
      error_message: null,
    });
    const [statement] = await statements(1);
    expect(statement).toEqual({
      account,
      number: '1',
      opening: '1000,00',
      closing: '985,50',
      entries: [
        {
          mark: 'D',
          amount: '10,50',
          customerReference: '01920000-0000-70',
          bankReference: 'EB000000000001',
          narrative: ['Seed support', 'PROG', '2025-01', `BEN-${uuid}`, uuid],
        },
        {
          mark: 'D',
          amount: '4,00',
          customerReference: 'P2',
          bankReference: 'EB000000000002',
          narrative: ['Seed support', '', '2025-01', '.x y', 'P2', 'six'],
        },
      ],
    });
    expect(receiver.statements[0]).toMatch(/^:20:STMT0000000001\r\n/);
    expect(receiver.uploads[0]).toMatchObject({ fileName: 'STMT0000000001.mt940', authorization: undefined });
  });

  it('goes on where the one before it ended, and may have no entries', async () => {
    const block = await start();
    await post(bank.url, '/initiate_payment', [payment(account, block, 'P1')]);
    await generate();
    await post(bank.url, '/initiate_payment', [payment(account, block, 'P2')]);
    await post(bank.url, '/_admin/accounts', [
      { account_number: account, currency: 'INR', balance: '1500.00' },
    ]);
    await generate();
    await generate();
    const made = await statements(3);
    expect(made.map(({ number, opening, closing }) => [number, opening, closing])).toEqual([
      ['1', '1000,00', '989,50'],
      ['2', '989,50', '1500,00'],
      ['3', '1500,00', '1500,00'],
    ]);
    expect(made[1]?.entries.map(({ mark, amount }) => [mark, amount])).toEqual([
      ['D', '10,50'],
      ['C', '521,00'],
    ]);
    expect(made[2]?.entries).toEqual([]);
  });

  it('of an account that does not exist is refused', async () => {
    await start();
    const answer = await post(bank.url, '/generate_account_statement', { program_account_number: 'NOBODY' });
    expect(answer.body).toMatchObject({ status: 'failed', account_statement_id: null });
  });

  it('asked for by many at once reports every movement once', async () => {
    const block = await start();
    await post(
      bank.url,
      '/initiate_payment',
      Array.from({ length: 50 }, (_, index) => payment(account, block, `P${index}`)),
    );
    await Promise.all(Array.from({ length: 8 }, generate));
    const made = await statements(8);
    expect(made.flatMap(({ entries }) => entries)).toHaveLength(50);
    expect(made.map(({ number }) => Number(number))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is cut into several when it has more entries than one may have', async () => {
    const block = await start({ statementEntriesMax: 2 });
    await post(
      bank.url,
      '/initiate_payment',
      Array.from({ length: 5 }, (_, index) => payment(account, block, `P${index}`)),
    );
    await generate();
    const made = await statements(3);
    expect(
      made.map(({ number, opening, closing, entries }) => [number, opening, closing, entries.length]),
    ).toEqual([
      ['1', '1000,00', '979,00', 2],
      ['2', '979,00', '958,00', 2],
      ['3', '958,00', '947,50', 1],
    ]);
    expect((await get(bank.url, `/_admin/statements?account=${account}`)).body).toMatchObject([
      { account_statement_id: 'STMT0000000001', debits: 2, debited_sum: '21.00', upload_attempts: 1 },
      { account_statement_id: 'STMT0000000002', debits: 2 },
      { account_statement_id: 'STMT0000000003', debits: 1, debited_sum: '10.50' },
    ]);
  });
});

describe('a payment that a foreign bank sends back', () => {
  it('is debited in one statement and reversed in the next, the reason being its last line', async () => {
    const block = await start();
    await returning({ bank_code: 'FAR-BANK', reason: 'ACCOUNT CLOSED' });
    await post(bank.url, '/initiate_payment', [
      payment(account, block, uuid),
      payment(account, block, 'NEAR', { beneficiary_bank_code: 'EXAMPLE-BANK' }),
      payment(account, block, 'OTHER', { beneficiary_bank_code: 'OTHER-BANK' }),
    ]);
    await generate();
    await generate();
    const [first, second] = await statements(2);
    expect(first?.entries.map(({ mark }) => mark)).toEqual(['D', 'D', 'D']);
    expect(second).toMatchObject({ opening: '968,50', closing: '979,00' });
    expect(second?.entries).toEqual([
      {
        mark: 'RD',
        amount: '10,50',
        customerReference: '01920000-0000-70',
        bankReference: 'EB000000000004',
        narrative: ['Seed support', 'PROG', '2025-01', `BEN-${uuid}`, uuid, 'ACCOUNT CLOSED'],
      },
    ]);
    expect((await get(bank.url, `/_admin/ledger?account=${account}`)).body).toMatchObject({
      balance: '979.00',
      debits: 3,
      debited_sum: '31.50',
      reversed: 1,
      reversed_sum: '10.50',
      duplicate_references: 0,
    });
  });

  it('with few narratives has its reason on no line that is read as its id', async () => {
    const block = await start();
    await returning({ bank_code: '*', reason: 'NO SUCH ACCOUNT' });
    const none = { narrative_3: null, narrative_4: null, narrative_5: null };
    await post(bank.url, '/initiate_payment', [
      payment(account, block, 'TWO', none),
      payment(account, block, 'FOUR', { narrative_5: null }),
      payment(account, block, 'NO', { ...none, narrative_1: null, narrative_2: null }),
    ]);
    await generate();
    await generate();
    const [, second] = await statements(2);
    expect(second?.entries.map(({ narrative }) => narrative)).toEqual([
      ['Seed support', 'PROG', 'NO SUCH ACCOUNT'],
      ['Seed support', 'PROG', '2025-01', 'NO SUCH ACCOUNT'],
      ['NO SUCH ACCOUNT'],
    ]);
  });

  it('is chosen as often as was asked, and stays chosen when the bank is killed', async () => {
    const block = await start();
    await returning({ bank_code: 'FAR-BANK', count: 2 });
    const list = Array.from({ length: 6 }, (_, index) => payment(account, block, `P${index}`));
    await post(bank.url, '/initiate_payment', list, { 'Idempotency-Key': 'k' });
    expect((await get(bank.url, '/_control')).body.reversals).toMatchObject({ fired: 2 });
    await bank.kill();
    bank = await startBank({ databaseUrl: database.url, statementUploadUrl: receiver.url });
    await generate();
    await generate();
    const [, second] = await statements(2);
    expect(second?.entries.map(({ customerReference }) => customerReference)).toEqual(['P0', 'P1']);
    const known = await post(bank.url, '/payment_status', { idempotency_key: 'k' });
    const returned = (known.body.payments as { status: string }[]).map(({ status }) => status);
    expect(returned).toEqual(['returned', 'returned', 'paid', 'paid', 'paid', 'paid']);
  });
});
