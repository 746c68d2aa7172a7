import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { becomes, type Row } from '../support/becomes.ts';
import { type InKindPipeline, type Located, openInKind } from '../support/in-kind.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing, Program } from '../support/pipeline.ts';
import { startPipelineChild } from '../support/pipeline-child.ts';
import { until } from '../support/wait.ts';

const REGION = 'sponsor_bank_dispatch';
const NOBODY: Located = { quantity: '5', zone: null };
/** Longer than any test waits: the killed process never sees the answer. */
const NEVER_MS = 60_000;

describe('paying physical cash to the agencies', () => {
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, { settings: { suppress_notifications: 'true' } });
  });
  afterEach(async () => {
    await outside.bank.start();
    await outside.bank.faults([]);
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  /** Disburses cash of a program, which is a new one unless given. */
  async function disburse(batches: readonly (readonly Located[])[], program?: Program) {
    const of = program ?? (await world.cashProgram());
    const disbursing = await world.disburse('CASH_PHYSICAL', batches, { benefit_program_id: of.id });
    return { program: of, disbursing };
  }

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const envelopeOf = ({ envelope }: Disbursing) => world.pipeline.envelope(envelope.id);
  const paid = async ({ batches }: Disbursing) => {
    for (const { row } of batches)
      await becomes(() => world.pipeline.batch(row.id), { [`${REGION}_status`]: 'PROCESSED' });
  };
  const inError = (disbursing: Disbursing, code: string) =>
    becomes(() => world.batch(disbursing), {
      [`${REGION}_status`]: 'ERROR',
      [`${REGION}_latest_error_code`]: code,
    });
  const counts = (disbursing: Disbursing, shipped: number, reconciled: number) =>
    becomes(() => envelopeOf(disbursing), {
      number_of_disbursements_shipped: shipped,
      number_of_disbursements_reconciled: reconciled,
    });

  async function leftOut({ ids }: Disbursing): Promise<unknown[]> {
    const rows = await world.pipeline.database.sql<{ id: string; left_out_reason: string | null }[]>`
      select id, left_out_reason from disbursements where id = any(${[...ids]})`;
    const reasons = new Map(rows.map((row) => [row.id, row.left_out_reason]));
    return ids.map((id) => reasons.get(id));
  }

  /** What the bank should have paid for an envelope: its geo records with a quantity, once each. */
  async function expectPaidOnce(program: Program, { batches }: Disbursing): Promise<void> {
    const geos: Row[] = [];
    for (const { row } of batches) geos.push(...(await world.geos(row.id)));
    const expected = geos
      .filter((geo) => Number(geo.total_quantity) > 0)
      .map((geo) => ({
        reference: geo.id,
        amount: Number(geo.total_quantity).toFixed(2),
        account: `70${String(geo.agency_id).padStart(8, '0')}`,
        bank: 'EXAMPLE-BANK',
      }));
    const byReference = (a: { reference: unknown }, b: { reference: unknown }) =>
      String(a.reference) < String(b.reference) ? -1 : 1;
    expect((await outside.bank.payments(program.account)).toSorted(byReference)).toEqual(
      expected.toSorted(byReference),
    );
  }

  it('makes one payment for each zone of each batch, to the account of its agency', async () => {
    const { program, disbursing } = await disburse([
      [world.living(0, '10'), world.living(1, '20.5'), world.living(0, '0.01')],
      [world.living(0, '7')],
    ]);
    await counts(disbursing, 4, 0);
    await expectPaidOnce(program, disbursing);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 3, debited_sum: '37.51' });
    for (const { row } of disbursing.batches)
      expect(await outside.bank.keys(row.id)).toEqual([`${row.id}-pay-1`]);
  });

  it('sends nothing for zones of nothing, and counts all their disbursements as reconciled', async () => {
    const { program, disbursing } = await disburse([
      [...[world.living(0, '0'), world.living(0, '0.00')], ...[world.living(1, '5'), world.living(1, '0')]],
      [world.living(2, '0')],
    ]);
    await counts(disbursing, 2, 3);
    await paid(disbursing);
    await expectPaidOnce(program, disbursing);
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 1, debited_sum: '5.00' });
  });

  it('pays for those who were located when an operator releases the rest', async () => {
    const { program, disbursing } = await disburse([[world.living(0, '10'), NOBODY, world.living(1, '20')]]);
    await becomes(() => world.batch(disbursing), { geo_resolution_status: 'ERROR' });
    await world.release(disbursing, 'geo_resolution');
    await counts(disbursing, 2, 0);
    await expectPaidOnce(program, disbursing);
    expect(await leftOut(disbursing)).toEqual([null, 'GEO_UNRESOLVED', null]);
  });

  it('ends with nothing to pay when nobody was located and an operator releases the batch', async () => {
    const { program, disbursing } = await disburse([[NOBODY]]);
    await becomes(() => world.batch(disbursing), { geo_resolution_status: 'ERROR' });
    await world.release(disbursing, 'geo_resolution');
    await paid(disbursing);
    expect(await outside.bank.payments(program.account)).toEqual([]);
    expect(await envelopeOf(disbursing)).toMatchObject({ number_of_disbursements_shipped: 0 });
  });

  /** Changes what PBMS says of the accounts of a program's agencies. */
  const info = (program: Program, change: (text: string) => string) =>
    world.pbms.begin(async (sql) => {
      const rows = await sql<{ id: string; additional_info: string }[]>`
        select id, additional_info from g2p_agency_program_benefit_codes where program_id = ${String(program.id)}`;
      for (const { id, additional_info } of rows)
        await sql`
          update g2p_agency_program_benefit_codes set additional_info = ${change(additional_info)} where id = ${id}`;
    });

  describe('when an agency has no account', () => {
    const withoutAccounts = (program: Program) =>
      info(program, (text) => text.replace('#ACCOUNT#', '#FORMER ACCOUNT#'));

    it('pays nothing of the batch, and says which agency of which zone it is', async () => {
      const program = await world.cashProgram();
      await withoutAccounts(program);
      const { disbursing } = await disburse([[world.living(0, '10')]], program);
      await inError(disbursing, 'AGENCY_ACCOUNT_MISSING');
      const [geo] = await world.geos(idOf(disbursing));
      const [said] = await world.faults(disbursing);
      expect(said).toContain(`Agency ${geo?.agency_mnemonic} (${geo?.agency_id})`);
      expect(said).toContain(`zone ${world.zone(0).mnemonic} of batch ${idOf(disbursing)}`);
      expect(await world.batch(disbursing)).toMatchObject({ sponsor_bank_dispatch_attempts: 1 });
      expect(await outside.bank.payments(program.account)).toEqual([]);

      await world.release(disbursing, REGION);
      expect(await leftOut(disbursing)).toEqual(['AGENCY_ACCOUNT_MISSING']);
      expect(await envelopeOf(disbursing)).toMatchObject({ number_of_disbursements_shipped: 0 });
    });

    it('pays when the account has been entered and an operator retries', async () => {
      const program = await world.cashProgram();
      await withoutAccounts(program);
      const { disbursing } = await disburse([[world.living(0, '10'), world.living(1, '20')]], program);
      await inError(disbursing, 'AGENCY_ACCOUNT_MISSING');
      await info(program, (text) => text.replace('#FORMER ACCOUNT#', '#ACCOUNT#'));
      await world.retry(disbursing, REGION);
      await counts(disbursing, 2, 0);
      await expectPaidOnce(program, disbursing);
    });
  });

  describe('when the outcome is unknown', () => {
    it('asks the bank and does not send again', async () => {
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'drop_after' }]);
      const before = await outside.bank.requests('/initiate_payment');
      const { program, disbursing } = await disburse([[world.living(0, '10'), world.living(1, '20')]]);
      await counts(disbursing, 2, 0);
      await expectPaidOnce(program, disbursing);
      expect(await outside.bank.requests('/initiate_payment')).toBe(before + 1);
    });

    it('counts all disbursements as shipped when an operator releases the batch', async () => {
      await outside.bank.faults([
        { path: '/initiate_payment', kind: 'drop_after' },
        { path: '/payment_status', kind: 'error_before' },
      ]);
      const { program, disbursing } = await disburse([
        [world.living(0, '10'), world.living(0, '20'), world.living(1, '0')],
      ]);
      await inError(disbursing, 'PAYMENT_OUTCOME_UNKNOWN');
      await counts(disbursing, 0, 0);
      await world.release(disbursing, REGION);
      await counts(disbursing, 2, 1);
      await expectPaidOnce(program, disbursing);
      expect(await leftOut(disbursing)).toEqual([null, null, null]);
    });

    it('pays once when a process is killed between the payment and its answer', async () => {
      await world.pipeline.stop();
      await world.pipeline.join({ works: false });
      const victim = await startPipelineChild(world.pipeline.url, world.pipeline.settings);
      await outside.bank.faults([{ path: '/initiate_payment', kind: 'slow_body', delay_ms: NEVER_MS }]);
      const { program, disbursing } = await disburse([[world.living(0, '10'), world.living(1, '20')]]);
      await until(
        'the bank has paid',
        async () => (await outside.bank.payments(program.account)).length === 2,
      );
      await counts(disbursing, 0, 0);
      await victim.kill();
      await world.pipeline.stop();
      await world.pipeline.join();
      await counts(disbursing, 2, 0);
      await expectPaidOnce(program, disbursing);
      expect(await outside.bank.keys(idOf(disbursing))).toEqual([`${idOf(disbursing)}-pay-1`]);
    });
  });

  it('leaves all disbursements of the payments out when the bank refuses and an operator releases the batch', async () => {
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse' }]);
    const { program, disbursing } = await disburse([
      [world.living(0, '10'), world.living(0, '0'), world.living(1, '0')],
    ]);
    await inError(disbursing, 'BANK_REFUSED');
    await world.release(disbursing, REGION);
    await counts(disbursing, 0, 1);
    expect(await leftOut(disbursing)).toEqual(['BANK_REFUSED', 'BANK_REFUSED', null]);
    expect(await outside.bank.payments(program.account)).toEqual([]);
  });

  it('pays to the corrected account when the bank refused the one it had and an operator retries', async () => {
    const program = await world.cashProgram();
    await info(program, (text) => text.replace('#ACCOUNT#', '#ACCOUNT#CLOSED-'));
    await outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse' }]);
    const { disbursing } = await disburse([[world.living(0, '10'), world.living(1, '20')]], program);
    await inError(disbursing, 'BANK_REFUSED');
    await outside.bank.faults([]);
    await info(program, (text) => text.replace('#CLOSED-', '#'));
    await world.retry(disbursing, REGION);
    await counts(disbursing, 2, 0);
    await expectPaidOnce(program, disbursing);
  });

  it('stops when PBMS names no sponsor bank; a retry works when it does', async () => {
    const program = { id: 78, account: 'ACCOUNT-OF-78' };
    await outside.bank.account(program.account, '1000');
    await world.pbms`
      insert into g2p_agency_program_benefit_codes (id, agency_id, program_id, benefit_code_id, additional_info)
      select 200000 + id, agency_id, '78', '1', additional_info
      from g2p_agency_program_benefit_codes where program_id = ${String(world.cash.id)}`;
    const bankOf = (info: string | null) => world.pbms`
      insert into g2p_warehouse_program_benefit_codes
        (id, warehouse_id, warehouse_mnemonic, program_id, benefit_code_id, additional_info)
      select 200000, warehouse_id, warehouse_mnemonic, '78', '1', ${info}
      from g2p_warehouse_program_benefit_codes where program_id = ${String(world.cash.id)}
      on conflict (id) do update set additional_info = ${info}`;
    await bankOf(null);
    const { disbursing } = await disburse([[world.living(0, '10')]], program);
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'ERROR',
      funds_available_latest_error_code: 'SPONSOR_BANK_NOT_CONFIGURED',
    });
    const [fault] = await world.pipeline.database.sql<{ error_message: string }[]>`
      select error_message from actor_transitions where actor_id = ${disbursing.envelope.id} and event = 'failed'`;
    expect(fault?.error_message).toContain(
      `program 78 and benefit code 1 of envelope ${disbursing.envelope.id}`,
    );
    expect(fault?.error_message).toContain('g2p_warehouse_program_benefit_codes of PBMS, then retry');
    await bankOf(`#ACCOUNT#${program.account}#TYPE#CURRENT`);
    const event = { type: 'funds_available.retry', at: new Date() } as const;
    await world.pipeline.system.send(envelopeActor, disbursing.envelope.id, event);
    await counts(disbursing, 1, 0);
    await expectPaidOnce(program, disbursing);
  });
});
