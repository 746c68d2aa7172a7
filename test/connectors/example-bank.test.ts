import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type {
  BankConnector,
  BankConnectorSettings,
  Payment,
} from '../../src/connectors/bank/bank-connector.ts';
import { createBankConnector } from '../../src/connectors/bank/example-bank.ts';
import { json, startHttpServer, startSocketServer, type TestServer, unusedUrl } from './http-servers.ts';

const CTX = { signal: new AbortController().signal };
const ACCOUNT = { accountNumber: '4021337001', accountType: 'CURRENT', branchCode: 'B1', currency: 'USD' };
const BLOCK = { ...ACCOUNT, amount: '1250.50', idempotencyKey: 'block-1' };
const PAYMENT: Payment = {
  paymentReferenceNumber: '0192f0c1-7b7c-7d2e-9c5f-3a1b2c3d4e5f',
  remittingAccount: ACCOUNT.accountNumber,
  remittingAccountCurrency: 'USD',
  paymentAmount: '12.50',
  fundsBlockedReferenceNumber: 'BLK-1',
  beneficiaryName: 'Asha',
  beneficiaryAccount: '998877',
  beneficiaryAccountCurrency: 'USD',
  beneficiaryAccountType: 'BANK_ACCOUNT',
  beneficiaryBankCode: 'EXAMPLE-BANK',
  beneficiaryBranchCode: 'B7',
  beneficiaryMobileWalletProvider: null,
  beneficiaryPhoneNo: null,
  beneficiaryEmail: null,
  beneficiaryEmailWalletProvider: null,
  narratives: ['Stipend', 'PROG', 'CYCLE-1', 'BEN-1', '0192f0c1-7b7c-7d2e-9c5f-3a1b2c3d4e5f'],
  paymentDate: '2025-01-31',
};
const PAYMENTS = { idempotencyKey: 'batch-1', payments: [PAYMENT] };

const opened: { close?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close?.();
});

function bankAt(apiUrl: string, limits: Partial<BankConnectorSettings> = {}): BankConnector {
  const bank = createBankConnector({
    bankCode: 'EXAMPLE-BANK',
    apiUrl,
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 10_000,
    responseBytesMax: 10_000,
    connectionsMax: 4,
    options: {},
    ...limits,
  });
  opened.push(bank);
  return bank;
}

/** A bank that gives every request this answer. */
async function answering(
  status: number,
  body: unknown,
): Promise<{ server: TestServer; bank: BankConnector }> {
  const server = await startHttpServer((_, response) => json(response, status, body));
  opened.push(server);
  return { server, bank: bankAt(server.url) };
}

async function talking(talk: Parameters<typeof startSocketServer>[0]): Promise<BankConnector> {
  const server = await startSocketServer(talk);
  opened.push(server);
  return bankAt(server.url);
}

function sentBody(server: TestServer): unknown {
  return JSON.parse(server.received[0]?.body ?? '');
}

describe('initiating payments', () => {
  test('sends every field of the payment under its wire name, with the idempotency key', async () => {
    const { server, bank } = await answering(200, { status: 'success', error_message: null });
    expect(await bank.initiatePayment(PAYMENTS, CTX)).toEqual({ outcome: 'accepted' });
    expect(server.received[0]).toMatchObject({
      path: '/initiate_payment',
      headers: { 'idempotency-key': 'batch-1' },
    });
    expect(sentBody(server)).toEqual([
      {
        payment_reference_number: PAYMENT.paymentReferenceNumber,
        remitting_account: '4021337001',
        remitting_account_currency: 'USD',
        payment_amount: '12.50',
        funds_blocked_reference_number: 'BLK-1',
        beneficiary_name: 'Asha',
        beneficiary_account: '998877',
        beneficiary_account_currency: 'USD',
        beneficiary_account_type: 'BANK_ACCOUNT',
        beneficiary_bank_code: 'EXAMPLE-BANK',
        beneficiary_branch_code: 'B7',
        beneficiary_mobile_wallet_provider: null,
        beneficiary_phone_no: null,
        beneficiary_email: null,
        beneficiary_email_wallet_provider: null,
        narrative_1: 'Stipend',
        narrative_2: 'PROG',
        narrative_3: 'CYCLE-1',
        narrative_4: 'BEN-1',
        narrative_5: PAYMENT.paymentReferenceNumber,
        narrative_6: null,
        payment_date: '2025-01-31',
      },
    ]);
  });

  test('sends an empty list too, and lets the bank accept it', async () => {
    const { server, bank } = await answering(200, { status: 'success' });
    expect(await bank.initiatePayment({ idempotencyKey: 'k', payments: [] }, CTX)).toEqual({
      outcome: 'accepted',
    });
    expect(sentBody(server)).toEqual([]);
  });

  test.each([200, 400, 404, 422])('is refused when the bank says failed with status %i', async (status) => {
    const { bank } = await answering(status, { status: 'failed', error_message: 'Block BLK-1 is used up.' });
    expect(await bank.initiatePayment(PAYMENTS, CTX)).toEqual({
      outcome: 'refused',
      code: 'BANK_REFUSED',
      message: 'The bank refused: Block BLK-1 is used up.',
    });
  });

  test('never repeats an account number that the bank put into its reason', async () => {
    const reason = `There is no account 998877.\n${ACCOUNT.accountNumber} was not debited.`;
    const { bank } = await answering(200, { status: 'failed', error_message: reason });
    expect(await bank.initiatePayment(PAYMENTS, CTX)).toMatchObject({
      message: 'The bank refused: There is no account …. … was not debited.',
    });
  });

  test.each<[string, number, unknown]>([
    ['a server error', 500, { status: 'failed', error_message: 'x' }],
    ['a server error that claims success', 503, { status: 'success' }],
    ['a conflict: the key was used before', 409, { status: 'failed', error_message: 'another body' }],
    ['a request time-out of a proxy', 408, { status: 'failed' }],
    ['a proxy that is too busy', 429, { status: 'failed' }],
    ['a redirection', 302, { status: 'success' }],
    ['a client error without a decision', 403, { error: 'forbidden' }],
    ['a client error that claims success', 400, { status: 'success' }],
    ['a status that is none', 200, { status: 'SUCCESS' }],
    ['no status', 200, {}],
    ['a list', 200, []],
    ['null', 200, null],
    ['an error message that is no text', 200, { status: 'failed', error_message: 5 }],
  ])('has an unknown outcome after %s', async (_, status, body) => {
    const { server, bank } = await answering(status, body);
    expect(await bank.initiatePayment(PAYMENTS, CTX)).toMatchObject({ outcome: 'unknown' });
    expect(server.received).toHaveLength(1);
  });

  test('has an unknown outcome when the connection breaks after sending', async () => {
    const bank = await talking((socket) => socket.resetAndDestroy());
    expect(await bank.initiatePayment(PAYMENTS, CTX)).toMatchObject({ outcome: 'unknown' });
  });

  test('has an unknown outcome when the answer is too large', async () => {
    const { bank } = await answering(200, { status: 'success', error_message: 'x'.repeat(20_000) });
    expect(await bank.initiatePayment(PAYMENTS, CTX)).toMatchObject({ outcome: 'unknown' });
  });

  test('has an unknown outcome when it is abandoned after sending', async () => {
    const abandoned = new AbortController();
    const server = await startHttpServer(() => abandoned.abort());
    opened.push(server);
    const outcome = await bankAt(server.url).initiatePayment(PAYMENTS, { signal: abandoned.signal });
    expect(outcome).toMatchObject({ outcome: 'unknown' });
  });

  test('is a fault that may be repeated when the bank surely received nothing', async () => {
    const call = bankAt(await unusedUrl()).initiatePayment(PAYMENTS, CTX);
    await expect(call).rejects.toMatchObject({ code: 'BANK_UNREACHABLE', retryable: true });
  });

  test('is a fault when it was abandoned before sending', async () => {
    const { server, bank } = await answering(200, { status: 'success' });
    const call = bank.initiatePayment(PAYMENTS, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'BANK_CALL_ABORTED' });
    expect(server.received).toEqual([]);
  });

  test.each([
    ['an amount in exponent notation', { ...PAYMENTS, payments: [{ ...PAYMENT, paymentAmount: '1e3' }] }],
    ['a negative amount', { ...PAYMENTS, payments: [PAYMENT, { ...PAYMENT, paymentAmount: '-1' }] }],
    ['more narratives than fit', { ...PAYMENTS, payments: [{ ...PAYMENT, narratives: Array(7).fill('x') }] }],
    ['an empty key', { ...PAYMENTS, idempotencyKey: '' }],
    ['a key with a line break', { ...PAYMENTS, idempotencyKey: 'a\r\nb' }],
  ])('does not send %s', async (_, request) => {
    const { server, bank } = await answering(200, { status: 'success' });
    const call = bank.initiatePayment(request, CTX);
    await expect(call).rejects.toMatchObject({ code: 'BANK_BAD_REQUEST', retryable: false });
    expect(server.received).toEqual([]);
  });

  test('is accepted only by a success with a 2xx status, refused only by a failure that is no server error', async () => {
    let answer = { status: 200, body: null as unknown };
    const server = await startHttpServer((_, response) => json(response, answer.status, answer.body));
    opened.push(server);
    const bank = bankAt(server.url);
    const word = fc.constantFrom('success', 'failed', 'SUCCESS', 'pending', null, true);
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({ status: word, error_message: fc.option(fc.string()) }, { requiredKeys: [] }),
    );
    const status = fc.constantFrom(200, 201, 202, 300, 400, 404, 409, 429, 500, 502, 504);
    const exchange = fc.asyncProperty(status, body, async (statusCode, value) => {
      answer = { status: statusCode, body: value };
      const { outcome } = await bank.initiatePayment(PAYMENTS, CTX);
      const said =
        value !== null && typeof value === 'object' && 'status' in value ? value.status : undefined;
      if (outcome === 'accepted') expect([statusCode < 300, said]).toEqual([true, 'success']);
      if (outcome === 'refused') {
        expect(said).toBe('failed');
        expect([200, 201, 202, 400, 404]).toContain(statusCode);
      }
    });
    await fc.assert(exchange, { numRuns: 300 });
  });

  test('carries every amount digit for digit', async () => {
    const { server, bank } = await answering(200, { status: 'success' });
    const amount = fc.tuple(
      fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }),
      fc.stringMatching(/^(\.[0-9]{1,18})?$/),
    );
    const exact = fc.asyncProperty(amount, async ([whole, fraction]) => {
      const paymentAmount = `${whole}${fraction}`;
      await bank.initiatePayment({ idempotencyKey: 'k', payments: [{ ...PAYMENT, paymentAmount }] }, CTX);
      expect(server.received.at(-1)?.body).toContain(`"payment_amount":"${paymentAmount}"`);
    });
    await fc.assert(exact, { numRuns: 100 });
  });
});

describe('asking about a payment', () => {
  test('asks by the idempotency key', async () => {
    const { server, bank } = await answering(200, { status: 'unknown', payments: [] });
    expect(await bank.inquirePayment?.('batch-1', CTX)).toEqual({ status: 'never_seen' });
    expect(server.received[0]?.path).toBe('/payment_status');
    expect(sentBody(server)).toEqual({ idempotency_key: 'batch-1' });
  });

  test('learns which payments the bank took', async () => {
    const payments = [{ payment_reference_number: 'a', status: 'paid' }, { payment_reference_number: 'b' }];
    const { bank } = await answering(200, { status: 'accepted', payments });
    expect(await bank.inquirePayment?.('k', CTX)).toEqual({
      status: 'accepted',
      paymentReferences: ['a', 'b'],
    });
  });

  test('learns why the bank rejected them', async () => {
    const { bank } = await answering(200, { status: 'rejected', payments: [], error_message: 'No funds.' });
    expect(await bank.inquirePayment?.('k', CTX)).toEqual({ status: 'rejected', message: 'No funds' });
  });

  test.each<[number, unknown]>([
    [500, { status: 'unknown' }],
    [404, { status: 'unknown' }],
    [200, { status: 'failed' }],
    [200, 'unknown'],
  ])('does not take status %i with %j for "never seen"', async (status, body) => {
    const { bank } = await answering(status, body);
    expect(await bank.inquirePayment?.('k', CTX)).toMatchObject({ status: 'unavailable' });
  });

  test('is unavailable when nobody listens', async () => {
    expect(await bankAt(await unusedUrl()).inquirePayment?.('k', CTX)).toMatchObject({
      status: 'unavailable',
    });
  });
});

describe('blocking funds', () => {
  test('gives the reference of the block', async () => {
    const { server, bank } = await answering(200, { status: 'success', block_reference_no: 'BLK-9' });
    expect(await bank.blockFunds(BLOCK, CTX)).toEqual({ outcome: 'accepted', blockReference: 'BLK-9' });
    expect(server.received[0]).toMatchObject({
      path: '/block_funds',
      headers: { 'idempotency-key': 'block-1' },
    });
    expect(sentBody(server)).toEqual({ account_number: '4021337001', currency: 'USD', amount: '1250.50' });
  });

  test('is refused with the reason of the bank', async () => {
    const reason = 'The available funds are not sufficient.';
    const { bank } = await answering(200, {
      status: 'failed',
      block_reference_no: null,
      error_message: reason,
    });
    expect(await bank.blockFunds(BLOCK, CTX)).toMatchObject({ outcome: 'refused', code: 'BANK_REFUSED' });
  });

  test.each<[string, number, unknown]>([
    ['a success without a reference', 200, { status: 'success', block_reference_no: null }],
    ['a success with an empty reference', 200, { status: 'success', block_reference_no: '' }],
    ['a reference that is no word', 200, { status: 'success', block_reference_no: 'a\u0000b' }],
    ['a server error', 500, { status: 'failed' }],
    ['a conflict', 409, { status: 'failed' }],
  ])('has an unknown outcome after %s', async (_, status, body) => {
    const { bank } = await answering(status, body);
    expect(await bank.blockFunds(BLOCK, CTX)).toMatchObject({ outcome: 'unknown' });
  });

  test('may be repeated with its key', async () => {
    expect((await answering(200, {})).bank.blockIsIdempotent).toBe(true);
  });

  test('is a fault when the bank surely received nothing', async () => {
    const call = bankAt(await unusedUrl()).blockFunds(BLOCK, CTX);
    await expect(call).rejects.toMatchObject({ code: 'BANK_UNREACHABLE', retryable: true });
  });
});

describe('checking funds', () => {
  test.each([true, false])('passes on that the funds suffice: %s', async (sufficient) => {
    const answer = {
      status: 'success',
      account_number: ACCOUNT.accountNumber,
      has_sufficient_funds: sufficient,
    };
    const { server, bank } = await answering(200, answer);
    expect(await bank.checkFunds(BLOCK, CTX)).toEqual({ available: sufficient });
    expect(server.received[0]?.path).toBe('/check_funds');
    expect(sentBody(server)).toEqual({
      account_number: '4021337001',
      account_currency: 'USD',
      total_funds_needed: '1250.50',
    });
  });

  test.each<[string, number, unknown, string]>([
    ['the bank could not check', 200, { status: 'failed', has_sufficient_funds: false }, 'BANK_REFUSED'],
    ['the bank has an error', 502, { status: 'success', has_sufficient_funds: true }, 'BANK_ERROR'],
    ['the answer lacks the decision', 200, { status: 'success' }, 'BANK_BAD_ANSWER'],
    ['the decision is a word', 200, { status: 'success', has_sufficient_funds: 'true' }, 'BANK_BAD_ANSWER'],
    [
      'the answer is about another account',
      200,
      { status: 'success', account_number: '1', has_sufficient_funds: true },
      'BANK_BAD_ANSWER',
    ],
  ])('is a fault when %s', async (_, status, body, code) => {
    const { bank } = await answering(status, body);
    await expect(bank.checkFunds(BLOCK, CTX)).rejects.toMatchObject({ code, retryable: true });
  });

  test('is a fault when the connection breaks', async () => {
    const bank = await talking((socket) => socket.resetAndDestroy());
    await expect(bank.checkFunds(BLOCK, CTX)).rejects.toMatchObject({ code: 'BANK_CONNECTION_LOST' });
  });

  test('is a fault when no answer comes in time', async () => {
    const server = await startHttpServer(() => {});
    opened.push(server);
    const call = bankAt(server.url, { requestTimeoutMs: 200 }).checkFunds(BLOCK, CTX);
    await expect(call).rejects.toMatchObject({ code: 'BANK_TIMEOUT', retryable: true });
  });
});

describe('reading a statement', () => {
  const bank = bankAt('http://127.0.0.1:1');
  const entry = { bankReference: 'B1', customerReference: '0192f0c1-7b7c-7d' };

  test('finds the id in the fifth narrative line', () => {
    expect(bank.reconciliationId({ ...entry, narrative: ['a', 'b', 'c', 'd', ' full-id ', 'f'] })).toBe(
      'full-id',
    );
  });

  test.each([[[]], [['a', 'b', 'c', 'd']], [['a', 'b', 'c', 'd', ' ']]])(
    'falls back to the customer reference when the narrative is %j',
    (narrative) => {
      expect(bank.reconciliationId({ ...entry, narrative })).toBe('0192f0c1-7b7c-7d');
      expect(bank.reconciliationId({ bankReference: null, customerReference: null, narrative })).toBe('');
    },
  );

  test('finds the reason of a reversal in the last narrative line', () => {
    expect(bank.reversalReason({ ...entry, narrative: ['a', 'Account closed', ''] })).toBe('Account closed');
    expect(bank.reversalReason({ ...entry, narrative: [] })).toBe('');
  });
});
