import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sumDecimals } from '../../src/decimal.ts';
import { batchActor } from '../../src/stages/actors.ts';
import { missingByEnvelope, missingPayments } from '../../src/stages/missing-payments.ts';
import { becomes } from '../support/becomes.ts';
import { movableClock } from '../support/clock.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { debit, statementText } from '../support/records.ts';

const DAY_MS = 86_400_000;
const OVERDUE_DAYS = 3;

describe('payments that are missing from the statements', () => {
  const clock = movableClock(new Date('2026-03-10T12:00:00Z'));
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { system: { clock } });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const missing = (limit = 100) =>
    missingPayments(pipeline.database.sql, { overdueDays: OVERDUE_DAYS, now: clock.now(), limit });

  async function shipped(quantities: readonly string[]) {
    const program = await pipeline.program();
    const disbursing = await pipeline.disburse(program, [quantities]);
    await batchIsDone(disbursing);
    return { program, disbursing, ids: disbursing.ids };
  }

  const batchIsDone = ({ batches }: Disbursing) =>
    becomes(() => pipeline.batch(batches[0]?.row.id), { sponsor_bank_dispatch_status: 'PROCESSED' });

  it('are listed after the configured days, the longest missing first, as many as asked for', async () => {
    const first = await shipped(['10', '20']);
    clock.advance(DAY_MS);
    const second = await shipped(['30']);

    clock.advance(2 * DAY_MS - 60_000);
    expect(await missing()).toEqual([]);
    clock.advance(60_000);
    expect((await missing()).map((one) => one.payment_id)).toEqual([...first.ids].sort());
    clock.advance(DAY_MS);
    const all = await missing();
    expect(all.map((one) => one.payment_id)).toEqual([...[...first.ids].sort(), ...second.ids]);
    expect(await missing(2)).toEqual(all.slice(0, 2));
    const batch = await pipeline.batch(second.disbursing.batches[0]?.row.id);
    expect(all.at(-1)).toEqual({
      payment_id: second.ids[0],
      disbursement_batch_control_id: batch.id,
      disbursement_envelope_id: second.disbursing.envelope.id,
      paid_to: `ben-of-${second.ids[0]}`,
      quantity: '30',
      measurement_unit: 'USD',
      shipped_at: batch.sponsor_bank_dispatch_timestamp,
    });

    // What a statement shows is not missing any more.
    const [id = ''] = first.ids;
    const [statement] = await pipeline.upload(statementText(first.program.account, [debit(id, '10')]));
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    expect((await missing()).map((one) => one.payment_id)).toEqual([first.ids[1], second.ids[0]]);
  });

  it('are not those that were never sent', async () => {
    const before = (await missing()).length;
    const program = await pipeline.program();
    const released = await pipeline.disburse(program, [['1', { quantity: '2', address: null }, '0']]);
    const [batch] = released.batches;
    await becomes(() => pipeline.batch(batch?.row.id), { fa_resolution_status: 'ERROR' });
    await pipeline.database.sql`
      update disbursements set cancellation_status = 'CANCELLED' where id = ${released.ids[0] ?? ''}`;
    await pipeline.system.release(batchActor, batch?.row.id ?? '', 'fa_resolution');
    await batchIsDone(released);
    const waiting = await pipeline.disburse(await pipeline.program('1'), [['5']]);
    await becomes(() => pipeline.envelope(waiting.envelope.id), {
      funds_available_with_bank: 'FUNDS_NOT_AVAILABLE',
    });
    clock.advance((OVERDUE_DAYS + 1) * DAY_MS);
    expect(await missing()).toHaveLength(before);
  });

  it('are not those of an envelope that is wholly reconciled', async () => {
    const before = (await missing()).length;
    const { program, disbursing } = await shipped(['10', '0', '20']);
    await pipeline.upload(await outside.bank.statement(program.account));
    await becomes(() => pipeline.envelope(disbursing.envelope.id), { number_of_disbursements_reconciled: 3 });
    clock.advance((OVERDUE_DAYS + 1) * DAY_MS);
    expect(await missing()).toHaveLength(before);
  });

  it('are counted by envelope as they are listed, and listed page by page as at once', async () => {
    await shipped(['1.5', '2.25', '0']);
    const { disbursing, program, ids } = await shipped(['4', '8']);
    clock.advance((OVERDUE_DAYS + 1) * DAY_MS);
    const [statement] = await pipeline.upload(statementText(program.account, [debit(ids[0] ?? '', '4')]));
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    const { sql } = pipeline.database;
    const options = { overdueDays: OVERDUE_DAYS, now: clock.now() };
    const all = await missing();
    const byEnvelope = Map.groupBy(all, (one) => one.disbursement_envelope_id);
    const counted = await missingByEnvelope(sql, { ...options, limit: 100 });
    expect(new Map(counted.map((one) => [one.disbursement_envelope_id, one]))).toEqual(
      new Map(
        [...byEnvelope].map(([id, some]) => [
          id,
          {
            disbursement_envelope_id: id,
            measurement_unit: 'USD',
            count: some.length,
            quantity: sumDecimals(some.map(({ quantity }) => quantity)),
            since: some[0]?.shipped_at,
          },
        ]),
      ),
    );
    const paged: typeof all = [];
    for (let after = all.at(-1); after; ) {
      const last = paged.at(-1);
      const page = await missingPayments(sql, { ...options, limit: 2, ...(last ? { after: last } : {}) });
      paged.push(...page);
      after = page.at(-1);
    }
    expect(paged).toEqual(all);
    const envelope = disbursing.envelope.id;
    expect(await missingPayments(sql, { ...options, limit: 10, envelope })).toEqual(byEnvelope.get(envelope));
  });
});
