import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline } from '../support/pipeline.ts';

describe('the pipeline when only ticks dispatch', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      settings: { dispatch_mode: 'tick', no_of_tasks_to_process: '2' },
    });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  it('takes an envelope from receipt to reconciliation, each step at the tick of its stage', async () => {
    const program = await pipeline.program();
    const { envelope, batches } = await pipeline.disburse(program, [['10', '20'], ['30'], ['40.5', '0']]);
    const ofEnvelope = (expected: Record<string, unknown>) =>
      becomes(() => pipeline.envelope(envelope.id), expected);
    const ofBatches = async (expected: Record<string, unknown>) => {
      for (const { row } of batches) await becomes(() => pipeline.batch(row.id), expected);
    };

    // Two at a tick, oldest first; what a tick has dispatched is not dispatched again.
    expect(await pipeline.tick('mapper_resolution')).toBe(2);
    expect(await pipeline.tick('mapper_resolution')).toBe(1);
    expect(await pipeline.tick('mapper_resolution')).toBe(0);
    await ofBatches({ fa_resolution_status: 'PROCESSED', sponsor_bank_dispatch_status: 'PENDING' });
    await ofEnvelope({ number_of_batches_ready: 3, funds_available_with_bank: 'PENDING_CHECK' });
    expect(await pipeline.tick('block_funds_with_bank')).toBe(0);
    expect(await pipeline.tick('disburse_funds_from_bank')).toBe(0);

    expect(await pipeline.tick('check_funds_with_bank')).toBe(1);
    await ofEnvelope({
      funds_available_with_bank: 'FUNDS_AVAILABLE',
      funds_blocked_with_bank: 'PENDING_CHECK',
    });
    expect(await pipeline.tick('disburse_funds_from_bank')).toBe(0);

    expect(await pipeline.tick('block_funds_with_bank')).toBe(1);
    await ofEnvelope({ funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' });
    for (const { row } of batches) {
      await becomes(
        async () => ({ due: (await pipeline.batch(row.id)).sponsor_bank_dispatch_due_at !== null }),
        {
          due: true,
        },
      );
    }
    expect(await outside.bank.requests('/initiate_payment')).toBe(0);

    expect(await pipeline.tick('disburse_funds_from_bank')).toBe(2);
    expect(await pipeline.tick('disburse_funds_from_bank')).toBe(1);
    await ofEnvelope({ number_of_disbursements_shipped: 4, number_of_disbursements_reconciled: 1 });
    await ofBatches({ sponsor_bank_dispatch_status: 'PROCESSED' });

    const [statement] = await pipeline.upload(await outside.bank.statement(program.account));
    expect(await pipeline.statement(statement)).toMatchObject({ statement_process_status: 'PENDING' });
    expect(await pipeline.tick('mt940_processor')).toBe(1);
    await ofEnvelope({ number_of_disbursements_reconciled: 5 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({
      debits: 4,
      debited_sum: '100.50',
      blocked: '0.00',
    });
  });

  it('tries again at a tick after the backoff, not before a tick', async () => {
    const program = await pipeline.program();
    await outside.mapper.faults([{ path: '/resolve', kind: 'error_before', count: 1 }]);
    const before = await outside.mapper.requests('/resolve');
    const { batches } = await pipeline.disburse(program, [['10']]);
    const batch = () => pipeline.batch(batches[0]?.row.id);
    await pipeline.tick('mapper_resolution');
    const failed = await becomes(batch, { fa_resolution_status: 'PENDING', fa_resolution_attempts: 1 });
    expect(failed.fa_resolution_latest_error_code).toBe('MAPPER_ERROR');
    await becomes(async () => ({ dispatched: await pipeline.tick('mapper_resolution') }), { dispatched: 1 });
    expect(Date.now()).toBeGreaterThanOrEqual((failed.fa_resolution_due_at as Date).getTime());
    await becomes(batch, { fa_resolution_status: 'PROCESSED' });
    expect(await outside.mapper.requests('/resolve')).toBe(before + 2);
  });

  it('runs by itself when the ticks come by themselves', async () => {
    const everySecond = [
      'mapper_resolve_frequency',
      'funds_available_check_frequency',
      'funds_blocked_frequency',
      'funds_disbursement_frequency',
      'mt940_processor_frequency',
    ];
    const settings = { dispatch_mode: 'tick', ...Object.fromEntries(everySecond.map((name) => [name, '1'])) };
    const ticking = await openPipeline(outside, { settings });
    onTestFinished(() => ticking.close());
    const program = await ticking.program();
    const { envelope } = await ticking.disburse(program, [['10', '20']]);
    await becomes(() => ticking.envelope(envelope.id), { number_of_disbursements_shipped: 2 });
    await ticking.upload(await outside.bank.statement(program.account));
    await becomes(() => ticking.envelope(envelope.id), { number_of_disbursements_reconciled: 2 });
  });
});
