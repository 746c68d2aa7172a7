import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Partner, partnerOf } from '../support/partner.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { PLAIN_BANK } from '../support/plain-bank.ts';

const UNKNOWN = { quantity: '10', address: null };

describe('funds that were blocked and are not needed after all', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  let partner: Partner;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside);
    partner = partnerOf(pipeline);
  });
  afterEach(() => outside.bank.faults([]));
  afterAll(async () => {
    await partner.close();
    await pipeline.close();
    await outside.close();
  });

  const row = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);
  const blocked = (disbursing: Disbursing) =>
    becomes(() => row(disbursing), { funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' });
  const cancel = async ({ envelope: { id } }: Disbursing) =>
    (await partner.ask('/cancel_disbursement_envelope', [{ id }])).code;
  const amend = async ({ envelope }: Disbursing, changes: object) =>
    (await partner.ask('/amend_disbursement_envelope', [{ ...envelope, ...changes }])).code;

  it('are given back when their envelope is cancelled, once, however often the answer is lost', async () => {
    const program = await pipeline.program('100');
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    await blocked(disbursing);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ blocked: '10.00' });
    await outside.bank.faults([{ path: '/release_funds', kind: 'drop_after', count: 2 }]);
    expect(await cancel(disbursing)).toBeNull();
    await becomes(() => row(disbursing), { funds_released_status: 'PROCESSED' });
    expect(await outside.bank.ledger(program.account)).toMatchObject({
      blocked: '0.00',
      available: '100.00',
    });
    const batch = await pipeline.batch(disbursing.batches[0]?.row.id);
    expect(batch.sponsor_bank_dispatch_status).toBe('NOT_APPLICABLE');
  });

  it('are given back when the block was under way while the envelope was cancelled', async () => {
    const program = await pipeline.program('100');
    await outside.bank.faults([{ path: '/block_funds', kind: 'delay', delay_ms: 400 }]);
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    const under = await becomes(() => row(disbursing), { funds_blocked_with_bank: 'CHECK_IN_PROGRESS' });
    expect(under.funds_blocked_reference_number).toBeNull();
    expect(await cancel(disbursing)).toBeNull();
    await becomes(() => row(disbursing), { funds_released_status: 'PROCESSED' });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ blocked: '0.00', debits: 0 });
  });

  it('are found out and given back when the answer to the block was lost before the cancellation', async () => {
    const program = await pipeline.program('100');
    await outside.bank.faults([{ path: '/block_funds', kind: 'drop_after', count: 3 }]);
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    await becomes(() => row(disbursing), {
      funds_blocked_latest_error_code: 'BLOCK_OUTCOME_UNKNOWN',
      funds_blocked_with_bank: 'PENDING_CHECK',
    });
    expect(await cancel(disbursing)).toBeNull();
    await becomes(() => row(disbursing), { funds_released_status: 'PROCESSED' });
    expect(await outside.bank.blocks(program.account)).toEqual([['10.00', '0.00']]);
  });

  it('are blocked anew for amended totals, and only those are paid', async () => {
    const program = await pipeline.program('100');
    const registry = { target_registry: 'FARMER' };
    const disbursing = await pipeline.disburse(program, [['20', UNKNOWN]], registry);
    await becomes(() => row(disbursing), { funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' });
    const [paid, homeless] = disbursing.ids;
    const { code } = await partner.ask('/cancel_disbursements', [{ disbursement_id: homeless }]);
    expect(code).toBeNull();
    await becomes(() => row(disbursing), { receipt_status: 'RECEIVING', funds_released_status: 'PROCESSED' });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ blocked: '0.00', debits: 0 });
    expect(
      await amend(disbursing, { number_of_disbursements: 1, total_disbursement_quantity: '20' }),
    ).toBeNull();
    await becomes(() => row(disbursing), { number_of_disbursements_shipped: 1 });
    expect(await outside.bank.payments(program.account)).toMatchObject([
      { reference: paid, amount: '20.00' },
    ]);
    expect(await outside.bank.blocks(program.account)).toEqual([
      ['30.00', '0.00'],
      ['20.00', '0.00'],
    ]);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ balance: '80.00', blocked: '0.00' });
  });

  it('are found again, without waiting for a tick, when the account was short of what its own block held', async () => {
    const program = await pipeline.program('100');
    const registry = { target_registry: 'FARMER' };
    const disbursing = await pipeline.disburse(
      program,
      [['60', { quantity: '40', address: null }]],
      registry,
    );
    await blocked(disbursing);
    // The block is given back only after the funds have been looked for anew, which are not there then.
    await outside.bank.faults([{ path: '/release_funds', kind: 'delay', delay_ms: 300 }]);
    const [paid, homeless] = disbursing.ids;
    await partner.ask('/cancel_disbursements', [{ disbursement_id: homeless }]);
    expect(
      await amend(disbursing, { number_of_disbursements: 1, total_disbursement_quantity: '60' }),
    ).toBeNull();
    await becomes(() => row(disbursing), { number_of_disbursements_shipped: 1 });
    expect(await outside.bank.payments(program.account)).toMatchObject([
      { reference: paid, amount: '60.00' },
    ]);
  });

  it('wait for a person at a bank that has no such path', async () => {
    const program = await pipeline.program('100');
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    await blocked(disbursing);
    await outside.bank.faults([{ path: '/release_funds', kind: 'error_before', status: 404 }]);
    await cancel(disbursing);
    await becomes(() => row(disbursing), {
      funds_released_status: 'ERROR',
      funds_released_latest_error_code: 'RELEASE_NOT_SUPPORTED',
      funds_released_attempts: 1,
    });
  });

  it('wait for a person when the bank says no, and count as given back once that person says so', async () => {
    const program = await pipeline.program('100');
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    await blocked(disbursing);
    await outside.bank.faults([{ path: '/release_funds', kind: 'refuse' }]);
    await cancel(disbursing);
    await becomes(() => row(disbursing), {
      funds_released_status: 'ERROR',
      funds_released_latest_error_code: 'BANK_REFUSED',
      funds_released_attempts: 1,
    });
    const released = await pipeline.system.release(envelopeActor, disbursing.envelope.id, 'funds_released');
    expect(released.accepted).toBe(true);
    expect(await row(disbursing)).toMatchObject({ funds_released_status: 'PROCESSED' });
  });

  it('are given back when a person tries again after the bank has said no, although it remembers that', async () => {
    const program = await pipeline.program('100');
    const disbursing = await pipeline.disburse(program, [[UNKNOWN]]);
    await blocked(disbursing);
    await outside.bank.faults([{ path: '/release_funds', kind: 'refuse', count: 1 }]);
    await cancel(disbursing);
    await becomes(() => row(disbursing), { funds_released_latest_error_code: 'BANK_REFUSED' });
    const retry = { type: 'funds_released.retry', at: new Date() } as const;
    await pipeline.system.send(envelopeActor, disbursing.envelope.id, retry);
    await becomes(() => row(disbursing), { funds_released_status: 'PROCESSED' });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ blocked: '0.00' });
  });

  it('are refused for cancelling once they have been paid from', async () => {
    const program = await pipeline.program('100');
    const disbursing = await pipeline.disburse(program, [['10']]);
    await becomes(() => row(disbursing), { number_of_disbursements_shipped: 1 });
    expect(await cancel(disbursing)).toBe('DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED');
    const { code } = await partner.ask('/cancel_disbursements', [{ disbursement_id: disbursing.ids[0] }]);
    expect(code).toBe('DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED');
  });

  it('wait for a person where the connector cannot give them back', async () => {
    const elsewhere = await openPipeline(outside, { settings: PLAIN_BANK });
    const other = partnerOf(elsewhere);
    const disbursing = await elsewhere.disburse(await elsewhere.program('100'), [[UNKNOWN]]);
    const { id } = disbursing.envelope;
    await becomes(() => elsewhere.envelope(id), { funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' });
    expect((await other.ask('/cancel_disbursement_envelope', [{ id }])).code).toBeNull();
    await becomes(() => elsewhere.envelope(id), {
      funds_released_status: 'ERROR',
      funds_released_latest_error_code: 'RELEASE_NOT_SUPPORTED',
    });
    await other.close();
    await elsewhere.close();
  });
});
