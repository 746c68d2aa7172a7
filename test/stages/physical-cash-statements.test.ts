import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { statementActor } from '../../src/stages/actors.ts';
import { missingPayments } from '../../src/stages/missing-payments.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, type Located, openInKind } from '../support/in-kind.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing, Program } from '../support/pipeline.ts';
import { debit, reversal, statementText } from '../support/records.ts';

const DAY_MS = 86_400_000;
const OVERDUE_DAYS = 3;

describe('payments of physical cash on statements', () => {
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, { settings: { suppress_notifications: 'true' } });
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  /** A geo record that was paid, as statements have to show it. */
  interface Paid {
    readonly id: string;
    readonly agency: string;
    readonly quantity: string;
  }

  /** An envelope of one batch that the bank has been paid through. */
  async function paid(wanted: readonly Located[]) {
    const program = await world.cashProgram();
    const disbursing = await world.disburse('CASH_PHYSICAL', [wanted], { benefit_program_id: program.id });
    await becomes(() => world.batch(disbursing), { sponsor_bank_dispatch_status: 'PROCESSED' });
    const geos = (await world.geos(disbursing.batches[0]?.row.id)).map(
      (geo): Paid => ({
        id: String(geo.id),
        agency: String(geo.agency_id),
        quantity: String(geo.total_quantity),
      }),
    );
    const [first, second] = geos;
    if (!first || !second) throw new Error('Two zones were to be paid.');
    return { program, disbursing, first, second };
  }

  /** Three people in the first zone, two in the second. */
  const fivePeople = () =>
    paid([
      ...[world.living(0, '10'), world.living(0, '20.5'), world.living(0, '0')],
      ...[world.living(1, '7'), world.living(1, '8')],
    ]);

  /** Uploads a statement and waits until it has been processed. @returns why entries were not matched, by place */
  async function process(program: Program, entries: Parameters<typeof statementText>[1]): Promise<string[]> {
    return processText(statementText(program.account, entries));
  }
  async function processText(text: string): Promise<string[]> {
    const [statement = ''] = await world.pipeline.upload(text);
    await becomes(() => world.pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    const errors = await world.pipeline.database.sql<{ place: number; reason: string }[]>`
      select entry_sequence as place, error_reason as reason from disbursement_error_recons
      where statement_id = ${statement} order by 1`;
    return errors.map(({ place, reason }) => `${place}: ${reason}`);
  }

  const counts = ({ envelope }: Disbursing, reconciled: number, reversed: number) =>
    becomes(() => world.pipeline.envelope(envelope.id), {
      number_of_disbursements_reconciled: reconciled,
      number_of_disbursements_reversed: reversed,
    });

  it('reconcile all disbursements of their zones', async () => {
    const { program, disbursing, first } = await fivePeople();
    await counts(disbursing, 0, 0);
    expect(await process(program, [debit(first.id, first.quantity)])).toEqual([]);
    await counts(disbursing, 3, 0);
    expect(await processText(await outside.bank.statement(program.account))).toEqual([
      // The bank's own statement shows the first payment as well.
      expect.stringMatching(/^[12]: DUPLICATE_DISBURSEMENT$/),
    ]);
    await counts(disbursing, 5, 0);
    const [recon] = await world.pipeline.database.sql`
      select * from disbursement_recons where reconciliation_id = ${first.id}`;
    expect(recon).toMatchObject({
      disbursement_id: null,
      disbursement_batch_control_geo_id: first.id,
      disbursement_batch_control_id: disbursing.batches[0]?.row.id,
      disbursement_envelope_id: disbursing.envelope.id,
      remittance_amount: '30.5',
      reversal_found: false,
    });
  });

  it('that come back reverse all disbursements of their zones, once', async () => {
    const { program, disbursing, first, second } = await fivePeople();
    const back = reversal(first.id, first.quantity, 'AGENCY CLOSED');
    expect(
      await process(program, [
        debit(first.id, first.quantity),
        back,
        debit(second.id, second.quantity),
        back,
      ]),
    ).toEqual(['4: INVALID_REVERSAL']);
    await counts(disbursing, 5, 3);
    const rows = await world.pipeline.database.sql`
      select reversal_found, reversal_reason from disbursement_recons
      where disbursement_envelope_id = ${disbursing.envelope.id} order by remittance_entry_sequence`;
    expect([...rows]).toEqual([
      { reversal_found: true, reversal_reason: 'AGENCY CLOSED' },
      { reversal_found: false, reversal_reason: null },
    ]);
  });

  it('may come back before the statement that shows them', async () => {
    const { program, disbursing, second } = await fivePeople();
    expect(await process(program, [reversal(second.id, second.quantity)])).toEqual(['1: INVALID_REVERSAL']);
    await counts(disbursing, 0, 0);
    expect(await process(program, [debit(second.id, second.quantity)])).toEqual([]);
    await counts(disbursing, 2, 2);
  });

  it('are told from entries of another amount, from second ones, and from ids of disbursements', async () => {
    const { program, disbursing, first, second } = await fivePeople();
    expect(
      await process(program, [
        debit(first.id, '10'),
        debit(first.id, '30.50'),
        debit(first.id, '30.50'),
        debit(second.id, '15.01'),
        // What one person was to get was never paid by itself.
        debit(disbursing.ids[3] ?? '', '7'),
      ]),
    ).toEqual([
      '1: AMOUNT_MISMATCH',
      '3: DUPLICATE_DISBURSEMENT',
      '4: AMOUNT_MISMATCH',
      '5: INVALID_RECONCILIATION_ID',
    ]);
    await counts(disbursing, 3, 0);
    const [error] = await world.pipeline.database.sql`
      select * from disbursement_error_recons where reconciliation_id = ${second.id}`;
    expect(error).toMatchObject({
      disbursement_envelope_id: disbursing.envelope.id,
      disbursement_batch_control_geo_id: second.id,
    });
  });

  it('are none of goods, whatever a statement says', async () => {
    const program = await world.cashProgram();
    const goods = await world.disburse('COMMODITY', [[world.living(0, '10')]]);
    await becomes(() => world.batch(goods), { agency_allocation_status: 'PROCESSED' });
    const [geo] = await world.geos(goods.batches[0]?.row.id);
    expect(await process(program, [debit(String(geo?.id), '10'), debit(goods.ids[0] ?? '', '10')])).toEqual([
      '1: INVALID_RECONCILIATION_ID',
      '2: INVALID_RECONCILIATION_ID',
    ]);
    await counts(goods, 0, 0);
  });

  it('do not count a zone of nothing again', async () => {
    const { program, disbursing, first, second } = await paid([
      ...[world.living(0, '0'), world.living(0, '0')],
      world.living(1, '5'),
    ]);
    await counts(disbursing, 2, 0);
    expect(await process(program, [debit(first.id, '0'), debit(second.id, '5')])).toEqual([
      '1: DUPLICATE_DISBURSEMENT',
    ]);
    await counts(disbursing, 3, 0);
  });

  it('are missing after some days, but for those that a statement shows and those that were never sent', async () => {
    const { program, disbursing, first, second } = await fivePeople();
    const nothing = await paid([world.living(0, '0'), world.living(1, '0')]);
    await counts(nothing.disbursing, 2, 0);
    const missing = async (days: number) => {
      const now = new Date(Date.now() + days * DAY_MS);
      const { sql } = world.pipeline.database;
      const all = await missingPayments(sql, { overdueDays: OVERDUE_DAYS, now, limit: 1_000 });
      const ours = [disbursing.envelope.id, nothing.disbursing.envelope.id];
      return all.filter((one) => ours.includes(one.disbursement_envelope_id));
    };
    expect(await missing(OVERDUE_DAYS - 1)).toEqual([]);
    const { sponsor_bank_dispatch_timestamp: shippedAt } = await world.batch(disbursing);
    const asMissing = ({ id, agency, quantity }: Paid) => ({
      payment_id: id,
      disbursement_batch_control_id: disbursing.batches[0]?.row.id,
      disbursement_envelope_id: disbursing.envelope.id,
      paid_to: agency,
      quantity,
      measurement_unit: 'USD',
      shipped_at: shippedAt,
    });
    const both = [first, second].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(await missing(OVERDUE_DAYS + 1)).toEqual(both.map(asMissing));
    await process(program, [debit(first.id, first.quantity)]);
    await counts(disbursing, 3, 0);
    expect(await missing(OVERDUE_DAYS + 1)).toEqual([asMissing(second)]);
  });

  it('are not missing when the bank refused them and an operator left them out', async () => {
    const program = await world.cashProgram();
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse' }]);
    const disbursing = await world.disburse('CASH_PHYSICAL', [[world.living(0, '10')]], {
      benefit_program_id: program.id,
    });
    await becomes(() => world.batch(disbursing), { sponsor_bank_dispatch_status: 'ERROR' });
    await outside.bank.faults([]);
    await world.release(disbursing, 'sponsor_bank_dispatch');
    const now = new Date(Date.now() + (OVERDUE_DAYS + 1) * DAY_MS);
    const all = await missingPayments(world.pipeline.database.sql, {
      overdueDays: OVERDUE_DAYS,
      now,
      limit: 1_000,
    });
    expect(all.filter((one) => one.disbursement_envelope_id === disbursing.envelope.id)).toEqual([]);
  });

  it('wait while PBMS, which knows whose accounts these are, cannot be reached', async () => {
    const { program, disbursing, first, second } = await fivePeople();
    await world.ways.pbms.stop();
    onTestFinished(async () => {
      await world.ways.pbms.stop();
      await world.ways.pbms.start();
    });
    const entries = [debit(first.id, first.quantity), debit(second.id, second.quantity)];
    const [statement = ''] = await world.pipeline.upload(statementText(program.account, entries));
    const unpaid = await world.disburse('CASH_PHYSICAL', [[world.living(0, '10')]]);
    await becomes(() => world.pipeline.statement(statement), {
      statement_process_status: 'ERROR',
      statement_process_latest_error_code: 'PBMS_UNAVAILABLE',
      statement_process_attempts: 3,
    });
    await becomes(() => world.pipeline.envelope(unpaid.envelope.id), {
      funds_available_with_bank: 'ERROR',
      funds_available_latest_error_code: 'PBMS_UNAVAILABLE',
    });
    await world.ways.pbms.start();
    const event = { type: 'statement_process.retry', at: new Date() } as const;
    await world.pipeline.system.send(statementActor, statement, event);
    await counts(disbursing, 5, 0);
  });
});
