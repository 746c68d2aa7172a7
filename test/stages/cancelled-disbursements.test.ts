import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Partner, partnerOf } from '../support/partner.ts';
import type { Disbursing } from '../support/pipeline.ts';

describe('goods and physical cash of which some disbursements are cancelled', () => {
  let outside: Outside;
  let world: InKindPipeline;
  let partner: Partner;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside);
    partner = partnerOf(world.pipeline);
  });
  afterAll(async () => {
    await partner.close();
    await world.close();
    await outside.close();
  });

  const cancel = async (ids: readonly (string | undefined)[]) => {
    const payload = ids.map((id) => ({ disbursement_id: id }));
    return (await partner.ask('/cancel_disbursements', payload)).code;
  };
  const reaches = (disbursing: Disbursing, region: string, status: string) =>
    becomes(() => world.batch(disbursing), { [`${region}_status`]: status });
  const given = async ({ envelope: { id } }: Disbursing, kind: string) => {
    const [row] = await world.pipeline.database.sql<{ quantity: string | null }[]>`
      select sum(allocated_quantity) as quantity from envelope_allocations
      where disbursement_envelope_id = ${id} and kind = ${kind}`;
    return row?.quantity;
  };

  it('are located and allocated anew, and only what is left is handed out', async () => {
    await world.agencies([world.zone(1)], false);
    const disbursing = await world.disburse('COMMODITY', [
      [world.living(0, '5'), world.living(0, '7'), world.living(1, '11')],
    ]);
    await reaches(disbursing, 'agency_allocation', 'ERROR');
    expect(await given(disbursing, 'warehouse')).toBe('23');
    const [first, , last] = disbursing.ids;
    expect(await cancel([first, last])).toBeNull();
    await reaches(disbursing, 'agency_allocation', 'PROCESSED');
    expect(await world.totals(disbursing)).toEqual([`${world.zone(0).id}: 1, 7`]);
    expect(await given(disbursing, 'warehouse')).toBe('7');
    expect(await given(disbursing, 'agency')).toBe('7');
    await world.agencies([world.zone(1)], true);
  });

  it('go on when only those that nobody could locate were cancelled', async () => {
    const disbursing = await world.disburse('SERVICE', [
      [world.living(2, '1'), { quantity: '1', zone: null }],
    ]);
    await reaches(disbursing, 'geo_resolution', 'ERROR');
    expect(await cancel([disbursing.ids[1]])).toBeNull();
    await reaches(disbursing, 'agency_allocation', 'PROCESSED');
    expect(await world.totals(disbursing)).toEqual([`${world.zone(2).id}: 1, 1`]);
  });

  it('are not cancelled any more when their agencies are told', async () => {
    const disbursing = await world.disburse('COMMODITY', [[world.living(3, '5')]]);
    await reaches(disbursing, 'agency_allocation', 'PROCESSED');
    expect(await cancel(disbursing.ids)).toBe('DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED');
  });

  it('pay agencies what is left of physical cash', async () => {
    const program = await world.cashProgram();
    await world.agencies([world.zone(4)], false);
    const disbursing = await world.disburse(
      'CASH_PHYSICAL',
      [[world.living(4, '30'), world.living(5, '12.5')]],
      { benefit_program_id: program.id },
    );
    await reaches(disbursing, 'agency_allocation', 'ERROR');
    expect(await cancel([disbursing.ids[0]])).toBeNull();
    const { envelope } = disbursing;
    const amended = { ...envelope, number_of_disbursements: 1, total_disbursement_quantity: '12.5' };
    expect((await partner.ask('/amend_disbursement_envelope', [amended])).code).toBeNull();
    await becomes(() => world.pipeline.envelope(envelope.id), { number_of_disbursements_shipped: 1 });
    expect(await outside.bank.ledger(program.account)).toMatchObject({ debits: 1, debited_sum: '12.50' });
    await world.agencies([world.zone(4)], true);
  });
});
