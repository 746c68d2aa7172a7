import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { geoActor } from '../../src/stages/actors.ts';
import { becomes, type Row } from '../support/becomes.ts';
import { type InKindPipeline, type Located, openInKind } from '../support/in-kind.ts';
import {
  BULK,
  calls,
  journal,
  living,
  type Received,
  received,
  SINGLE,
  settled,
  states,
  tooEarly,
  treat,
} from '../support/notified.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { dayOf } from '../support/records.ts';
import { until } from '../support/wait.ts';

const GEO_REGIONS = ['warehouse_notification', 'agency_notification'] as const;

describe('notifications', () => {
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

  /** Disburses goods to beneficiaries of one batch. */
  async function disburse(wanted: readonly Located[], given: Parameters<InKindPipeline['disburse']>[2] = {}) {
    const { envelope, batches, ids } = await world.disburse('COMMODITY', [wanted], given);
    const batch = batches[0]?.row.id;
    return {
      envelope,
      batch,
      ids,
      logs: () => world.logs(envelope.id),
      settled: () => settled(world, batch),
      geos: () => world.geos(batch),
    };
  }

  /** Runs the rest of a test with other settings. */
  async function withSettings(settings: Readonly<Record<string, string>>): Promise<void> {
    await world.pipeline.stop();
    await world.pipeline.join({}, settings);
    onTestFinished(withUsualSettings);
  }

  async function withUsualSettings(): Promise<void> {
    await world.pipeline.stop();
    await world.pipeline.join();
  }

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

  const logOf = (logs: readonly Row[], id: unknown, type: string): Row => {
    const log = logs.find((one) => one.notification_id === `${id}-${type}`);
    if (!log) throw new Error(`There is no log of ${type} for ${id}.`);
    return log;
  };
  const timesOf = (all: ReadonlyMap<string, Received>) => [...all.values()].map((one) => one.times_received);

  it('goes from the warehouse to the agency to the beneficiaries, in each place by itself', async () => {
    const { envelope, batch, settled, geos, logs } = await disburse(living(world, 12, 3));
    expect(await settled()).toEqual({
      warehouse_notification: { PROCESSED: 3 },
      agency_notification: { PROCESSED: 3 },
      beneficiary_notification: { PROCESSED: 12 },
    });
    const entries = await journal(world, envelope.id);
    const events = await received(world, await logs());
    const addresses = await world.addresses(batch);
    expect(timesOf(events)).toEqual(Array.from({ length: 18 }, () => 1));

    for (const { id } of await geos()) {
      const here = addresses.filter((one) => one.disbursement_batch_control_geo_id === id);
      expect(here).toHaveLength(4);
      const seqOf = (actor: unknown, region: string, event: string) => {
        const found = entries.filter(
          (one) => one.actor_id === actor && one.region === region && one.event === event,
        );
        expect(found).toHaveLength(1);
        return Number(found[0]?.seq);
      };
      const inOrder = (order: readonly number[]) => expect(order).toEqual(order.toSorted((a, b) => a - b));
      const at = (actor: unknown, type: string) =>
        Date.parse(events.get(`${actor}-${type}`)?.first_received_at ?? '');
      for (const { id: beneficiary } of here) {
        inOrder([
          seqOf(id, 'warehouse_notification', 'dispatch'),
          seqOf(id, 'warehouse_notification', 'succeeded'),
          seqOf(id, 'agency_notification', 'dispatch'),
          seqOf(id, 'agency_notification', 'succeeded'),
          seqOf(beneficiary, 'beneficiary_notification', 'dispatch'),
          seqOf(beneficiary, 'beneficiary_notification', 'succeeded'),
        ]);
        expect(at(id, 'WAREHOUSE_NOTIFICATION')).toBeLessThan(at(id, 'AGENCY_NOTIFICATION'));
        expect(at(id, 'AGENCY_NOTIFICATION')).toBeLessThan(at(beneficiary, 'BENEFICIARY_NOTIFICATION'));
      }
    }
  });

  it('says what is handed out, where, by whom and to whom, and keeps it in the log with the answer', async () => {
    const [one, two] = living(world, 2, 1);
    if (!one?.zone || !two) throw new Error('Two beneficiaries are needed.');
    const { envelope, batch, settled, geos, logs } = await disburse(
      [
        { ...one, quantity: '12.50' },
        { ...two, quantity: '0.250' },
      ],
      {
        benefit_program_description: 'Seeds for the rains',
        benefit_code_description: 'A bag of maize "hybrid"',
        measurement_unit: 'KG',
      },
    );
    await settled();
    const [geo] = await geos();
    const [address] = (await world.addresses(batch)).filter((row) => row.beneficiary_id === one.beneficiary);
    if (!geo || !address) throw new Error('The batch has no geo record or no addresses.');
    const common = {
      benefit_program_mnemonic: 'SEEDS',
      benefit_program_description: 'Seeds for the rains',
      target_registry: 'farmer_registry',
      cycle_code_mnemonic: '2026-01',
      disbursement_date: dayOf(envelope.receipt_time_stamp as Date),
      benefit_code_id: 1,
      benefit_code_mnemonic: 'CASH',
      benefit_type: 'COMMODITY',
      benefit_code_description: 'A bag of maize "hybrid"',
      measurement_unit: 'KG',
      warehouse_id: geo.warehouse_id,
      warehouse_mnemonic: geo.warehouse_mnemonic,
      warehouse_name: geo.warehouse_name,
      agency_id: geo.agency_id,
      agency_mnemonic: geo.agency_mnemonic,
      agency_name: geo.agency_name,
      administrative_zone_id_large: geo.administrative_zone_id_large,
      administrative_zone_mnemonic_large: geo.administrative_zone_mnemonic_large,
      administrative_zone_id_small: one.zone.id,
      administrative_zone_mnemonic_small: one.zone.mnemonic,
    };
    for (const name of ['warehouse', 'agency']) {
      expect(geo[`${name}_name`]).toEqual(expect.any(String));
      expect(geo[`${name}_admin_email`]).toEqual(expect.stringContaining('@'));
    }
    const ofPlace = { ...common, total_quantity: '12.750', number_of_beneficiaries: 2 };
    const ofBeneficiary = {
      ...common,
      total_quantity: '12.50',
      beneficiary_id: one.beneficiary,
      beneficiary_name: 'Asha Devi',
    };
    const administrator = (name: string) => ({
      subscriberId: geo[`${name}_mnemonic`],
      firstName: geo[`${name}_admin_name`],
      email: geo[`${name}_admin_email`],
      phone: geo[`${name}_admin_phone`],
    });
    const beneficiary = { subscriberId: one.beneficiary, firstName: 'Asha Devi' };
    const all = await logs();
    expect(all).toHaveLength(4);
    const events = await received(world, all);
    for (const [id, type, workflow, recipient, payload] of [
      [geo.id, 'WAREHOUSE_NOTIFICATION', 'warehouse-notification', administrator('warehouse'), ofPlace],
      [geo.id, 'AGENCY_NOTIFICATION', 'agency-notification', administrator('agency'), ofPlace],
      [address.id, 'BENEFICIARY_NOTIFICATION', 'beneficiary-notification', beneficiary, ofBeneficiary],
    ] as const) {
      const event = events.get(`${id}-${type}`);
      expect(event).toMatchObject({ workflow_id: workflow, recipient, times_received: 1 });
      expect(event?.payload).toEqual(payload);
      const log = logOf(all, id, type);
      expect(log).toMatchObject({
        notification_type: type,
        disbursement_envelope_id: envelope.id,
        recipient: recipient.subscriberId,
        status: 'PROCESSED',
        error_message: null,
      });
      expect(JSON.parse(String(log.payload))).toEqual(payload);
      expect(JSON.parse(String(log.response))).toEqual({
        acknowledged: true,
        status: 'processed',
        transactionId: log.notification_id,
      });
      expect((log.processed_at as Date).getTime()).toBeGreaterThanOrEqual((log.sent_at as Date).getTime());
    }
  });

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
    const { batch, settled, geos, logs } = await disburse(wanted);
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
    const { settled, geos, logs } = await disburse(living(world, 6, 1));
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
    const { envelope, settled } = await disburse(living(world, 3, 1));
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
    const { batch, settled, geos, logs } = await disburse(living(world, 6, 1));
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
    const { settled, geos, logs } = await disburse(living(world, 1, 1));
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
    await withSettings(Object.fromEntries(attempts));
    await world.novu.stop();
    const { settled, geos, logs } = await disburse(living(world, 6, 2));
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
    await withSettings({ novu_api_key: 'somebody else' });
    const { settled, geos, batch } = await disburse(living(world, 2, 1));
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

  it('is not sent when notifications are suppressed, and counts as done', async () => {
    await withSettings({ suppress_notifications: 'true' });
    const before = await calls(world);
    const { envelope, settled, geos, batch, logs } = await disburse(living(world, 6, 2));
    expect(await settled()).toEqual({
      warehouse_notification: { PROCESSED: 2 },
      agency_notification: { PROCESSED: 2 },
      beneficiary_notification: { PROCESSED: 6 },
    });
    expect(await logs()).toEqual([]);
    expect(await calls(world)).toBe(before);
    expect((await geos())[0]).toMatchObject({ warehouse_notification_attempts: 0 });
    expect((await world.addresses(batch))[0]).toMatchObject({ beneficiary_notification_attempts: 0 });
    const events = (await journal(world, envelope.id)).map(({ event }) => event);
    expect(new Set(events)).toEqual(new Set(['allocated', 'skip']));
  });

  it('is dispatched by ticks when only ticks dispatch', async () => {
    await withSettings({ dispatch_mode: 'tick', no_of_tasks_to_process: '4' });
    const { batch, logs } = await disburse(living(world, 6, 2));
    for (const stage of ['geo_resolution', 'warehouse_allocation', 'agency_allocation'] as const) {
      expect(await world.pipeline.tick(stage)).toBe(1);
      await becomes(() => world.pipeline.batch(batch), { [`${stage}_status`]: 'PROCESSED' });
    }
    const become = async (region: string, expected: Readonly<Record<string, number>>) => {
      await becomes(() => states(world, batch), { [region]: expected });
    };
    const dueBeneficiaries = async () => {
      const addresses = await world.addresses(batch);
      return addresses.filter((address) => address.beneficiary_notification_due_at !== null).length;
    };
    await become('beneficiary_notification', { PENDING: 6 });
    expect(await world.pipeline.tick('agency_notification')).toBe(0);
    expect(await world.pipeline.tick('warehouse_notification')).toBe(2);
    await become('warehouse_notification', { PROCESSED: 2 });
    expect(await world.pipeline.tick('beneficiary_notification')).toBe(0);
    expect(await world.pipeline.tick('agency_notification')).toBe(2);
    await become('agency_notification', { PROCESSED: 2 });
    await until('the beneficiaries are due', async () => (await dueBeneficiaries()) === 6);
    expect(await logs()).toHaveLength(4);
    expect(await world.pipeline.tick('beneficiary_notification')).toBe(4);
    expect(await world.pipeline.tick('beneficiary_notification')).toBe(2);
    await become('beneficiary_notification', { PROCESSED: 6 });
    expect(timesOf(await received(world, await logs()))).toEqual(Array.from({ length: 10 }, () => 1));
  });

  it('goes to beneficiaries in bulk', async () => {
    const before = await calls(world);
    const { batch, logs } = await disburse(living(world, 1_000, 4));
    await settled(world, batch, 30_000);
    expect(timesOf(await received(world, await logs()))).toEqual(Array.from({ length: 1_008 }, () => 1));
    // Ten bulks of a hundred at best, and up to eight calls for warehouses and agencies.
    expect((await calls(world)) - before).toBeLessThanOrEqual(8 + 3 * 10);
  });
});
