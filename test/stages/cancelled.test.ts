import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geoActor } from '../../src/stages/actors.ts';
import { cancelEnvelopes } from '../../src/stages/cancellation.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { treat } from '../support/notified.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing } from '../support/pipeline.ts';

describe('what an operator tries again for an envelope that was cancelled meanwhile', () => {
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside);
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  const reaches = (disbursing: Disbursing, region: string, status: string) =>
    becomes(() => world.batch(disbursing), { [`${region}_status`]: status });

  async function cancel({ envelope: { id } }: Disbursing): Promise<void> {
    const { system } = world.pipeline;
    const [answer] = await system.transact((tx) => cancelEnvelopes(tx, [id]));
    expect(answer?.accepted).toBe(true);
  }

  it('is not located', async () => {
    const disbursing = await world.disburse('COMMODITY', [[{ quantity: '5', zone: null }]]);
    await reaches(disbursing, 'geo_resolution', 'ERROR');
    await cancel(disbursing);
    const [row] = disbursing.batches[0]?.disbursements ?? [];
    await world.register([row?.beneficiary_id ?? ''], world.zone(0));
    await world.retry(disbursing, 'geo_resolution');
    const batch = await becomes(() => world.batch(disbursing), {
      geo_resolution_status: 'NOT_APPLICABLE',
      geo_resolution_latest_error_code: 'ENVELOPE_CANCELLED',
    });
    expect(await world.addresses(String(batch.id))).toEqual([]);
  });

  it('gets no agency, and nobody is told', async () => {
    await world.agencies([world.zone(1)], false);
    const disbursing = await world.disburse('COMMODITY', [[world.living(1, '5')]]);
    await reaches(disbursing, 'agency_allocation', 'ERROR');
    await cancel(disbursing);
    await world.agencies([world.zone(1)], true);
    await world.retry(disbursing, 'agency_allocation');
    const batch = await becomes(() => world.batch(disbursing), {
      agency_allocation_status: 'NOT_APPLICABLE',
      agency_allocation_latest_error_code: 'ENVELOPE_CANCELLED',
    });
    expect(await world.geos(String(batch.id))).toMatchObject([
      { agency_id: null, warehouse_notification_status: 'NOT_APPLICABLE' },
    ]);
    expect(await world.logs(disbursing.envelope.id)).toEqual([]);
  });

  it('is not told', async () => {
    await treat(world, { workflows: { 'warehouse-notification': 'trigger_not_active' } });
    const disbursing = await world.disburse('COMMODITY', [[world.living(2, '5')]]);
    const batchId = disbursing.batches[0]?.row.id;
    const warehouse = async () => (await world.geos(batchId))[0] ?? {};
    const geo = await becomes(warehouse, { warehouse_notification_status: 'ERROR' });
    await treat(world, {});
    await cancel(disbursing);
    await world.pipeline.system.send(geoActor, String(geo.id), {
      type: 'warehouse_notification.retry',
      at: new Date(),
    });
    await becomes(warehouse, {
      warehouse_notification_status: 'NOT_APPLICABLE',
      warehouse_notification_latest_error_code: 'ENVELOPE_CANCELLED',
    });
    const logs = await world.logs(disbursing.envelope.id);
    expect(logs.find(({ notification_type: type }) => type === 'WAREHOUSE_NOTIFICATION')).toMatchObject({
      status: 'ERROR',
    });
  });
});
