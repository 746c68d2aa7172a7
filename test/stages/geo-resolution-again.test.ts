import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { countingStatements, type StatementCounts } from '../support/count-statements.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Interference, interfering } from '../support/interfere.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing } from '../support/pipeline.ts';
import { gate } from '../support/wait.ts';

const SMALL_ZONES = 60;

describe('locating beneficiaries, come what may', () => {
  const counts: StatementCounts = new Map();
  const interference: Interference = {};
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    const interfere = interfering('geo_resolution', interference);
    const count = countingStatements(counts);
    world = await openInKind(outside, {
      sizes: { smallZones: SMALL_ZONES, agencies: SMALL_ZONES },
      settings: { suppress_notifications: 'true', registry_chunk_size: '300' },
      system: { between: (stages) => interfere(count(stages)) },
    });
  });
  afterEach(() => {
    delete interference.before;
    delete interference.after;
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const retry = (disbursing: Disbursing) => world.retry(disbursing, 'geo_resolution');
  const located = (disbursing: Disbursing) =>
    becomes(() => world.batch(disbursing), { geo_resolution_status: 'PROCESSED' });
  const allocated = (disbursing: Disbursing) =>
    becomes(() => world.batch(disbursing), { agency_allocation_status: 'PROCESSED' });
  const total = (n: number, people: number, quantity: string) =>
    `${world.zone(n).id}: ${people}, ${quantity}`;

  describe('when the registry cannot be reached', () => {
    const back = async () => {
      await world.ways.registry.stop();
      await world.ways.registry.start();
    };
    afterEach(back);

    it('stops in ERROR while the others go on, and is resumed when it is back', async () => {
      const before = await world.disburse('COMMODITY', [[world.living(0, '1')]]);
      await located(before);
      await world.ways.registry.stop();
      const [waiting, digital] = await Promise.all([
        world.disburse('COMMODITY', [[world.living(0, '1'), world.living(1, '2')]]),
        world.pipeline.disburse(world.cash, [['10', '20']]),
      ]);
      await becomes(() => world.batch(waiting), {
        geo_resolution_status: 'ERROR',
        geo_resolution_latest_error_code: 'REGISTRY_UNAVAILABLE',
        geo_resolution_attempts: 3,
      });
      await allocated(before);
      await becomes(() => world.pipeline.envelope(digital.envelope.id), {
        number_of_disbursements_shipped: 2,
      });
      expect((await world.faults(waiting))[0]).toContain(`2 of 2 disbursements of batch ${idOf(waiting)} `);
      expect(await world.totals(waiting)).toEqual([]);
      await back();
      await retry(waiting);
      await located(waiting);
      expect(await world.totals(waiting)).toEqual([total(0, 1, '1'), total(1, 1, '2')]);
    });

    it('goes on by itself when it is back before the attempts are used up', async () => {
      await world.ways.registry.stop();
      interference.before = async ({ attempt }) => {
        if (attempt === 2) await back();
      };
      const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1')]]);
      await located(disbursing);
      expect(await world.batch(disbursing)).toMatchObject({
        geo_resolution_attempts: 3,
        geo_resolution_latest_error_code: null,
      });
      expect((await world.faults(disbursing)).map((said) => said.split(':')[0])).toEqual([
        'REGISTRY_UNAVAILABLE',
        'REGISTRY_UNAVAILABLE',
      ]);
    });
  });

  it('takes, with the allocation, a number of SQL statements that does not grow with zones and people', async () => {
    async function statementsFor(people: number): Promise<number> {
      const wanted = Array.from({ length: people }, (_, n) => world.living(n % SMALL_ZONES, '1'));
      const disbursing = await world.disburse('COMMODITY', [wanted]);
      await allocated(disbursing);
      expect(await world.totals(disbursing)).toHaveLength(Math.min(people, SMALL_ZONES));
      return counts.get(idOf(disbursing)) ?? 0;
    }
    const few = await statementsFor(2);
    expect(few).toBeGreaterThan(8);
    expect(await statementsFor(1_000)).toBe(few);
  });

  describe('once more', () => {
    it('changes nothing, neither after it has been done nor when a write is repeated', async () => {
      interference.after = async (_, { write, ...outcome }) => ({
        ...outcome,
        async write(tx) {
          await write?.(tx);
          await write?.(tx);
        },
      });
      const disbursing = await world.disburse('COMMODITY', [
        [world.living(0, '1'), world.living(1, '2'), world.living(0, '3')],
      ]);
      const id = idOf(disbursing);
      await allocated(disbursing);
      expect(await world.totals(disbursing)).toEqual([total(0, 2, '4'), total(1, 1, '2')]);
      await becomes(
        () => world.geos(id).then((geos) => ({ told: geos.map((geo) => geo.agency_notification_status) })),
        {
          told: ['PROCESSED', 'PROCESSED'],
        },
      );
      await becomes(
        async () => ({
          told: new Set((await world.addresses(id)).map((row) => row.beneficiary_notification_status)),
        }),
        { told: new Set(['PROCESSED']) },
      );
      const written = async () => ({ geos: await world.geos(id), addresses: await world.addresses(id) });
      const before = await written();
      await world.pipeline.database.sql`
        update disbursement_batch_control set geo_resolution_status = 'PENDING', geo_resolution_due_at = now(),
          geo_resolution_attempts = 0 where id = ${id}`;
      expect(await world.pipeline.tick('geo_resolution')).toBe(1);
      await becomes(() => world.batch(disbursing), {
        geo_resolution_status: 'PROCESSED',
        geo_resolution_attempts: 1,
      });
      expect(await written()).toEqual(before);
    });

    it('by another process, when one has located a batch and stopped before that was recorded', async () => {
      const reached = gate();
      const never = gate();
      interference.after = async (_, outcome) => {
        reached.open();
        await never.opened;
        return outcome;
      };
      const disbursing = await world.disburse('COMMODITY', [
        [world.living(0, '1'), world.living(1, '2'), world.living(0, '3')],
      ]);
      await reached.opened;
      delete interference.after;
      await world.pipeline.stop();
      expect(await world.totals(disbursing)).toEqual([]);
      await world.pipeline.join();
      await located(disbursing);
      never.open();
      expect(await world.totals(disbursing)).toEqual([total(0, 2, '4'), total(1, 1, '2')]);
      expect(await world.addresses(idOf(disbursing))).toHaveLength(3);
    });
  });

  it('stops at once where in-kind is not enabled; a retry works after a restart with it', async () => {
    await world.pipeline.stop();
    await world.pipeline.join({}, { in_kind_enabled: 'false' });
    const disbursing = await world.disburse('COMMODITY', [[world.living(0, '1')]]);
    await becomes(() => world.batch(disbursing), {
      geo_resolution_status: 'ERROR',
      geo_resolution_latest_error_code: 'IN_KIND_NOT_ENABLED',
      geo_resolution_attempts: 1,
    });
    const [said] = await world.faults(disbursing);
    expect(said).toContain(`Batch ${idOf(disbursing)} `);
    expect(said).toContain('in_kind_enabled');
    await world.pipeline.stop();
    await world.pipeline.join();
    await retry(disbursing);
    await allocated(disbursing);
  });
});
