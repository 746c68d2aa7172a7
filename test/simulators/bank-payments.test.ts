import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startBank } from '../support/simulators.ts';
import { accountWithBlock, get, keyed, payment, post } from './fixtures.ts';

let database: TestDatabase;
let bank: Simulator;
let block: string;
const account = 'PROGRAM-1';

beforeAll(async () => {
  database = await createDatabase('bank');
  bank = await startBank({ databaseUrl: database.url });
});

afterAll(async () => {
  await bank.stop();
  await database.drop();
});

beforeEach(async () => {
  block = await accountWithBlock(bank.url, account, '1000.00', '100.00');
});

afterEach(async () => {
  await post(bank.url, '/_admin/reset', {});
});

const pay = (list: unknown, key?: string) =>
  post(bank.url, '/initiate_payment', list, key === undefined ? {} : keyed(key));
const ledger = async () => (await get(bank.url, `/_admin/ledger?account=${account}`)).body;
const status = async (key: string) =>
  (await post(bank.url, '/payment_status', { idempotency_key: key })).body;

describe('funds', () => {
  const check = async (total: unknown, currency = 'INR') =>
    (
      await post(bank.url, '/check_funds', {
        account_number: account,
        account_currency: currency,
        total_funds_needed: total,
      })
    ).body;

  it('are sufficient up to the last hundredth that is not blocked', async () => {
    expect(await check('900.00')).toEqual({
      status: 'success',
      account_number: account,
      has_sufficient_funds: true,
      error_message: null,
    });
    expect(await check('900.01')).toMatchObject({ status: 'success', has_sufficient_funds: false });
    expect(await check(900.01)).toMatchObject({ status: 'success', has_sufficient_funds: false });
  });

  it('of an account that does not exist cannot be checked', async () => {
    const answer = await post(bank.url, '/check_funds', {
      account_number: 'NOBODY',
      account_currency: 'INR',
      total_funds_needed: 1,
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'failed', has_sufficient_funds: false, error_message: 'There is no account NOBODY.' },
    });
  });

  it('cannot be blocked beyond what is available, and a block takes them away from the next', async () => {
    const request = { account_number: account, currency: 'INR', amount: '900.00' };
    expect((await post(bank.url, '/block_funds', request)).body).toMatchObject({ status: 'success' });
    expect((await post(bank.url, '/block_funds', { ...request, amount: '0.01' })).body).toEqual({
      status: 'failed',
      block_reference_no: null,
      error_message: 'The available funds are not sufficient.',
    });
    expect(await ledger()).toMatchObject({ balance: '1000.00', blocked: '1000.00', available: '0.00' });
  });
});

describe('a list of payments', () => {
  it('is debited from the account and taken out of its block', async () => {
    const answer = await pay([
      payment(account, block, 'P1'),
      payment(account, block, 'P2', { payment_amount: 4.5 }),
    ]);
    expect(answer).toEqual({ status: 200, body: { status: 'success', error_message: null } });
    expect(await ledger()).toMatchObject({
      balance: '985.00',
      blocked: '85.00',
      available: '900.00',
      debits: 2,
      debited_sum: '15.00',
      duplicate_references: 0,
    });
  });

  it('may be empty', async () => {
    expect((await pay([], 'empty')).body).toMatchObject({ status: 'success' });
    expect(await status('empty')).toEqual({ status: 'accepted', payments: [], error_message: null });
  });

  it.each([
    ['re-uses a reference', 'P1', {}, /reference P1 was paid before/],
    ['names a reference twice', 'P3', {}, /reference P3 is in the list twice/],
    [
      'asks more of the block than it has',
      'P4',
      { payment_amount: '79.01' },
      /has 89\.50 left, less than 89\.51/,
    ],
    ['names no block of the account', 'P4', { funds_blocked_reference_number: 'BLK-0' }, /no block BLK-0/],
    ['names no account', 'P4', { remitting_account: 'NOBODY' }, /no account NOBODY/],
  ])('that %s does nothing at all', async (_name, reference, fields, message) => {
    await pay([payment(account, block, 'P1')]);
    const before = await ledger();
    const answer = await pay(
      [payment(account, block, 'P3'), payment(account, block, reference, fields)],
      'bad',
    );
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'failed', error_message: expect.stringMatching(message) },
    });
    expect(await ledger()).toEqual(before);
    expect(await status('bad')).toMatchObject({ status: 'rejected', payments: [] });
  });

  it('can name a block of another account no more than one that is not there', async () => {
    const other = await accountWithBlock(bank.url, 'PROGRAM-2', '50.00', '50.00');
    const answer = await pay([payment(account, other, 'P1')]);
    expect(answer.body.error_message).toMatch(/There is no block .* on account PROGRAM-1/);
  });

  it('can be paid from several accounts at once, each from its own block', async () => {
    const other = await accountWithBlock(bank.url, 'PROGRAM-2', '50.00', '50.00');
    await pay([payment(account, block, 'P1'), payment('PROGRAM-2', other, 'P1')], 'both');
    expect(await ledger()).toMatchObject({ balance: '989.50', blocked: '89.50' });
    expect((await get(bank.url, '/_admin/ledger?account=PROGRAM-2')).body).toMatchObject({
      balance: '39.50',
    });
    expect((await status('both')).payments).toHaveLength(2);
  });

  it('of ten thousand is taken in one request', async () => {
    const large = await accountWithBlock(bank.url, 'PROGRAM-3', '200000.00', '105000.00');
    const list = Array.from({ length: 10_000 }, (_, index) => payment('PROGRAM-3', large, `L${index}`));
    expect((await pay(list)).body).toMatchObject({ status: 'success' });
    expect((await get(bank.url, '/_admin/ledger?account=PROGRAM-3')).body).toMatchObject({
      debits: 10_000,
      debited_sum: '105000.00',
      balance: '95000.00',
      blocked: '0.00',
    });
  });
});

describe('an idempotency key', () => {
  it('gets the first answer again, however the same body is written', async () => {
    const first = await pay([payment(account, block, 'P1', { payment_amount: '10.50' })], 'k1');
    const reordered = Object.fromEntries(
      Object.entries(payment(account, block, 'P1', { payment_amount: 10.5 })).reverse(),
    );
    expect(await pay(JSON.stringify([reordered], null, 2), 'k1')).toEqual(first);
    expect(await ledger()).toMatchObject({ debits: 1, balance: '989.50' });
    expect(await status('k1')).toEqual({
      status: 'accepted',
      payments: [{ payment_reference_number: 'P1', status: 'paid' }],
      error_message: null,
    });
  });

  it('is refused with 409 for another body or another path, and nothing happens', async () => {
    await pay([payment(account, block, 'P1')], 'k1');
    const before = await ledger();
    expect((await pay([payment(account, block, 'P2')], 'k1')).status).toBe(409);
    const blocking = { account_number: account, currency: 'INR', amount: '1.00' };
    expect((await post(bank.url, '/block_funds', blocking, keyed('k1'))).status).toBe(409);
    expect(await ledger()).toEqual(before);
  });

  it('remembers a refusal, even when the same request would now be accepted', async () => {
    const list = [payment(account, block, 'P1', { payment_amount: '100.01' })];
    const first = await pay(list, 'k1');
    expect(first.body.status).toBe('failed');
    const wrongCurrency = [payment(account, block, 'P2', { remitting_account_currency: 'USD' })];
    expect((await pay(wrongCurrency, 'k2')).status).toBe(400);
    expect((await pay(wrongCurrency, 'k2')).status).toBe(400);
    expect(await pay(list, 'k1')).toEqual(first);
    expect(await status('k1')).toMatchObject({ status: 'rejected', error_message: first.body.error_message });
    expect(await status('k2')).toMatchObject({ status: 'rejected' });
  });

  it('that the bank has never seen is unknown', async () => {
    expect(await status('never')).toEqual({ status: 'unknown', payments: [], error_message: null });
  });

  it('acts once for requests that come at the same time', async () => {
    const blocking = { account_number: account, currency: 'INR', amount: '5.00' };
    const blocks = await Promise.all(
      Array.from({ length: 12 }, () => post(bank.url, '/block_funds', blocking, keyed('b'))),
    );
    expect(new Set(blocks.map((answer) => answer.body.block_reference_no)).size).toBe(1);
    const list = Array.from({ length: 9 }, (_, index) => payment(account, block, `P${index}`));
    const payments = await Promise.all(Array.from({ length: 12 }, () => pay(list, 'p')));
    expect(payments.every((answer) => answer.body.status === 'success')).toBe(true);
    expect(await ledger()).toMatchObject({
      debits: 9,
      debited_sum: '94.50',
      blocked: '10.50',
      balance: '905.50',
    });
  });

  it('keeps different keys with the same payments from paying twice', async () => {
    const list = [payment(account, block, 'P1')];
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => pay(list, `k${index}`)));
    expect(answers.filter((answer) => answer.body.status === 'success')).toHaveLength(1);
    expect(await ledger()).toMatchObject({ debits: 1, balance: '989.50' });
  });
});

describe('after the bank was killed', () => {
  it('a key whose answer was lost gets the first answer, and the money moved once', async () => {
    const blocking = { account_number: account, currency: 'INR', amount: '5.00' };
    const list = [payment(account, block, 'P1')];
    const blocked = await post(bank.url, '/block_funds', blocking, keyed('b'));
    await post(bank.url, '/_control', {
      faults: [{ path: '/initiate_payment', kind: 'drop_after', count: 1 }],
    });
    await expect(pay(list, 'p')).rejects.toThrow();
    await bank.kill();
    bank = await startBank({ databaseUrl: database.url });

    expect(await post(bank.url, '/block_funds', blocking, keyed('b'))).toEqual(blocked);
    expect(await status('p')).toMatchObject({ status: 'accepted' });
    expect((await pay(list, 'p')).body).toMatchObject({ status: 'success' });
    expect((await pay([payment(account, block, 'P9')], 'p')).status).toBe(409);
    expect(await ledger()).toMatchObject({ debits: 1, balance: '989.50', blocked: '94.50' });
  });

  it('in the middle of many requests, sending them all again pays each once', async () => {
    const large = await accountWithBlock(bank.url, 'PROGRAM-3', '20000.00', '10500.00');
    const lists = Array.from({ length: 20 }, (_, list) =>
      Array.from({ length: 50 }, (_, index) => payment('PROGRAM-3', large, `L${list}-${index}`)),
    );
    for (const answersUntilKill of [1, 3, 7]) {
      let answered = 0;
      let killing: Promise<void> | undefined;
      await Promise.allSettled(
        lists.map(async (list, index) => {
          await pay(list, `list-${index}`);
          answered += 1;
          if (answered === answersUntilKill) killing = bank.kill();
        }),
      );
      await killing;
      bank = await startBank({ databaseUrl: database.url });
    }
    const answers = await Promise.all(lists.map((list, index) => pay(list, `list-${index}`)));
    expect(answers.every((answer) => answer.body.status === 'success')).toBe(true);
    expect((await get(bank.url, '/_admin/ledger?account=PROGRAM-3')).body).toMatchObject({
      debits: 1_000,
      debited_sum: '10500.00',
      duplicate_references: 0,
      balance: '9500.00',
      blocked: '0.00',
    });
  });
});
