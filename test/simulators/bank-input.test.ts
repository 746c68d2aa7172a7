import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startBank } from '../support/simulators.ts';
import { accountWithBlock, get, keyed, payment, post } from './fixtures.ts';

/**
 * Announces a body and sends none of it: who writes on while the answer comes may find the connection closed first.
 *
 * @returns the status of the answer
 */
async function announce(path: string, bodyBytes: number): Promise<number | undefined> {
  const headers = { 'content-type': 'application/json', 'content-length': bodyBytes };
  const sent = request(`${bank.url}${path}`, { method: 'POST', headers });
  sent.flushHeaders();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  sent.on('error', () => {}).destroy();
  return answer.statusCode;
}

let database: TestDatabase;
let bank: Simulator;
let block: string;
const account = 'PROGRAM-1';

beforeAll(async () => {
  database = await createDatabase('bank');
  bank = await startBank({ databaseUrl: database.url });
  block = await accountWithBlock(bank.url, account, '999999999999.99', '1000.00');
});

afterAll(async () => {
  expect((await get(bank.url, `/_admin/ledger?account=${account}`)).body).toMatchObject({ debits: 0 });
  await bank.stop();
  await database.drop();
});

const check = { account_number: account, account_currency: 'INR', total_funds_needed: '1.00' };

describe('a request that is not as it should be', () => {
  it.each([
    ['/check_funds', { ...check, extra: 1 }, 'extra: is an unknown field'],
    ['/check_funds', { ...check, account_number: 12 }, 'account_number: '],
    ['/check_funds', { account_number: account, account_currency: 'INR' }, 'total_funds_needed: '],
    [
      '/check_funds',
      { ...check, account_currency: 'rupees' },
      'account_currency: must be three capital letters',
    ],
    [
      '/check_funds',
      { ...check, account_currency: 'USD' },
      'account_currency: account PROGRAM-1 is not held in USD',
    ],
    ['/check_funds', [check], 'body: '],
    ['/check_funds', 'null', 'body: '],
    ['/block_funds', { account_number: account, currency: 'INR', amount: -1 }, 'amount: must be a decimal'],
    ['/block_funds', { account_number: account, currency: 'USD', amount: 1 }, 'currency: '],
    ['/initiate_payment', { payments: [] }, 'body: must be a list'],
    ['/payment_status', { idempotency_key: '' }, 'idempotency_key: '],
    ['/generate_account_statement', {}, 'program_account_number: '],
    ['/_admin/accounts', [{ account_number: account, currency: 'USD', balance: 1 }], '[0].currency: '],
    [
      '/_admin/accounts',
      [{ account_number: account, currency: 'INR', balance: 1 }],
      '[0].balance: is less than',
    ],
    [
      '/_control',
      { faults: [{ path: '/nowhere', kind: 'delay' }] },
      'faults[0].path: must be * or one of /ping',
    ],
    ['/_control', { faults: [{ path: '*', kind: 'explode' }] }, 'faults[0].kind: '],
    ['/_control', { reversals: { bank_code: 'X', chance: 1 } }, 'reversals.chance: is an unknown field'],
  ])('to %s is answered 400 with the field: %j', async (path, body, problem) => {
    const answer = await post(bank.url, path, body);
    expect(answer.status).toBe(400);
    expect(answer.body.status).toBe('failed');
    expect(String(answer.body.error_message).slice(0, problem.length)).toBe(problem);
  });

  it.each([
    [{ payment_amount: '-5' }, '[1].payment_amount: must be a decimal'],
    [{ payment_amount: '1,5' }, '[1].payment_amount: must be a decimal'],
    [{ payment_amount: '1.005' }, '[1].payment_amount: must be a decimal'],
    [{ payment_amount: true }, '[1].payment_amount: must be a decimal'],
    [{ payment_amount: 1e21 }, '[1].payment_amount: must be a decimal'],
    [{ payment_amount: 0 }, '[1].payment_amount: must be more than 0'],
    [{ remitting_account_currency: 'USD' }, '[1].remitting_account_currency: '],
    [{ payment_date: '2025-02-30' }, '[1].payment_date: must be a date'],
    [{ narrative_7: 'x' }, '[1].narrative_7: is an unknown field'],
    [{ beneficiary_account: null }, '[1].beneficiary_account: must be given'],
    [{ payment_reference_number: '' }, '[1].payment_reference_number: '],
    [{ narrative_1: 'a\0b' }, 'body: holds the character U+0000'],
    [{ narrative_1: '\ud800' }, 'body: holds the character U+0000 or half'],
  ])(
    'in a list of payments, for %j, is answered 400 with index and field, and nothing is paid',
    async (fields, problem) => {
      const list = [payment(account, block, 'OK'), payment(account, block, 'P1', fields)];
      const answer = await post(bank.url, '/initiate_payment', list);
      expect(answer.status).toBe(400);
      expect(String(answer.body.error_message).slice(0, problem.length)).toBe(problem);
    },
  );

  it('because it is not JSON, too large, or nowhere to go, is told so', async () => {
    expect(await post(bank.url, '/check_funds', '{"account')).toEqual({
      status: 400,
      body: { status: 'failed', error_message: 'body: is not JSON' },
    });
    expect((await post(bank.url, '/nowhere', {})).status).toBe(404);
    expect((await post(bank.url, '/check_funds', {}, { 'content-type': 'text/xml' })).status).toBe(415);
    expect(await announce('/check_funds', 64 * 1024 * 1024 + 2)).toBe(413);
  });

  it('in its idempotency key is told so', async () => {
    const answer = await post(bank.url, '/initiate_payment', [], keyed('two words'));
    expect(answer.body.error_message).toBe('Idempotency-Key: must be 1 to 200 printable characters');
  });
});

describe('an amount', () => {
  const isAvailable = async (amount: string) => {
    const body = JSON.stringify({ ...check, total_funds_needed: '@' }).replace('"@"', amount);
    return await post(bank.url, '/check_funds', body);
  };
  // 999999999999.99 less the block of 1000.00
  const available = 99_999_999_899_999n;

  it('written as a JSON number or a string is compared to the hundredth', async () => {
    const hundredths = fc.oneof(
      fc.bigInt({ min: 0n, max: 99_999_999_999_999n }),
      fc.bigInt({ min: available - 5n, max: available + 5n }),
    );
    await fc.assert(
      fc.asyncProperty(
        hundredths,
        fc.boolean(),
        fc.integer({ min: 0, max: 8 }),
        async (value, quoted, zeros) => {
          const digits = value.toString().padStart(3, '0');
          const text = `${digits.slice(0, -2)}.${digits.slice(-2)}${'0'.repeat(zeros)}`;
          const answer = await isAvailable(quoted ? `"${text}"` : text);
          expect(answer).toMatchObject({ status: 200, body: { has_sufficient_funds: value <= available } });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('with more digits than a double keeps is refused rather than rounded', async () => {
    for (const amount of [
      '1.0000000000000001',
      '0.99999999999999999',
      '12345678901234567',
      '1234567890.1200000001',
    ]) {
      expect(await isAvailable(amount)).toMatchObject({
        status: 400,
        body: { error_message: expect.stringMatching(/^total_funds_needed: must be a decimal/) },
      });
    }
  });
});

describe('the balance by telephone', () => {
  const ussd = async (fields: Record<string, string>) => {
    const response = await fetch(`${bank.url}/ussd`, {
      method: 'POST',
      body: new URLSearchParams({
        sessionId: 's1',
        serviceCode: '*123#',
        phoneNumber: '+25570000001',
        networkCode: '63902',
        text: '',
        ...fields,
      }),
    });
    return { status: response.status, text: await response.text() };
  };

  it('is shown after a menu, for the accounts of that number', async () => {
    await post(bank.url, '/_admin/accounts', [
      { account_number: 'PRIVATE-0042', currency: 'INR', balance: '12.30', phone: '+25570000001' },
    ]);
    expect((await ussd({})).text).toMatch(/^CON .*\n1\. Balance/);
    expect(await ussd({ text: '1' })).toEqual({ status: 200, text: 'END Account ..0042: INR 12.30' });
    expect((await ussd({ text: '9' })).text).toBe('END There is no such choice.');
    expect((await ussd({ text: '1', phoneNumber: '+25570000002' })).text).toBe(
      'END No account is registered for this number.',
    );
  });

  it('is not shown to a request with a field that is unknown or wrong', async () => {
    expect((await ussd({ pin: '1' })).status).toBe(400);
    expect((await ussd({ phoneNumber: 'me' })).text).toContain('phoneNumber: must be a telephone number');
  });
});
