import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AcmeBank, API_KEY } from '../../examples/acme-bank-connector/test/acme-bank.js';
import { type FaultyProxy, startFaultyProxy } from '../../src/testing/index.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { debit, reversal, statementText } from '../support/records.ts';

const MODULE = fileURLToPath(new URL('../../examples/acme-bank-connector/src/index.js', import.meta.url));

type Request = 'POST batches' | 'GET batches' | 'PUT holds' | 'DELETE holds' | 'GET accounts';

describe('paying through a connector of a deployment, the ACME bank', () => {
  const bank = new AcmeBank();
  let proxy: FaultyProxy<Request>;
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    await bank.start();
    proxy = await startFaultyProxy(
      bank.url,
      ({ method, path }) => `${method} ${path.split('/')[2]}` as Request,
    );
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      settings: {
        bank_code: 'ACME',
        bank_connectors_impls: JSON.stringify({
          ACME: { module: MODULE, options: { apiUrl: proxy.url, apiKey: API_KEY } },
        }),
        bank_request_timeout_ms: '2000',
      },
    });
  });
  afterAll(async () => {
    await pipeline?.close();
    await outside?.close();
    await proxy?.close();
    await bank.stop();
  });

  /** A program whose account at the ACME bank holds this much. */
  async function program(balance: string): Promise<Program> {
    const one = await pipeline.program();
    bank.open(balance, one.account);
    return one;
  }

  it('pays a batch once although the answer to the payment is lost, and reconciles it', async () => {
    const paying = await program('100.00');
    proxy.misbehave('POST batches', 'drop_after');
    const sentBefore = proxy.received('POST batches');
    const disbursing = await pipeline.disburse(paying, [['10.29', '20', '0.01']]);
    await becomes(() => pipeline.envelope(disbursing.envelope.id), {
      funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
      number_of_disbursements_shipped: 3,
    });
    expect(proxy.received('POST batches')).toBe(sentBefore + 1);
    proxy.misbehave('POST batches', null);
    const [first = '', second = '', third = ''] = disbursing.ids;
    const booked = await bank.booked(paying.account);
    expect(new Map(booked.map(({ reference, amount }) => [reference, Number(amount)]))).toEqual(
      new Map([
        [first, 10.29],
        [second, 20],
        [third, 0.01],
      ]),
    );
    expect(booked).toHaveLength(3);
    expect(bank.held(paying.account)).toBe('0.00');

    const asAcmeWrites = (id: string, reason = '') => [
      'Seed support',
      `/EREF/${id}`,
      ...(reason ? [`/RTRN/${reason}`] : []),
    ];
    const entry = (id: string, amount: string) => ({
      ...debit(id, amount),
      customerReference: 'NONREF',
      narrative: asAcmeWrites(id),
    });
    await pipeline.upload(
      statementText(paying.account, [
        entry(first, '10.29'),
        entry(second, '20.00'),
        {
          ...reversal(first, '10.29'),
          customerReference: 'NONREF',
          narrative: asAcmeWrites(first, 'ACCOUNT CLOSED'),
        },
      ]),
    );
    await becomes(() => pipeline.envelope(disbursing.envelope.id), {
      number_of_disbursements_reconciled: 2,
      number_of_disbursements_reversed: 1,
    });
    const [returned] = await pipeline.database.sql`
      select reversal_reason from disbursement_recons where disbursement_id = ${first}`;
    expect(returned).toMatchObject({ reversal_reason: 'ACCOUNT CLOSED' });
  });

  it('sends a batch again that the bank never saw', async () => {
    const paying = await program('100.00');
    proxy.misbehave('POST batches', 'drop_before');
    const disbursing = await pipeline.disburse(paying, [['12.50']]);
    const batch = () => pipeline.batch(disbursing.batches[0]?.row.id);
    await becomes(batch, { sponsor_bank_dispatch_latest_error_code: 'PAYMENT_NOT_RECEIVED' });
    proxy.misbehave('POST batches', null);
    await becomes(batch, { sponsor_bank_dispatch_status: 'PROCESSED' });
    expect(await bank.booked(paying.account)).toEqual([{ reference: disbursing.ids[0], amount: '12.50' }]);
  });

  it('waits for an account that holds too little', async () => {
    const paying = await program('5.00');
    const disbursing = await pipeline.disburse(paying, [['5.01']]);
    await becomes(() => pipeline.envelope(disbursing.envelope.id), {
      funds_available_with_bank: 'FUNDS_NOT_AVAILABLE',
    });
    expect(await bank.booked(paying.account)).toEqual([]);
  });
});
