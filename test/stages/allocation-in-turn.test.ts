import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareDecimals, normaliseDecimal, sumDecimals } from '../../src/decimal.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import { silentObserver } from '../../src/runtime/observer.ts';
import { ALLOCATIONS, type AllocationKind, givenOf } from '../support/allocations.ts';
import { becomes, type Row } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Interference, interfering } from '../support/interfere.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing } from '../support/pipeline.ts';

const RUNS = 3;
const KINDS = ['warehouse', 'agency'] as const;

const quantity = fc
  .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 999 }))
  .map(([whole, thousandths]) => normaliseDecimal(`${whole}.${String(thousandths).padStart(3, '0')}`));
const disbursement = fc.record({ zone: fc.integer({ min: 0, max: 7 }), quantity });
const batch = fc.array(disbursement, { minLength: 1, maxLength: 12 });
const envelopes = fc.array(fc.array(batch, { minLength: 6, maxLength: 10 }), {
  minLength: 2,
  maxLength: 3,
});

/** What a batch found and did when its turn to choose came. */
interface Turn {
  readonly kind: AllocationKind;
  readonly batchId: string;
  /** Allocated of the envelope before, by candidate. */
  readonly before: ReadonlyMap<string, string>;
}

describe('allocating many batches of one envelope at once, in two processes', () => {
  const interferences: Record<AllocationKind, Interference> = { warehouse: {}, agency: {} };
  const troubles: string[] = [];
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    const [warehouse, agency] = [
      interfering(ALLOCATIONS.warehouse.stage, interferences.warehouse),
      interfering(ALLOCATIONS.agency.stage, interferences.agency),
    ];
    world = await openInKind(outside, {
      processes: 2,
      settings: { suppress_notifications: 'true' },
      system: {
        between: (stages) => warehouse(agency(stages)),
        observer: {
          ...silentObserver,
          troubled: (where, error) => {
            if (where.endsWith('record')) troubles.push(`${where}: ${messageOf(error)}`);
          },
        },
      },
    });
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  /** The ids of those who may serve each zone for goods, lowest first, as PBMS says. */
  async function candidatesOf(kind: AllocationKind): Promise<ReadonlyMap<string, readonly string[]>> {
    const { zones } = ALLOCATIONS[kind];
    const links = world.pbms(`g2p_administrative_area_${zones}_g2p_${kind}_rel`);
    const programs = world.pbms(`g2p_${kind}_program_benefit_codes`);
    const rows = await world.pbms<{ zone: string; id: string }[]>`
      select ${world.pbms(`g2p_administrative_area_${zones}_id`)}::text as zone, ${world.pbms(`g2p_${kind}_id`)}::text as id
      from ${links} where ${world.pbms(`g2p_${kind}_id`)} in (
        select ${world.pbms(`${kind}_id`)} from ${programs} where program_id = ${String(world.goods.id)})
      order by 1, ${world.pbms(`g2p_${kind}_id`)}`;
    return new Map(
      [...Map.groupBy(rows, (row) => row.zone)].map(([one, some]) => [one, some.map(({ id }) => id)]),
    );
  }

  /** Notes what each batch finds when its turn comes; what is rolled back has its turn again. */
  function noteTurns(): Turn[] {
    const turns: Turn[] = [];
    for (const kind of KINDS) {
      interferences[kind].after = async ({ id: batchId }, { write, ...outcome }) => ({
        ...outcome,
        async write(tx) {
          const rows = await tx.sql<{ id: string; quantity: string }[]>`
            select allocated_to as id, allocated_quantity as quantity
            from envelope_allocations join disbursement_batch_control b using (disbursement_envelope_id)
            where b.id = ${batchId} and kind = ${kind}`;
          turns.push({ kind, batchId, before: new Map(rows.map(({ id, quantity }) => [id, quantity])) });
          await write?.(tx);
        },
      });
    }
    return turns;
  }

  /** Whoever was chosen had least at the time, and of equals the lowest id. */
  function expectBalanced(
    { kind, before }: Turn,
    geos: readonly Row[],
    candidates: ReadonlyMap<string, readonly string[]>,
  ): void {
    const has = new Map(before);
    const zones = Map.groupBy(geos, (geo) =>
      String(geo[`administrative_zone_id_${ALLOCATIONS[kind].zones}`]),
    );
    for (const [one, records] of [...zones].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const chosen = new Set(records.map((geo) => geo[`${kind}_id`]));
      const [least] = (candidates.get(one) ?? []).toSorted((a, b) =>
        compareDecimals(has.get(a) ?? '0', has.get(b) ?? '0'),
      );
      expect([...chosen]).toEqual([least]);
      const given = records.map((geo) => String(geo.total_quantity));
      has.set(String(least), sumDecimals([has.get(String(least)) ?? '0', ...given]));
    }
  }

  /** Everybody has one address, in the geo record of their zone; the geo records sum up to the batches. */
  async function expectComplete(
    { envelope, batches }: Disbursing,
    wanted: readonly (readonly { zone: number; quantity: string }[])[],
  ): Promise<void> {
    for (const [n, { row, disbursements }] of batches.entries()) {
      const geos = await world.geos(row.id);
      expect(sumDecimals(geos.map((geo) => String(geo.total_quantity)))).toBe(
        normaliseDecimal(row.total_disbursement_quantity),
      );
      const zoneOf = new Map(geos.map((geo) => [geo.id, geo.administrative_zone_id_small]));
      const addresses = await world.addresses(row.id);
      expect(addresses.map((address) => address.id)).toEqual(disbursements.map(({ id }) => id).sort());
      const lives = new Map(
        addresses.map((address) => [address.id, zoneOf.get(address.disbursement_batch_control_geo_id)]),
      );
      expect(disbursements.map(({ id }) => lives.get(id))).toEqual(
        (wanted[n] ?? []).map((one) => world.zone(one.zone).id),
      );
      expect(geos.reduce((sum, geo) => sum + Number(geo.no_of_beneficiaries), 0)).toBe(disbursements.length);
    }
    for (const kind of KINDS) {
      const { noted, summed } = await givenOf(world, envelope.id, kind);
      expect(noted).toEqual(summed);
    }
  }

  it('gives each zone to who has least, forgets nobody, and loses nothing', {
    timeout: 120_000,
  }, async () => {
    const candidates = { warehouse: await candidatesOf('warehouse'), agency: await candidatesOf('agency') };
    const several = [...candidates.warehouse.values(), ...candidates.agency.values()];
    expect(several.filter((some) => some.length > 1).length).toBeGreaterThan(4);
    await fc.assert(
      fc.asyncProperty(envelopes, async (wanted) => {
        const turns = noteTurns();
        const all = await Promise.all(
          wanted.map((batches) =>
            world.disburse(
              'COMMODITY',
              batches.map((some) => some.map((one) => world.living(one.zone, one.quantity))),
            ),
          ),
        );
        const batches = all.flatMap((disbursing) => disbursing.batches);
        for (const { row } of batches)
          await becomes(
            () => world.pipeline.batch(row.id),
            { agency_allocation_status: 'PROCESSED' },
            30_000,
          );
        for (const [n, disbursing] of all.entries()) await expectComplete(disbursing, wanted[n] ?? []);
        for (const turn of turns) expectBalanced(turn, await world.geos(turn.batchId), candidates[turn.kind]);
        expect(turns.length).toBeGreaterThanOrEqual(2 * batches.length);
        // Nothing failed on the way, and nothing had to be recorded twice: nobody stood in another's way.
        expect(troubles).toEqual([]);
        const faults = await world.pipeline.database.sql`
          select error_code, error_message from actor_transitions where event in ('failed', 'stale')
            and actor_id = any(${batches.map(({ row }) => row.id)})`;
        expect([...faults]).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
