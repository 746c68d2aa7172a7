import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import {
  calls,
  journal,
  living,
  logOf,
  received,
  settled,
  states,
  tell,
  timesOf,
  withSettings,
} from '../support/notified.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { dayOf } from '../support/records.ts';
import { until } from '../support/wait.ts';

describe('notifications', () => {
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

  it('goes from the warehouse to the agency to the beneficiaries, in each place by itself', async () => {
    const { envelope, batch, settled, geos, logs } = await tell(world, living(world, 12, 3));
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
    const { envelope, batch, settled, geos, logs } = await tell(
      world,
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

  it('is not sent when notifications are suppressed, and counts as done', async () => {
    await withSettings(world, { suppress_notifications: 'true' });
    const before = await calls(world);
    const { envelope, settled, geos, batch, logs } = await tell(world, living(world, 6, 2));
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
    await withSettings(world, { dispatch_mode: 'tick', no_of_tasks_to_process: '4' });
    const { batch, logs } = await tell(world, living(world, 6, 2));
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
    const { batch, logs } = await tell(world, living(world, 1_000, 4));
    await settled(world, batch, 30_000);
    expect(timesOf(await received(world, await logs()))).toEqual(Array.from({ length: 1_008 }, () => 1));
    // Ten bulks of a hundred at best, and up to eight calls for warehouses and agencies.
    expect((await calls(world)) - before).toBeLessThanOrEqual(8 + 3 * 10);
  });
});
