import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { batchActor } from '../../src/stages/actors.ts';
import { post } from '../simulators/fixtures.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { bankAccount } from '../support/records.ts';

const REQUEST_TIMEOUT_MS = 400;
/** An answer that takes so long never comes in time. */
const TOO_LATE_MS = 1_000;
const UNKNOWN = { quantity: '5', address: null };

describe('paying a batch', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      settings: { bank_request_timeout_ms: String(REQUEST_TIMEOUT_MS), no_of_tasks_to_process: '50' },
    });
  });
  afterEach(async () => {
    await outside.bank.start();
    await outside.bank.faults([]);
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const batchOf = (disbursing: Disbursing) => pipeline.batch(idOf(disbursing));
  const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);
  const sent = () => outside.bank.requests('/initiate_payment');

  async function resolveRest({ batches }: Disbursing): Promise<void> {
    const beneficiaries = batches.flatMap(({ disbursements }) =>
      disbursements.map((one) => one.beneficiary_id),
    );
    await outside.mapper.link(beneficiaries.map((id) => ({ id, ...bankAccount() })));
    const event = { type: 'fa_resolution.retry', at: new Date() } as const;
    await pipeline.system.send(batchActor, batches[0]?.row.id ?? '', event);
  }

  const retryPayment = (disbursing: Disbursing) =>
    pipeline.system.send(batchActor, idOf(disbursing), {
      type: 'sponsor_bank_dispatch.retry',
      at: new Date(),
    });

  /** An envelope whose funds are blocked and whose one batch waits for an address: {@link resolveRest} has it paid. */
  async function heldBack(program: Program): Promise<Disbursing> {
    const disbursing = await pipeline.disburse(program, [['10', UNKNOWN]]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'ERROR' });
    await becomes(() => envelopeOf(disbursing), { funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS' });
    return disbursing;
  }

  /** What the batch was accused of, in order. */
  async function faultsOf(disbursing: Disbursing): Promise<string[]> {
    const rows = await pipeline.database.sql<{ error_code: string }[]>`
      select error_code from actor_transitions
      where actor_id = ${idOf(disbursing)} and region = 'sponsor_bank_dispatch'
        and event in ('failed', 'refused') order by seq`;
    return rows.map((row) => row.error_code);
  }

  /** Both sides agree that each payment was made once. */
  async function expectPaidOnce(program: Program, disbursing: Disbursing, sum: string): Promise<void> {
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: disbursing.ids.length });
    expect(await outside.bank.ledger(program.account)).toMatchObject({
      debits: disbursing.ids.length,
      debited_sum: sum,
      blocked: '0.00',
      duplicate_references: 0,
    });
  }

  it('pays every disbursement of every batch once', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [['10', '20.5'], ['0.01'], ['7', '8', '9.99']]);
    await expectPaidOnce(program, disbursing, '55.50');
    for (const { row } of disbursing.batches) {
      expect(await pipeline.batch(row.id)).toMatchObject({
        sponsor_bank_dispatch_status: 'PROCESSED',
        sponsor_bank_dispatch_attempts: 1,
        sponsor_bank_dispatch_latest_error_code: null,
      });
      expect(await outside.bank.keys(row.id)).toEqual([`${row.id}-pay-1`]);
    }
  });

  it('waits for the funds when the addresses are there first', async () => {
    const program = await pipeline.program('9.99');
    const before = await sent();
    const disbursing = await pipeline.disburse(program, [['10']]);
    await becomes(() => batchOf(disbursing), { fa_resolution_status: 'PROCESSED' });
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'FUNDS_NOT_AVAILABLE',
      number_of_batches_ready: 1,
    });
    expect(await pipeline.tick('disburse_funds_from_bank')).toBe(0);
    expect(await batchOf(disbursing)).toMatchObject({
      sponsor_bank_dispatch_status: 'PENDING',
      sponsor_bank_dispatch_due_at: null,
    });
    expect(await sent()).toBe(before);
    await outside.bank.account(program.account, '10');
    await pipeline.tick('check_funds_with_bank');
    await expectPaidOnce(program, disbursing, '10.00');
  });

  it('waits for the addresses when the funds are blocked first', async () => {
    const program = await pipeline.program();
    const before = await sent();
    const disbursing = await heldBack(program);
    expect(await pipeline.tick('disburse_funds_from_bank')).toBe(0);
    expect(await sent()).toBe(before);
    await resolveRest(disbursing);
    await expectPaidOnce(program, disbursing, '15.00');
  });

  it('pays a beneficiary whose name the partner has not', async () => {
    const program = await pipeline.program();
    const disbursing = await heldBack(program);
    await pipeline.database.sql`
      update disbursements set beneficiary_name = '' where disbursement_batch_control_id = ${idOf(disbursing)}`;
    await resolveRest(disbursing);
    await expectPaidOnce(program, disbursing, '15.00');
  });

  it('sends nothing for quantities of zero, and counts them as reconciled', async () => {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [['10', '0', '0.00'], ['0']]);
    await becomes(() => envelopeOf(disbursing), {
      number_of_disbursements_shipped: 1,
      number_of_disbursements_reconciled: 3,
    });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 1, debited_sum: '10.00' });
    const [, onlyZero] = disbursing.batches;
    await becomes(() => pipeline.batch(onlyZero?.row.id), { sponsor_bank_dispatch_status: 'PROCESSED' });
    expect(await outside.bank.keys(onlyZero?.row.id ?? '')).toEqual([]);
  });

  describe('when the bank refuses', () => {
    it('sends again under a new number after a backoff', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse', count: 2 }]);
      const disbursing = await pipeline.disburse(program, [['10', '20']]);
      await expectPaidOnce(program, disbursing, '30.00');
      expect(await faultsOf(disbursing)).toEqual(['BANK_REFUSED', 'BANK_REFUSED']);
      expect(await batchOf(disbursing)).toMatchObject({
        sponsor_bank_dispatch_attempts: 3,
        sponsor_bank_dispatch_submission: 3,
      });
      const keys = [1, 2, 3].map((number) => `${idOf(disbursing)}-pay-${number}`);
      expect(await outside.bank.keys(idOf(disbursing))).toEqual(keys);
    });

    it('stops in ERROR when the attempts are used up; a retry pays', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse' }]);
      const before = await sent();
      const disbursing = await pipeline.disburse(program, [['10', '20']]);
      await becomes(() => batchOf(disbursing), {
        sponsor_bank_dispatch_status: 'ERROR',
        sponsor_bank_dispatch_latest_error_code: 'BANK_REFUSED',
        sponsor_bank_dispatch_attempts: 3,
      });
      expect(await sent()).toBe(before + 3);
      expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 0 });
      await outside.bank.faults([]);
      await retryPayment(disbursing);
      await expectPaidOnce(program, disbursing, '30.00');
      expect(await batchOf(disbursing)).toMatchObject({ sponsor_bank_dispatch_attempts: 1 });
    });

    it('leaves the payments out when an operator releases the batch', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse' }]);
      const disbursing = await pipeline.disburse(program, [['10', '0']]);
      await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'ERROR' });
      await pipeline.system.release(batchActor, idOf(disbursing), 'sponsor_bank_dispatch');
      await becomes(() => envelopeOf(disbursing), {
        number_of_disbursements_shipped: 0,
        number_of_disbursements_reconciled: 1,
      });
      const rows = await pipeline.database.sql<{ id: string; left_out_reason: string | null }[]>`
        select id, left_out_reason from disbursements where disbursement_envelope_id = ${disbursing.envelope.id}`;
      const reasons = new Map(rows.map((row) => [row.id, row.left_out_reason]));
      expect(disbursing.ids.map((id) => reasons.get(id))).toEqual(['BANK_REFUSED', null]);
      expect(await batchOf(disbursing)).toMatchObject({ sponsor_bank_dispatch_status: 'PROCESSED' });
    });

    it('takes a refusal whose answer was lost for what it is, when it asks', async () => {
      const program = await pipeline.program();
      const disbursing = await heldBack(program);
      const { funds_blocked_reference_number: block } = await envelopeOf(disbursing);
      // Somebody pays one of the two by hand, so the bank refuses the list, whatever its number.
      await post(outside.bank.url, '/initiate_payment', [
        {
          payment_reference_number: disbursing.ids[0],
          remitting_account: program.account,
          remitting_account_currency: 'USD',
          payment_amount: '10',
          funds_blocked_reference_number: block,
          beneficiary_account: 'ACC-1',
          payment_date: '2026-01-05',
        },
      ]);
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'drop_after' }]);
      await resolveRest(disbursing);
      await becomes(() => batchOf(disbursing), { sponsor_bank_dispatch_status: 'ERROR' });
      expect(await faultsOf(disbursing)).toEqual(['BANK_REFUSED', 'BANK_REFUSED', 'BANK_REFUSED']);
      const ledger = await outside.bank.ledger(program.account);
      expect(ledger).toMatchObject({ debits: 1, debited_sum: '10.00', duplicate_references: 0 });
    });
  });

  describe('when the outcome is unknown', () => {
    it.each([
      { what: 'the connection is cut', fault: { kind: 'drop_after' } },
      { what: 'the answer is a server error', fault: { kind: 'error_after' } },
      { what: 'the answer comes too late', fault: { kind: 'slow_body', delay_ms: TOO_LATE_MS } },
    ] as const)(
      'asks the bank and does not send again, if $what after the bank has acted',
      async ({ fault }) => {
        const program = await pipeline.program();
        await outside.bank.faults([{ path: '/initiate_payment', ...fault }]);
        const before = await sent();
        const disbursing = await pipeline.disburse(program, [['10', '20']]);
        await expectPaidOnce(program, disbursing, '30.00');
        expect(await sent()).toBe(before + 1);
        expect(await faultsOf(disbursing)).toEqual([]);
      },
    );

    it.each(['drop_before', 'error_before'] as const)(
      'sends again under the same key when the bank has never seen it (%s)',
      async (kind) => {
        const program = await pipeline.program();
        await outside.bank.faults([{ path: '/initiate_payment', kind, count: 2 }]);
        const before = await sent();
        const disbursing = await pipeline.disburse(program, [['10', '20']]);
        await expectPaidOnce(program, disbursing, '30.00');
        expect(await sent()).toBe(before + 3);
        expect(await faultsOf(disbursing)).toEqual(['PAYMENT_NOT_RECEIVED', 'PAYMENT_NOT_RECEIVED']);
        expect(await outside.bank.keys(idOf(disbursing))).toEqual([`${idOf(disbursing)}-pay-1`]);
      },
    );

    it('pays once when a request that was taken for lost arrives after it has been sent again', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([
        { path: '/initiate_payment', kind: 'delay', delay_ms: TOO_LATE_MS, count: 1 },
      ]);
      const disbursing = await pipeline.disburse(program, [['10', '20']]);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
      expect(await faultsOf(disbursing)).toEqual(['PAYMENT_NOT_RECEIVED']);
      // It finishes what it has taken before it stops.
      await outside.bank.stop();
      await outside.bank.start();
      await expectPaidOnce(program, disbursing, '30.00');
    });

    it('asks several times, and in the next attempt again, before it gives up', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([
        { path: '/initiate_payment', kind: 'drop_after' },
        { path: '/payment_status', kind: 'error_before', count: 4 },
      ]);
      const before = [await sent(), await outside.bank.requests('/payment_status')] as const;
      const disbursing = await pipeline.disburse(program, [['10', '20']]);
      await expectPaidOnce(program, disbursing, '30.00');
      expect(await faultsOf(disbursing)).toEqual(['PAYMENT_OUTCOME_UNKNOWN']);
      expect(await sent()).toBe(before[0] + 1);
      expect(await outside.bank.requests('/payment_status')).toBe(before[1] + 5);
    });
  });

  it('pays after the bank was not there at all, when an operator retries', async () => {
    const program = await pipeline.program();
    const disbursing = await heldBack(program);
    await outside.bank.stop();
    await resolveRest(disbursing);
    await becomes(() => batchOf(disbursing), {
      sponsor_bank_dispatch_status: 'ERROR',
      sponsor_bank_dispatch_attempts: 3,
    });
    expect(new Set(await faultsOf(disbursing))).toEqual(new Set(['BANK_UNREACHABLE']));
    await outside.bank.start();
    await retryPayment(disbursing);
    await expectPaidOnce(program, disbursing, '15.00');
    expect(await outside.bank.keys(idOf(disbursing))).toEqual([`${idOf(disbursing)}-pay-1`]);
  });
});
