import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  bankConnectorSettings,
  faStrategies,
  loadConfig,
  mapperConnectorSettings,
} from '../../src/config.ts';
import type { BankConnector, Payment } from '../../src/connectors/bank/bank-connector.ts';
import { loadBankConnectors, loadMapperConnector } from '../../src/connectors/load.ts';
import { deconstructFa } from '../../src/connectors/mapper/deconstruct-fa.ts';
import type { MapperConnector } from '../../src/connectors/mapper/mapper-connector.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startBank, startSpar } from '../support/simulators.ts';

const CTX = { signal: new AbortController().signal };
const ACCOUNT = { accountNumber: '4021337001', accountType: null, branchCode: null, currency: 'USD' };

async function post(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status, await response.text()).toBe(200);
}

describe('the example bank', () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let bank: BankConnector;

  beforeAll(async () => {
    database = await createDatabase('bank');
    simulator = await startBank({ databaseUrl: database.url });
    bank = await connect({});
  });
  afterAll(async () => {
    await bank?.close?.();
    await simulator?.stop();
    await database?.drop();
  });
  beforeEach(async () => {
    await post(`${simulator.url}/_admin/reset`, {});
    await post(`${simulator.url}/_admin/accounts`, [
      { account_number: ACCOUNT.accountNumber, currency: 'USD', balance: '1000.00' },
    ]);
  });

  async function connect(env: Record<string, string>): Promise<BankConnector> {
    const config = loadConfig({ ...env, G2P_BRIDGE_EXAMPLE_BANK_API_URL: simulator.url });
    const banks = await loadBankConnectors(config.bank_connectors_impls, bankConnectorSettings(config));
    return banks.get('EXAMPLE-BANK') as BankConnector;
  }

  function strike(path: string, kind: string, more: object = {}): Promise<void> {
    return post(`${simulator.url}/_control`, { faults: [{ path, kind, count: 1, ...more }] });
  }

  async function ledger(): Promise<unknown> {
    return (await fetch(`${simulator.url}/_admin/ledger?account=${ACCOUNT.accountNumber}`)).json();
  }

  /** Two payments of 10.25 out of a block made for them. */
  async function payments(): Promise<{ idempotencyKey: string; payments: readonly Payment[] }> {
    const block = await bank.blockFunds({ ...ACCOUNT, amount: '20.50', idempotencyKey: randomUUID() }, CTX);
    if (block.outcome !== 'accepted') throw new Error(block.message);
    return {
      idempotencyKey: randomUUID(),
      payments: [payment(block.blockReference), payment(block.blockReference)],
    };
  }

  test.each([
    ['1000.00', true],
    ['1000.01', false],
  ])('says whether %s are available: %s', async (amount, available) => {
    expect(await bank.checkFunds({ ...ACCOUNT, amount }, CTX)).toEqual({ available });
  });

  test('cannot check an account that it does not have', async () => {
    const unknown = { ...ACCOUNT, accountNumber: '5' };
    await expect(bank.checkFunds({ ...unknown, amount: '1' }, CTX)).rejects.toMatchObject({
      code: 'BANK_REFUSED',
    });
  });

  test('refuses to block more than there is', async () => {
    const block = await bank.blockFunds({ ...ACCOUNT, amount: '1000.01', idempotencyKey: 'k' }, CTX);
    expect(block).toMatchObject({ outcome: 'refused', code: 'BANK_REFUSED' });
  });

  test('blocks once however often it is asked with one key, also when the first answer was lost', async () => {
    const request = { ...ACCOUNT, amount: '600', idempotencyKey: 'block-1' };
    await strike('/block_funds', 'drop_after');
    expect(await bank.blockFunds(request, CTX)).toMatchObject({ outcome: 'unknown' });
    const second = await bank.blockFunds(request, CTX);
    expect(second).toMatchObject({ outcome: 'accepted' });
    expect(await bank.blockFunds(request, CTX)).toEqual(second);
    expect(await ledger()).toMatchObject({ blocked: '600.00' });
  });

  test('pays, and says afterwards what it paid', async () => {
    const request = await payments();
    expect(await bank.initiatePayment(request, CTX)).toEqual({ outcome: 'accepted' });
    const references = request.payments.map((one) => one.paymentReferenceNumber);
    expect(await bank.inquirePayment?.(request.idempotencyKey, CTX)).toEqual({
      status: 'accepted',
      paymentReferences: expect.arrayContaining(references),
    });
    expect(await ledger()).toMatchObject({ debits: 2, debited_sum: '20.50', blocked: '0.00' });
  });

  test('accepts an empty list of payments', async () => {
    expect(await bank.initiatePayment({ idempotencyKey: 'k', payments: [] }, CTX)).toEqual({
      outcome: 'accepted',
    });
  });

  test.each(['drop_after', 'error_after'])('has paid when its answer is lost by %s', async (kind) => {
    const request = await payments();
    await strike('/initiate_payment', kind);
    expect(await bank.initiatePayment(request, CTX)).toMatchObject({ outcome: 'unknown' });
    expect(await bank.inquirePayment?.(request.idempotencyKey, CTX)).toMatchObject({ status: 'accepted' });
    expect(await ledger()).toMatchObject({ debits: 2 });
  });

  test.each(['drop_before', 'error_before'])(
    'has never seen payments that met %s, and takes them again',
    async (kind) => {
      const request = await payments();
      await strike('/initiate_payment', kind);
      expect(await bank.initiatePayment(request, CTX)).toMatchObject({ outcome: 'unknown' });
      expect(await bank.inquirePayment?.(request.idempotencyKey, CTX)).toEqual({ status: 'never_seen' });
      expect(await bank.initiatePayment(request, CTX)).toEqual({ outcome: 'accepted' });
      expect(await ledger()).toMatchObject({ debits: 2 });
    },
  );

  test('has paid when its answer comes too slowly', async () => {
    const request = await payments();
    const hasty = await connect({ G2P_BRIDGE_BANK_REQUEST_TIMEOUT_MS: '1000' });
    await strike('/initiate_payment', 'slow_body', { delay_ms: 10_000 });
    expect(await hasty.initiatePayment(request, CTX)).toMatchObject({ outcome: 'unknown' });
    expect(await hasty.inquirePayment?.(request.idempotencyKey, CTX)).toMatchObject({ status: 'accepted' });
    await hasty.close?.();
  });

  test('refuses payments and keeps the money', async () => {
    const request = await payments();
    await strike('/initiate_payment', 'refuse');
    expect(await bank.initiatePayment(request, CTX)).toMatchObject({
      outcome: 'refused',
      code: 'BANK_REFUSED',
    });
    expect(await ledger()).toMatchObject({ debits: 0 });
  });

  test('does not decide about other payments under a key that it knows', async () => {
    const first = await payments();
    await bank.initiatePayment(first, CTX);
    const other = { ...(await payments()), idempotencyKey: first.idempotencyKey };
    expect(await bank.initiatePayment(other, CTX)).toMatchObject({ outcome: 'unknown' });
    expect(await ledger()).toMatchObject({ debits: 2 });
  });

  test('cannot be asked while it is out of order', async () => {
    await strike('/payment_status', 'error_before');
    expect(await bank.inquirePayment?.('k', CTX)).toMatchObject({ status: 'unavailable' });
  });
});

describe('SPAR', () => {
  const strategies = faStrategies(loadConfig({}));
  let database: TestDatabase;
  let simulator: Simulator;
  let mapper: MapperConnector;

  beforeAll(async () => {
    database = await createDatabase('spar');
    simulator = await startSpar({ databaseUrl: database.url });
    const config = loadConfig({ G2P_BRIDGE_MAPPER_API_URL: simulator.url });
    mapper = await loadMapperConnector(config.mapper_connector_impl, mapperConnectorSettings(config));
    await post(`${simulator.url}/_admin/links`, [
      {
        id: 'b-bank',
        fa_type: 'BANK',
        account_number: '998877',
        bank_code: 'EXAMPLE-BANK',
        branch_code: 'B7',
      },
      {
        id: 'b-mobile',
        fa_type: 'MOBILE_WALLET',
        mobile_number: '+911234567890',
        wallet_provider_name: 'Wallet Inc.',
        wallet_provider_code: 'WI',
      },
      { id: 'b-mail', fa_type: 'EMAIL_WALLET', email_address: 'a.b@example.org', wallet_provider_code: 'WI' },
    ]);
  });
  afterAll(async () => {
    await mapper?.close?.();
    await simulator?.stop();
    await database?.drop();
  });

  function resolve(...beneficiaryIds: string[]) {
    const requests = beneficiaryIds.map((beneficiaryId) => ({
      referenceId: `ref-${beneficiaryId}`,
      beneficiaryId,
    }));
    return mapper.resolve(requests, CTX);
  }

  test('resolves addresses of every type to their parts', async () => {
    const answers = await resolve('b-mail', 'b-bank', 'b-mobile');
    expect(answers.map((answer) => deconstructFa(answer.fa ?? '', strategies))).toMatchObject([
      {
        faType: 'EMAIL_WALLET',
        emailAddress: 'a.b@example.org',
        walletProviderCode: 'WI',
        mobileNumber: null,
      },
      {
        faType: 'BANK_ACCOUNT',
        accountNumber: '998877',
        bankCode: 'EXAMPLE-BANK',
        branchCode: 'B7',
        emailAddress: null,
      },
      { faType: 'MOBILE_WALLET', mobileNumber: '+911234567890', walletProviderName: 'Wallet Inc.' },
    ]);
    expect(answers[2]).toMatchObject({ providerName: 'Wallet Inc.', providerCode: 'WI', error: null });
  });

  test('keeps what resolves beside what does not', async () => {
    expect(await resolve('b-nobody', 'b-bank')).toMatchObject([
      { referenceId: 'ref-b-nobody', fa: null, error: { code: 'rjct.id.not_found' } },
      { referenceId: 'ref-b-bank', error: null },
    ]);
  });

  test('refuses a request that it cannot read with its own code', async () => {
    await expect(resolve('b-bank', '')).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
  });

  test.each([
    ['drop_before', 'MAPPER_CONNECTION_LOST'],
    ['error_after', 'MAPPER_ERROR'],
  ])('that fails by %s is a fault, and answers when it is asked again', async (kind, code) => {
    await post(`${simulator.url}/_control`, { faults: [{ path: '/resolve', kind, count: 1 }] });
    await expect(resolve('b-bank')).rejects.toMatchObject({ code, retryable: true });
    expect(await resolve('b-bank')).toMatchObject([{ error: null }]);
  });
});

function payment(block: string): Payment {
  const reference = randomUUID();
  return {
    paymentReferenceNumber: reference,
    remittingAccount: ACCOUNT.accountNumber,
    remittingAccountCurrency: 'USD',
    paymentAmount: '10.25',
    fundsBlockedReferenceNumber: block,
    beneficiaryName: 'Asha',
    beneficiaryAccount: null,
    beneficiaryAccountCurrency: null,
    beneficiaryAccountType: 'MOBILE_WALLET',
    beneficiaryBankCode: null,
    beneficiaryBranchCode: null,
    beneficiaryMobileWalletProvider: 'WI',
    beneficiaryPhoneNo: '+911234567890',
    beneficiaryEmail: null,
    beneficiaryEmailWalletProvider: null,
    narratives: ['Stipend', 'PROG', 'CYCLE-1', 'BEN-1', reference],
    paymentDate: '2025-01-31',
  };
}
