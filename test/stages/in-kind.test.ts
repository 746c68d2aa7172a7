import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sumDecimals } from '../../src/decimal.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { until } from '../support/wait.ts';

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

const allNotified = async (envelopeId: string, batchId: string | undefined) => {
  const geos = await world.geos(batchId);
  const addresses = await world.addresses(batchId);
  return (
    geos.length > 0 &&
    geos.every((geo) => geo.warehouse_notification_status === 'PROCESSED') &&
    geos.every((geo) => geo.agency_notification_status === 'PROCESSED') &&
    addresses.every((address) => address.beneficiary_notification_status === 'PROCESSED') &&
    (await world.logs(envelopeId)).length > 0
  );
};

describe('an envelope of goods or services', () => {
  it.each(['COMMODITY', 'SERVICE', 'COMBINATION'] as const)(
    '%s is located, allocated, and everybody is told',
    async (type) => {
      const before = await world.novu.count();
      const zones = world.zones.smallZones;
      const wanted = Array.from({ length: 40 }, (_, n) => ({
        quantity: String((n % 5) + 0.5),
        zone: zones[n % zones.length] ?? null,
      }));
      const { envelope, batches } = await world.disburse(type, [wanted]);
      const batch = batches[0]?.row.id;
      await until('all are notified', () => allNotified(envelope.id, batch));
      const row = await world.pipeline.batch(batch);
      expect(row).toMatchObject({
        fa_resolution_status: 'NOT_APPLICABLE',
        geo_resolution_status: 'PROCESSED',
        warehouse_allocation_status: 'PROCESSED',
        agency_allocation_status: 'PROCESSED',
        sponsor_bank_dispatch_status: 'NOT_APPLICABLE',
      });
      const geos = await world.geos(batch);
      expect(geos).toHaveLength(zones.length);
      expect(sumDecimals(geos.map((geo) => String(geo.total_quantity)))).toBe(
        row.total_disbursement_quantity,
      );
      const notices = 2 * zones.length + 40;
      const { accepted, received } = await world.novu.count();
      expect(accepted - before.accepted).toBe(notices);
      expect(received).toBe(accepted);
      expect(await world.logs(envelope.id)).toHaveLength(notices);
    },
  );
});

describe('an envelope of physical cash', () => {
  it('is paid to the agencies and reconciled by geo record', async () => {
    const zones = world.zones.smallZones.slice(0, 3);
    const wanted = Array.from({ length: 9 }, (_, n) => ({
      quantity: n % 3 === 2 ? '0' : String(10 + n),
      zone: zones[n % 3] ?? null,
    }));
    const { envelope, batches } = await world.disburse('CASH_PHYSICAL', [wanted]);
    const batch = batches[0]?.row.id;
    await becomes(() => world.pipeline.envelope(envelope.id), {
      number_of_disbursements_shipped: 6,
      number_of_disbursements_reconciled: 3,
    });
    const ledger = await outside.bank.ledger(world.cash.account);
    expect(ledger).toMatchObject({ debits: 2, duplicate_references: 0 });
    const statement = await outside.bank.statement(world.cash.account);
    await world.pipeline.upload(statement);
    await becomes(() => world.pipeline.envelope(envelope.id), { number_of_disbursements_reconciled: 9 });
    await until('all are notified', () => allNotified(envelope.id, batch));
  });
});
