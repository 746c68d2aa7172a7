import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ALLOCATIONS, givenOf } from '../support/allocations.ts';
import { becomes, type Row } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing } from '../support/pipeline.ts';

describe('allocating warehouses and agencies', () => {
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

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const allocated = (disbursing: Disbursing) =>
    becomes(() => world.batch(disbursing), { agency_allocation_status: 'PROCESSED' });

  it('writes who serves a zone to its record, with whom to write to, and to every address', async () => {
    const disbursing = await world.disburse('SERVICE', [
      [world.living(0, '1'), world.living(7, '2'), world.living(0, '3')],
    ]);
    await allocated(disbursing);
    const geos = await world.geos(idOf(disbursing));
    expect(geos).toHaveLength(2);
    for (const geo of geos) {
      const [warehouse] = await world.pbms<
        Row[]
      >`select * from g2p_warehouse where id = ${String(geo.warehouse_id)}`;
      const [agency] = await world.pbms<Row[]>`
        select * from g2p_agency a join g2p_agency_program_benefit_codes p on p.agency_id = a.id
        where a.id = ${String(geo.agency_id)} and p.program_id = ${String(world.goods.id)}`;
      expect(geo).toMatchObject({
        warehouse_mnemonic: warehouse?.warehouse_mnemonic,
        warehouse_name: warehouse?.name,
        warehouse_admin_name: warehouse?.admin_name,
        warehouse_admin_email: warehouse?.admin_email,
        warehouse_admin_phone: warehouse?.admin_mobile,
        agency_mnemonic: agency?.agency_mnemonic,
        agency_additional_attributes: agency?.additional_info,
        agency_name: agency?.name,
        agency_admin_name: agency?.admin_name,
        agency_admin_email: agency?.admin_email,
        agency_admin_phone: agency?.admin_mobile,
      });
      const addresses = (await world.addresses(idOf(disbursing))).filter(
        (row) => row.disbursement_batch_control_geo_id === geo.id,
      );
      expect(addresses).toHaveLength(Number(geo.no_of_beneficiaries));
      for (const address of addresses) {
        expect(address).toMatchObject({
          warehouse_id: geo.warehouse_id,
          warehouse_mnemonic: geo.warehouse_mnemonic,
          agency_id: geo.agency_id,
          agency_mnemonic: geo.agency_mnemonic,
        });
      }
    }
  });

  it('pays physical cash afterwards, and nothing else', async () => {
    const cash = await world.disburse('CASH_PHYSICAL', [[world.living(0, '10')]]);
    const others = [];
    for (const type of ['COMMODITY', 'SERVICE', 'COMBINATION'] as const)
      others.push(await world.disburse(type, [[world.living(0, '10')]]));
    await becomes(() => world.batch(cash), { sponsor_bank_dispatch_status: 'PROCESSED' });
    for (const other of others) {
      await allocated(other);
      expect(await world.batch(other)).toMatchObject({ sponsor_bank_dispatch_status: 'NOT_APPLICABLE' });
      expect(await world.pipeline.envelope(other.envelope.id)).toMatchObject({
        funds_available_with_bank: 'NOT_APPLICABLE',
        number_of_disbursements_shipped: 0,
      });
    }
  });

  it('gives a small zone of two large ones, under any name, one agency', async () => {
    const here = world.zone(0);
    const elsewhere = { ...here, mnemonic: 'RENAMED', largeZone: world.zone(7).largeZone };
    const disbursing = await world.disburse('COMMODITY', [
      [
        { quantity: '1', zone: here },
        { quantity: '2', zone: elsewhere },
      ],
    ]);
    await allocated(disbursing);
    const geos = await world.geos(idOf(disbursing));
    expect(geos).toHaveLength(2);
    expect(geos[0]?.agency_id).toBe(geos[1]?.agency_id);
    const { noted, summed } = await givenOf(world, disbursing.envelope.id, 'agency');
    expect(noted).toEqual([`${geos[0]?.agency_id}: 3`]);
    expect(summed).toEqual(noted);
  });

  it('chooses the same for the same envelope again', async () => {
    const wanted = Array.from({ length: 40 }, (_, n) => world.living(n % 8, String((n % 7) + 0.5)));
    const chosen: unknown[] = [];
    for (let times = 0; times < 2; times += 1) {
      const disbursing = await world.disburse('COMMODITY', [wanted]);
      await allocated(disbursing);
      chosen.push((await world.geos(idOf(disbursing))).map((geo) => [geo.warehouse_id, geo.agency_id]));
    }
    expect(chosen[1]).toEqual(chosen[0]);
  });

  it('changes nothing when it is done again', async () => {
    const disbursing = await world.disburse('COMMODITY', [
      Array.from({ length: 16 }, (_, n) => world.living(n % 8, '2')),
    ]);
    await allocated(disbursing);
    const id = idOf(disbursing);
    const told = async () => {
      const rows = [...(await world.geos(id)), ...(await world.addresses(id))];
      return { open: rows.filter((row) => Object.values(row).includes('NOT_APPLICABLE')).length };
    };
    await becomes(told, { open: 0 });
    const written = async () => ({
      geos: [...(await world.geos(id))],
      addresses: [...(await world.addresses(id))],
      warehouses: await givenOf(world, disbursing.envelope.id, 'warehouse'),
      agencies: await givenOf(world, disbursing.envelope.id, 'agency'),
    });
    const before = await written();
    for (const { stage: region } of Object.values(ALLOCATIONS)) {
      const { sql } = world.pipeline.database;
      await sql`
        update disbursement_batch_control set ${sql(`${region}_status`)} = 'PENDING', ${sql(`${region}_due_at`)} = now(),
          ${sql(`${region}_attempts`)} = 0 where id = ${id}`;
      expect(await world.pipeline.tick(region)).toBe(1);
      await becomes(() => world.batch(disbursing), {
        [`${region}_status`]: 'PROCESSED',
        [`${region}_attempts`]: 1,
      });
    }
    expect(await written()).toEqual(before);
  });

  describe('when nobody serves a zone', () => {
    it('allocates no agency and names zone, program and benefit code; a retry works when there is one', async () => {
      const [bare, alsoBare, served] = [world.zone(2), world.zone(3), world.zone(5)];
      await world.agencies([bare, alsoBare], false);
      const disbursing = await world.disburse('COMMODITY', [
        [bare, served, alsoBare].map((one) => ({ quantity: '1', zone: one })),
      ]);
      await becomes(() => world.batch(disbursing), {
        agency_allocation_status: 'ERROR',
        agency_allocation_latest_error_code: 'NO_AGENCY_FOUND',
        agency_allocation_attempts: 3,
      });
      const [said] = await world.faults(disbursing);
      expect(said).toContain(`NO_AGENCY_FOUND: No agency serves the small zones `);
      for (const one of [bare, alsoBare]) expect(said).toContain(`${one.mnemonic} (${one.id})`);
      expect(said).not.toContain(served.mnemonic);
      expect(said).toContain(`batch ${idOf(disbursing)} `);
      expect(said).toContain(`program SEEDS (${world.goods.id})`);
      expect(said).toContain('benefit code CASH (1)');
      const nobody = (await world.geos(idOf(disbursing))).map((geo) => geo.agency_id);
      expect(nobody).toEqual([null, null, null]);
      expect((await givenOf(world, disbursing.envelope.id, 'agency')).noted).toEqual([]);
      expect(await world.addresses(idOf(disbursing))).toMatchObject(Array(3).fill({ agency_id: null }));

      await world.agencies([bare, alsoBare], true);
      await world.retry(disbursing, 'agency_allocation');
      await allocated(disbursing);
      for (const geo of await world.geos(idOf(disbursing))) expect(geo.agency_id).not.toBeNull();
    });

    it('allocates no warehouse and names zone, program and benefit code; a retry works when there is one', async () => {
      // Nobody gives this program to the large zones yet.
      const program = { benefit_program_id: 77, benefit_program_mnemonic: 'TOOLS', benefit_code_id: 5 };
      const disbursing = await world.disburse('SERVICE', [[world.living(0, '1'), world.living(7, '1')]], {
        ...program,
        benefit_code_mnemonic: 'HOE',
      });
      await becomes(() => world.batch(disbursing), {
        warehouse_allocation_status: 'ERROR',
        warehouse_allocation_latest_error_code: 'NO_WAREHOUSE_FOUND',
        agency_allocation_status: 'NOT_APPLICABLE',
      });
      const [said] = await world.faults(disbursing);
      expect(said).toContain('NO_WAREHOUSE_FOUND: No warehouse serves the large zones ');
      for (const { largeZone } of [world.zone(0), world.zone(7)])
        expect(said).toContain(`${largeZone.mnemonic} (${largeZone.id})`);
      expect(said).toContain('program TOOLS (77) and benefit code HOE (5)');
      expect(await world.geos(idOf(disbursing))).toMatchObject(Array(2).fill({ warehouse_id: null }));
      expect((await givenOf(world, disbursing.envelope.id, 'warehouse')).noted).toEqual([]);
      for (const kind of Object.keys(ALLOCATIONS)) {
        const table = world.pbms(`g2p_${kind}_program_benefit_codes`);
        await world.pbms`
          insert into ${table} (id, ${world.pbms(`${kind}_id`)}, program_id, benefit_code_id)
          select 100000 + id, id, 77, 5 from ${world.pbms(`g2p_${kind}`)}`;
      }
      await world.retry(disbursing, 'warehouse_allocation');
      await allocated(disbursing);
    });
  });

  describe('when PBMS cannot be reached', () => {
    const back = async () => {
      await world.ways.pbms.stop();
      await world.ways.pbms.start();
    };
    afterEach(back);

    it('stops in ERROR with what was located, and is resumed when it is back', async () => {
      await world.ways.pbms.stop();
      const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1'), world.living(1, '2')]]);
      await becomes(() => world.batch(disbursing), {
        geo_resolution_status: 'PROCESSED',
        warehouse_allocation_status: 'ERROR',
        warehouse_allocation_latest_error_code: 'PBMS_UNAVAILABLE',
        warehouse_allocation_attempts: 3,
      });
      await back();
      await world.retry(disbursing, 'warehouse_allocation');
      await allocated(disbursing);
      expect(await world.batch(disbursing)).toMatchObject({ warehouse_allocation_latest_error_code: null });
    });
  });
});
