import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { startPipelineChild } from '../support/pipeline-child.ts';
import { until } from '../support/wait.ts';

/** Longer than any test waits: the killed process never sees the answer. */
const NEVER_MS = 60_000;

describe('a process that is killed (SIGKILL)', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
  });
  afterEach(async () => {
    await outside.bank.start();
    await outside.bank.faults([]);
    await pipeline.close();
  });
  afterAll(() => outside.close());

  /** Disburses while the only process that works is one that can be killed; this one only receives. */
  async function disburseWithVictim(quantities: readonly string[]) {
    pipeline = await openPipeline(outside, { processes: 0 });
    await pipeline.join({ works: false });
    const victim = await startPipelineChild(pipeline.url, pipeline.settings);
    const program = await pipeline.program();
    return { victim, program, disbursing: await pipeline.disburse(program, [quantities]) };
  }

  async function expectPaidOnce(program: Program, { envelope, batches, ids }: Disbursing): Promise<void> {
    await becomes(() => pipeline.envelope(envelope.id), { number_of_disbursements_shipped: ids.length });
    expect(await outside.bank.ledger(program.account)).toMatchObject({
      debits: ids.length,
      blocked: '0.00',
      duplicate_references: 0,
    });
    expect(await outside.bank.blocks(program.account)).toHaveLength(1);
    for (const { row } of batches) expect(await outside.bank.keys(row.id)).toEqual([`${row.id}-pay-1`]);
  }

  it('after the bank has paid and before that is recorded: another one asks the bank and records it', async () => {
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'slow_body', delay_ms: NEVER_MS }]);
    const before = await outside.bank.requests('/initiate_payment');
    const { victim, program, disbursing } = await disburseWithVictim(['10', '20']);
    await until('the bank has paid', async () => (await outside.bank.ledger(program.account)).debits === 2);
    const batch = await pipeline.batch(disbursing.batches[0]?.row.id);
    expect(batch).toMatchObject({ sponsor_bank_dispatch_status: 'PROCESSING' });
    await victim.kill();
    await pipeline.join();
    await expectPaidOnce(program, disbursing);
    expect(await outside.bank.requests('/initiate_payment')).toBe(before + 1);
    expect(await pipeline.batch(disbursing.batches[0]?.row.id)).toMatchObject({
      sponsor_bank_dispatch_status: 'PROCESSED',
      sponsor_bank_dispatch_attempts: 1,
      sponsor_bank_dispatch_job_id: null,
    });
  });

  it('while its payment is still under way to the bank: another one sends it under the same key', async () => {
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'delay', delay_ms: 4_000, count: 1 }]);
    const before = await outside.bank.requests('/initiate_payment');
    const { victim, program, disbursing } = await disburseWithVictim(['10', '20']);
    await until('the payment is under way', async () => {
      return (await outside.bank.requests('/initiate_payment')) > before;
    });
    await victim.kill();
    await pipeline.join();
    await becomes(() => pipeline.envelope(disbursing.envelope.id), { number_of_disbursements_shipped: 2 });
    // The bank finishes what it has taken, the first request among it, before it stops.
    await outside.bank.stop();
    await outside.bank.start();
    await expectPaidOnce(program, disbursing);
  });

  it('after the bank has blocked the funds and before that is recorded: they stay blocked once', async () => {
    await outside.bank.faults([{ path: '/block_funds', kind: 'slow_body', delay_ms: NEVER_MS, count: 1 }]);
    const { victim, program, disbursing } = await disburseWithVictim(['10', '20']);
    await until(
      'the funds are blocked',
      async () => (await outside.bank.blocks(program.account)).length === 1,
    );
    await victim.kill();
    await pipeline.join();
    await expectPaidOnce(program, disbursing);
  });
});
