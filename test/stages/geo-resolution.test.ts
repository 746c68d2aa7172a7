import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, type Located, openInKind } from '../support/in-kind.ts';
import { type Interference, interfering } from '../support/interfere.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing } from '../support/pipeline.ts';
import { newId } from '../support/records.ts';
import { gate } from '../support/wait.ts';

const NOBODY: Located = { quantity: '7', zone: null };

describe('locating the beneficiaries of a batch', () => {
  const interference: Interference = {};
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, {
      // The chunks must make no difference.
      settings: { suppress_notifications: 'true', registry_chunk_size: '2' },
      system: { between: interfering('geo_resolution', interference) },
    });
  });
  afterEach(() => {
    delete interference.before;
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const beneficiariesOf = ({ batches }: Disbursing) =>
    batches.flatMap(({ disbursements }) => disbursements.map((one) => one.beneficiary_id));
  const retry = (disbursing: Disbursing) => world.retry(disbursing, 'geo_resolution');
  const release = (disbursing: Disbursing) => world.release(disbursing, 'geo_resolution');
  const located = (disbursing: Disbursing) =>
    becomes(() => world.batch(disbursing), { geo_resolution_status: 'PROCESSED' });
  const allocated = (disbursing: Disbursing) =>
    becomes(() => world.batch(disbursing), { agency_allocation_status: 'PROCESSED' });

  const total = (n: number, people: number, quantity: string) =>
    `${world.zone(n).id}: ${people}, ${quantity}`;

  it('gives each disbursement an address, and each zone a record of its people and quantity', async () => {
    const disbursing = await world.disburse('COMMODITY', [
      [world.living(0, '1.5'), world.living(1, '2'), world.living(0, '0.25'), world.living(1, '0')],
    ]);
    await located(disbursing);
    const geos = await world.geos(idOf(disbursing));
    expect(geos).toHaveLength(2);
    for (const [n, quantity] of ['1.75', '2'].entries()) {
      expect(geos[n]).toMatchObject({
        disbursement_envelope_id: disbursing.envelope.id,
        disbursement_cycle_id: String(disbursing.envelope.disbursement_cycle_id),
        administrative_zone_id_large: world.zone(n).largeZone.id,
        administrative_zone_mnemonic_large: world.zone(n).largeZone.mnemonic,
        administrative_zone_id_small: world.zone(n).id,
        administrative_zone_mnemonic_small: world.zone(n).mnemonic,
        no_of_beneficiaries: 2,
        total_quantity: quantity,
      });
    }
    const addresses = new Map((await world.addresses(idOf(disbursing))).map((row) => [row.id, row]));
    expect(addresses.size).toBe(4);
    for (const [n, id] of disbursing.ids.entries()) {
      expect(addresses.get(id)).toMatchObject({
        disbursement_id: id,
        beneficiary_id: beneficiariesOf(disbursing)[n],
        disbursement_batch_control_geo_id: geos[n % 2]?.id,
        administrative_zone_id_large: world.zone(n % 2).largeZone.id,
        administrative_zone_id_small: world.zone(n % 2).id,
        administrative_zone_mnemonic_small: world.zone(n % 2).mnemonic,
        beneficiary_name: 'Asha Devi',
      });
    }
  });

  it('counts a beneficiary of several disbursements once, and sums what they get', async () => {
    const beneficiary = newId('BEN');
    const disbursing = await world.disburse('COMMODITY', [
      [
        { ...world.living(0, '1.1'), beneficiary },
        { ...world.living(0, '2.2'), beneficiary },
        world.living(0, '3'),
      ],
    ]);
    await located(disbursing);
    expect(await world.totals(disbursing)).toEqual([total(0, 2, '6.3')]);
    expect(await world.addresses(idOf(disbursing))).toHaveLength(3);
  });

  it('keeps a small zone that the registry has in two large ones apart', async () => {
    const here = world.zone(0);
    const elsewhere = { ...here, largeZone: world.zone(7).largeZone };
    expect(elsewhere.largeZone.id).not.toBe(here.largeZone.id);
    const disbursing = await world.disburse('COMMODITY', [
      [
        { quantity: '1', zone: here },
        { quantity: '2', zone: elsewhere },
        { quantity: '4', zone: here },
      ],
    ]);
    await allocated(disbursing);
    expect((await world.totals(disbursing)).toSorted()).toEqual([total(0, 1, '2'), total(0, 2, '5')]);
    const addresses = await world.addresses(idOf(disbursing));
    expect(new Set(addresses.map((row) => row.disbursement_batch_control_geo_id)).size).toBe(2);
  });

  it('finds the resolver of the target registry whatever its case', async () => {
    const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1')]], {
      target_registry: 'Farmer_REGISTRY',
    });
    await located(disbursing);
  });

  it.each([
    { what: 'that no resolver is for', target_registry: 'student_registry' },
    { what: 'that is not said', target_registry: null },
  ])('stops at once at a target registry $what', async ({ target_registry }) => {
    const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1')]], { target_registry });
    await becomes(() => world.batch(disbursing), {
      geo_resolution_status: 'ERROR',
      geo_resolution_latest_error_code: 'GEO_RESOLVER_NOT_CONFIGURED',
      geo_resolution_attempts: 1,
    });
    const [said] = await world.faults(disbursing);
    expect(said).toContain(`"${target_registry ?? ''}" of envelope ${disbursing.envelope.id}`);
    expect(said).toContain('geo_resolvers_impls');
  });

  describe('when the registry does not know where some live', () => {
    it('keeps who was located, asks only for the rest, and goes on when they are registered', async () => {
      const received = gate<Disbursing>();
      const seen: (readonly string[])[] = [];
      // Where the first ones live is soon forgotten: nobody may be asked about again.
      interference.before = async ({ attempt }) => {
        const disbursing = await received.opened;
        seen[attempt] = await world.totals(disbursing);
        const [a = '', b = '', c = '', d = '', e = ''] = beneficiariesOf(disbursing);
        if (attempt === 1) {
          await world.forget([a, c, e]);
          await world.register([b], world.zone(0));
        }
        if (attempt === 2) await world.register([d], world.zone(2));
      };
      const disbursing = await world.disburse('COMMODITY', [
        [world.living(0, '1'), NOBODY, world.living(1, '2'), NOBODY, world.living(0, '3.5')],
      ]);
      received.open(disbursing);
      const id = idOf(disbursing);
      await located(disbursing);
      await allocated(disbursing);
      const afterFirst = [total(0, 2, '4.5'), total(1, 1, '2')];
      const afterSecond = [total(0, 3, '11.5'), total(1, 1, '2')];
      expect(seen).toEqual([[], afterFirst, afterSecond]);
      expect(await world.totals(disbursing)).toEqual([...afterSecond, total(2, 1, '7')]);
      expect(await world.batch(disbursing)).toMatchObject({
        geo_resolution_attempts: 3,
        geo_resolution_latest_error_code: null,
      });
      const faults = await world.faults(disbursing);
      expect(faults).toHaveLength(2);
      expect(faults[0]).toContain(`GEO_UNRESOLVED: 2 of 5 disbursements of batch ${id} `);
      for (const n of [1, 3]) expect(faults[0]).toContain(disbursing.ids[n]);
      for (const n of [0, 2, 4]) expect(faults[0]).not.toContain(disbursing.ids[n]);
      expect(faults[1]).toContain(`GEO_UNRESOLVED: 1 of 2 disbursements of batch ${id} `);
      expect(faults[1]).toContain(`${disbursing.ids[3]} (`);
      expect(faults[1]).toContain(beneficiariesOf(disbursing)[3]);
    });

    it('stops in ERROR when the attempts are used up; a retry locates who has been registered since', async () => {
      const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1'), NOBODY]]);
      await becomes(() => world.batch(disbursing), {
        geo_resolution_status: 'ERROR',
        geo_resolution_latest_error_code: 'GEO_UNRESOLVED',
        geo_resolution_attempts: 3,
        warehouse_allocation_status: 'NOT_APPLICABLE',
      });
      expect(await world.totals(disbursing)).toEqual([total(0, 1, '1')]);
      await world.register(beneficiariesOf(disbursing).slice(1), world.zone(0));
      await retry(disbursing);
      await located(disbursing);
      expect(await world.totals(disbursing)).toEqual([total(0, 2, '8')]);
    });

    it('does not locate who is registered without an area', async () => {
      const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1'), NOBODY]]);
      await world.register(beneficiariesOf(disbursing).slice(1), null);
      await becomes(() => world.batch(disbursing), { geo_resolution_status: 'ERROR' });
      const faults = await world.faults(disbursing);
      expect(faults.at(-1)).toContain(`GEO_UNRESOLVED: 1 of 1 disbursements of batch ${idOf(disbursing)} `);
      expect(faults.at(-1)).toContain(disbursing.ids[1]);
      expect(await world.totals(disbursing)).toEqual([total(0, 1, '1')]);
    });

    it('goes on without them when an operator releases the batch, and marks each', async () => {
      const disbursing = await world.disburse('COMMODITY', [
        [world.living(0, '1'), NOBODY, world.living(1, '2'), NOBODY],
      ]);
      await becomes(() => world.batch(disbursing), { geo_resolution_status: 'ERROR' });
      await release(disbursing);
      // Too late: the operator has decided.
      await world.register(
        [1, 3].map((n) => beneficiariesOf(disbursing)[n] ?? ''),
        world.zone(0),
      );
      await allocated(disbursing);
      const rows = await world.pipeline.database.sql<{ id: string; left_out_reason: string | null }[]>`
        select id, left_out_reason from disbursements where disbursement_envelope_id = ${disbursing.envelope.id}`;
      const reasons = new Map(rows.map((row) => [row.id, row.left_out_reason]));
      expect(disbursing.ids.map((id) => reasons.get(id))).toEqual([
        null,
        'GEO_UNRESOLVED',
        null,
        'GEO_UNRESOLVED',
      ]);
      expect(await world.totals(disbursing)).toEqual([total(0, 1, '1'), total(1, 1, '2')]);
      expect(await world.addresses(idOf(disbursing))).toHaveLength(2);
    });

    it('goes to the end with nothing when a batch is released of which nobody was located', async () => {
      const disbursing = await world.disburse('COMMODITY', [[NOBODY]]);
      await becomes(() => world.batch(disbursing), { geo_resolution_status: 'ERROR' });
      await release(disbursing);
      await allocated(disbursing);
      expect(await world.totals(disbursing)).toEqual([]);
      expect(await world.batch(disbursing)).toMatchObject({ sponsor_bank_dispatch_status: 'NOT_APPLICABLE' });
    });

    it('leaves out who was cancelled before', async () => {
      const disbursing = await world.disburse('COMMODITY', [
        [world.living(0, '1'), NOBODY, world.living(0, '2')],
      ]);
      await becomes(() => world.batch(disbursing), { geo_resolution_status: 'ERROR' });
      await world.pipeline.database.sql`
        update disbursements set cancellation_status = 'CANCELLED' where id = ${disbursing.ids[1] ?? ''}`;
      await retry(disbursing);
      await located(disbursing);
      expect(await world.totals(disbursing)).toEqual([total(0, 2, '3')]);
    });
  });
});
