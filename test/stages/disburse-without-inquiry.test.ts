import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { batchActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { PLAIN_BANK } from '../support/plain-bank.ts';

describe('paying a batch through a bank that cannot be asked', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { settings: PLAIN_BANK });
  });
  afterEach(() => outside.bank.faults([]));
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const batchOf = (disbursing: Disbursing) => pipeline.batch(idOf(disbursing));
  const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);
  const PARKED = {
    sponsor_bank_dispatch_status: 'ERROR',
    sponsor_bank_dispatch_latest_error_code: 'PAYMENT_OUTCOME_UNKNOWN',
    sponsor_bank_dispatch_attempts: 1,
  };

  it('waits for a person when the outcome is unknown, and sends nothing whatever is retried', async () => {
    const program = await pipeline.program();
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'drop_after' }]);
    const before = await outside.bank.requests('/initiate_payment');
    const disbursing = await pipeline.disburse(program, [['10', '20']]);
    const { sponsor_bank_dispatch_timestamp: first } = await becomes(() => batchOf(disbursing), PARKED);
    const retry = { type: 'sponsor_bank_dispatch.retry', at: new Date() } as const;
    expect(await pipeline.system.send(batchActor, idOf(disbursing), retry)).toMatchObject({ accepted: true });
    const again = await becomes(() => batchOf(disbursing), PARKED);
    expect(again.sponsor_bank_dispatch_timestamp).not.toEqual(first);
    expect(await outside.bank.requests('/initiate_payment')).toBe(before + 1);
    expect(await envelopeOf(disbursing)).toMatchObject({ number_of_disbursements_shipped: 0 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, duplicate_references: 0 });
  });

  it('counts the payments as made when an operator who has found out releases the batch', async () => {
    const program = await pipeline.program();
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'error_after' }]);
    const disbursing = await pipeline.disburse(program, [['10', '0', '20']]);
    await becomes(() => batchOf(disbursing), PARKED);
    const released = await pipeline.system.release(batchActor, idOf(disbursing), 'sponsor_bank_dispatch');
    expect(released).toMatchObject({ accepted: true });
    await becomes(() => envelopeOf(disbursing), {
      number_of_disbursements_shipped: 2,
      number_of_disbursements_reconciled: 1,
    });
    expect(await batchOf(disbursing)).toMatchObject({ sponsor_bank_dispatch_status: 'PROCESSED' });
    const leftOut = await pipeline.database.sql`
      select from disbursements
      where disbursement_envelope_id = ${disbursing.envelope.id} and left_out_reason is not null`;
    expect(leftOut).toHaveLength(0);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, debited_sum: '30.00' });
  });

  it('pays after the bank was not there, since nothing had left', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [['10', { quantity: '20', address: null }]]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    await becomes(() => envelopeOf(disbursing), { funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' });
    await outside.bank.stop();
    await pipeline.system.release(batchActor, idOf(disbursing), 'fa_resolution');
    await becomes(() => batchOf(disbursing), {
      sponsor_bank_dispatch_status: 'ERROR',
      sponsor_bank_dispatch_latest_error_code: 'BANK_UNREACHABLE',
      sponsor_bank_dispatch_submitted_at: null,
      sponsor_bank_dispatch_attempts: 3,
    });
    await outside.bank.start();
    const retry = { type: 'sponsor_bank_dispatch.retry', at: new Date() } as const;
    await pipeline.system.send(batchActor, idOf(disbursing), retry);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 1, duplicate_references: 0 });
  });

  it('tells a refusal from an unknown outcome: what was refused is sent again', async () => {
    const program = await pipeline.program();
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse', count: 1 }]);
    const disbursing = await pipeline.disburse(program, [['10', '20']]);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 2, duplicate_references: 0 });
  });
});
