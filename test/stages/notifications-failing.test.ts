import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { geoActor } from '../../src/stages/actors.ts';
import type { Row } from '../support/becomes.ts';
import { CARELESS_NOTIFIER } from '../support/careless-notifier.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import {
  BULK,
  calls,
  journal,
  living,
  logOf,
  received,
  SINGLE,
  states,
  tell,
  timesOf,
  tooEarly,
  treat,
  withSettings,
} from '../support/notified.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { until } from '../support/wait.ts';

const GEO_REGIONS = ['warehouse_notification', 'agency_notification'] as const;

describe('a notification that fails', () => {
  let outside: Outside;
  let world: InKindPipeline;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside);
  });
  afterEach(async () => {
    await world.novu.faults([]);
    await treat(world, {});
  });
  afterAll(async () => {
    await world.close();
    await outside.close();
  });

  /** An operator has the notifications of geo records tried again. */
  async function retry(geos: readonly Row[], region: (typeof GEO_REGIONS)[number]): Promise<void> {
    const retried = await world.pipeline.system.transact((tx) =>
      tx.send(
        geoActor,
        geos.map(({ id }) => ({ id: String(id), event: { type: `${region}.retry`, at: tx.now } })),
      ),
    );
    expect(retried.every(({ accepted }) => accepted)).toBe(true);
  }

  it('lets nobody wait for those whom the service refuses for good; they are told after a retry', async () => {
    const wanted = living(world, 8, 2);
    const refused = wanted[5]?.beneficiary ?? '';
    await treat(world, {
      workflows: {
        'warehouse-notification': 'trigger_not_active',
        'agency-notification': 'no_workflow_steps_defined',
      },
      subscribers: { [refused]: 'invalid_recipients' },
    });
    const { batch, settled, geos, logs } = await tell(world, wanted);
    expect(await settled()).toEqual({
      warehouse_notification: { ERROR: 2 },
      agency_notification: { ERROR: 2 },
      beneficiary_notification: { PROCESSED: 7, ERROR: 1 },
    });
    const failed = { status: 'ERROR', processed_at: expect.any(Date) };
    for (const geo of await geos()) {
      for (const region of GEO_REGIONS) {
        expect(geo).toMatchObject({
          [`${region}_latest_error_code`]: 'NOTIFICATION_NOT_PROCESSED',
          [`${region}_attempts`]: 1,
          [`${region}_job_id`]: null,
        });
      }
      expect(logOf(await logs(), geo.id, 'WAREHOUSE_NOTIFICATION')).toMatchObject({
        ...failed,
        error_message: `NOTIFICATION_NOT_PROCESSED: Notification ${geo.id}-WAREHOUSE_NOTIFICATION failed: Novu answered "trigger_not_active".`,
        response: expect.stringContaining('trigger_not_active'),
      });
    }
    const address = (await world.addresses(batch)).find((row) => row.beneficiary_id === refused);
    expect(address).toMatchObject({
      beneficiary_notification_status: 'ERROR',
      beneficiary_notification_latest_error_code: 'NOTIFICATION_NOT_PROCESSED',
      beneficiary_notification_attempts: 1,
    });
    expect(logOf(await logs(), address?.id, 'BENEFICIARY_NOTIFICATION')).toMatchObject(failed);

    await treat(world, { subscribers: { [refused]: 'invalid_recipients' } });
    for (const region of GEO_REGIONS) await retry(await geos(), region);
    await until('all places are told', async () =>
      (await geos()).every((geo) => GEO_REGIONS.every((region) => geo[`${region}_status`] === 'PROCESSED')),
    );
    // The first time was the beneficiaries' turn already: a retry in their place tells nobody again.
    expect(await states(world, batch)).toMatchObject({
      beneficiary_notification: { PROCESSED: 7, ERROR: 1 },
    });
    for (const geo of await geos()) {
      const log = logOf(await logs(), geo.id, 'WAREHOUSE_NOTIFICATION');
      expect(log).toMatchObject({ status: 'PROCESSED', error_message: null });
      expect(String(log.response)).toContain('processed');
      expect((log.processed_at as Date).getTime()).toBeGreaterThanOrEqual((log.sent_at as Date).getTime());
    }
    const events = await received(world, await logs());
    expect(timesOf(events)).toEqual(Array.from({ length: 2 + 2 + 7 }, () => 1));
  });

  it('stops in ERROR after its attempts while the service has a fault, and comes back with a retry', async () => {
    await world.novu.faults([{ path: SINGLE, kind: 'error_before' }]);
    const before = await world.novu.requests(SINGLE);
    const { settled, geos, logs } = await tell(world, living(world, 6, 1));
    // Warehouse and agency of the one place go each by itself, the beneficiaries in bulk.
    expect(await settled()).toEqual({
      warehouse_notification: { ERROR: 1 },
      agency_notification: { ERROR: 1 },
      beneficiary_notification: { PROCESSED: 6 },
    });
    expect(await world.novu.requests(SINGLE)).toBe(before + 6);
    const [geo] = await geos();
    for (const [region, type] of [
      ['warehouse_notification', 'WAREHOUSE_NOTIFICATION'],
      ['agency_notification', 'AGENCY_NOTIFICATION'],
    ] as const) {
      expect(geo).toMatchObject({
        [`${region}_latest_error_code`]: 'NOTIFICATION_SERVICE_UNAVAILABLE',
        [`${region}_attempts`]: 3,
      });
      expect(logOf(await logs(), geo?.id, type)).toMatchObject({
        status: 'ERROR',
        error_message: expect.stringMatching(/^NOTIFICATION_SERVICE_UNAVAILABLE: .+ HTTP 500/),
      });
    }
    await world.novu.faults([]);
    for (const region of GEO_REGIONS) await retry(await geos(), region);
    expect(await settled()).toMatchObject({
      warehouse_notification: { PROCESSED: 1 },
      agency_notification: { PROCESSED: 1 },
    });
    expect((await geos())[0]).toMatchObject({
      warehouse_notification_attempts: 1,
      warehouse_notification_latest_error_code: null,
    });
    expect(timesOf(await received(world, await logs()))).toEqual(Array.from({ length: 8 }, () => 1));
  });

  it('lets the agency be told before the warehouse, whose turn comes again', async () => {
    await world.novu.faults([{ path: SINGLE, kind: 'error_before', count: 1 }]);
    const { envelope, settled } = await tell(world, living(world, 3, 1));
    expect(await settled()).toMatchObject({ warehouse_notification: { PROCESSED: 1 } });
    const steps = (await journal(world, envelope.id))
      .filter(
        ({ machine, event }) => machine === 'geo' && ['failed', 'dispatch', 'succeeded'].includes(event),
      )
      .map(({ region, event }) => `${region} ${event}`);
    expect(steps.slice(0, 3)).toEqual([
      'warehouse_notification dispatch',
      'warehouse_notification failed',
      'agency_notification dispatch',
    ]);
    expect(steps.filter((step) => step === 'agency_notification dispatch')).toHaveLength(1);
  });

  it('is sent again under the same id when its answer is lost, and delivered once', async () => {
    await world.novu.faults([
      { path: SINGLE, kind: 'drop_after', count: 2 },
      { path: BULK, kind: 'drop_after', count: 1 },
    ]);
    const { batch, settled, geos, logs } = await tell(world, living(world, 6, 1));
    expect(await settled()).toEqual({
      warehouse_notification: { PROCESSED: 1 },
      agency_notification: { PROCESSED: 1 },
      beneficiary_notification: { PROCESSED: 6 },
    });
    const [geo] = await geos();
    const all = await logs();
    const events = await received(world, all);
    expect(events.size).toBe(all.length);
    const again = [...events.values()].filter((one) => one.times_received === 2);
    // The two single ones in either order, and one bulk: of all beneficiaries unless some had gone before it.
    expect(again.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...timesOf(events))).toBeLessThanOrEqual(3);
    const attempts = Number(geo?.warehouse_notification_attempts) + Number(geo?.agency_notification_attempts);
    expect(attempts).toBe(4);
    for (const address of await world.addresses(batch)) {
      const event = events.get(`${address.id}-BENEFICIARY_NOTIFICATION`);
      expect(event?.times_received).toBe(address.beneficiary_notification_attempts);
    }
  });

  it('waits as long as the service asks for (429), which uses up no attempt', async () => {
    await treat(world, { retry_after_seconds: 1 });
    await world.novu.faults([{ path: SINGLE, kind: 'error_before', status: 429, count: 1 }]);
    const before = await calls(world);
    const { settled, geos, logs } = await tell(world, living(world, 1, 1));
    await settled();
    expect(await tooEarly(world)).toBe(0);
    expect(await calls(world)).toBe(before + 4);
    const [geo] = await geos();
    expect(geo).toMatchObject({
      warehouse_notification_attempts: 1,
      warehouse_notification_status: 'PROCESSED',
    });
    const log = logOf(await logs(), geo?.id, 'WAREHOUSE_NOTIFICATION');
    expect((log.processed_at as Date).getTime() - (log.sent_at as Date).getTime()).toBeGreaterThanOrEqual(
      1_000,
    );
  });

  it('is tried again while the service is away, until it is back', async () => {
    const attempts = ['warehouse', 'agency', 'beneficiary'].map((who) => [
      `${who}_notification_max_attempts`,
      '1000',
    ]);
    await withSettings(world, Object.fromEntries(attempts));
    await world.novu.stop();
    const { settled, geos, logs } = await tell(world, living(world, 6, 2));
    await until('all have been tried', async () => {
      const [geo] = await geos();
      return Number(geo?.warehouse_notification_attempts) > 1 && (await logs()).length === 10;
    });
    for (const log of await logs()) {
      if (log.status === 'ERROR') expect(log.error_message).toMatch(/^NOTIFICATION_SERVICE_UNAVAILABLE: /);
      else expect(log.status).toBe('PENDING');
    }
    await world.novu.start();
    expect(await settled()).toEqual({
      warehouse_notification: { PROCESSED: 2 },
      agency_notification: { PROCESSED: 2 },
      beneficiary_notification: { PROCESSED: 6 },
    });
    expect(timesOf(await received(world, await logs()))).toEqual(Array.from({ length: 10 }, () => 1));
  });

  it('stops at once when the service does not take our key', async () => {
    await withSettings(world, { novu_api_key: 'somebody else' });
    const { settled, geos, batch } = await tell(world, living(world, 2, 1));
    expect(await settled()).toEqual({
      warehouse_notification: { ERROR: 1 },
      agency_notification: { ERROR: 1 },
      beneficiary_notification: { ERROR: 2 },
    });
    expect((await geos())[0]).toMatchObject({
      warehouse_notification_latest_error_code: 'NOTIFICATION_UNAUTHORIZED',
      warehouse_notification_attempts: 1,
      agency_notification_latest_error_code: 'NOTIFICATION_UNAUTHORIZED',
    });
    expect((await world.addresses(batch))[0]).toMatchObject({
      beneficiary_notification_latest_error_code: 'NOTIFICATION_UNAUTHORIZED',
      beneficiary_notification_attempts: 1,
    });
  });

  it('does not count as sent when the connector forgets it or throws, and the log says so', async () => {
    await withSettings(world, { ...CARELESS_NOTIFIER, beneficiary_notification_max_attempts: '1' });
    const { batch, settled, geos, logs } = await tell(world, living(world, 1, 1));
    expect(await settled()).toEqual({
      warehouse_notification: { PROCESSED: 1 },
      agency_notification: { ERROR: 1 },
      beneficiary_notification: { ERROR: 1 },
    });
    const [geo] = await geos();
    expect(geo).toMatchObject({
      agency_notification_latest_error_code: 'INTERNAL_ERROR',
      agency_notification_attempts: 3,
    });
    expect(logOf(await logs(), geo?.id, 'AGENCY_NOTIFICATION')).toMatchObject({
      status: 'ERROR',
      error_message: expect.stringMatching(/^INTERNAL_ERROR: .* Nobody expected an agency\.$/),
    });
    const [address] = await world.addresses(batch);
    expect(address?.beneficiary_notification_latest_error_code).toBe('NOTIFICATION_NOT_ANSWERED');
    expect(logOf(await logs(), address?.id, 'BENEFICIARY_NOTIFICATION')).toMatchObject({
      status: 'ERROR',
      error_message: expect.stringMatching(/^NOTIFICATION_NOT_ANSWERED: /),
    });
  });
});
