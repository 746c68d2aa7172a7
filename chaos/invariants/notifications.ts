import { z } from 'zod';
import type { Sql } from '../../src/db/connection.ts';
import { compareDecimals } from '../../src/decimal.ts';
import { goesThroughZones } from '../../src/machines/benefit-type.ts';
import { getJson } from './bank.ts';
import { type Standing, standingOf } from './standing.ts';
import { type Finding, invariant } from './with-database.ts';

const received = z.object({
  count: z.number(),
  notifications: z.array(
    z.object({
      transaction_id: z.string(),
      workflow_id: z.string(),
      first_received_at: z.coerce.date(),
      payload: z.looseObject({
        total_quantity: z.string(),
        beneficiary_id: z.string().optional(),
        administrative_zone_id_large: z.string(),
        administrative_zone_id_small: z.string(),
      }),
    }),
  ),
});
type Notification = z.infer<typeof received>['notifications'][number];

const SHOWN_MAX = 10_000;
const TO_BENEFICIARIES = 'beneficiary-notification';
const TO_OTHERS = ['warehouse-notification', 'agency-notification'] as const;

/**
 * The notification service recognises a transaction id that it has seen. So what is looked for here is people: nobody is
 * told twice of one benefit under whatever ids, everybody is told once, and no warehouse or agency is told of a zone
 * more often than it has work there.
 */
export const notifiedOnce = invariant(
  'Everybody is notified exactly once of what they get.',
  async function* (sql, run) {
    for await (const standing of standingOf(sql, run)) {
      const { program, cycle } = standing.submitted;
      const path = `/_admin/notifications?limit=${SHOWN_MAX}&cycle=${encodeURIComponent(cycle)}`;
      const { count, notifications } = received.parse(await getJson(run.world.novuUrl, path));
      if (count > SHOWN_MAX) throw new Error(`${count} notifications of ${cycle} are too many to look at.`);
      if (!goesThroughZones(program.benefitType)) {
        for (const { transaction_id: id, first_received_at: at } of notifications) {
          yield { found: `${id} was sent about ${cycle}, which needs no notification.`, at };
        }
        continue;
      }
      yield* people(standing, notifications);
      yield* zones(sql, standing, notifications);
    }
  },
);

function* people(standing: Standing, notifications: readonly Notification[]): Generator<Finding> {
  const { envelopeId, disbursements, cancelled, stopped } = standing;
  const told = Map.groupBy(
    notifications.filter(({ workflow_id: workflow }) => workflow === TO_BENEFICIARIES),
    ({ payload }) => payload.beneficiary_id ?? '',
  );
  const quantities = new Map(disbursements.values().map((one) => [one.beneficiary, one.quantity]));
  for (const [beneficiary, quantity] of quantities) {
    const [first, second] = told.get(beneficiary) ?? [];
    if (!first) {
      // Who was cancelled may have been told before.
      if (cancelled || stopped) continue;
      yield { found: `Beneficiary ${beneficiary} was never told of envelope ${envelopeId}.` };
      continue;
    }
    if (second) {
      const ids = `${first.transaction_id} and ${second.transaction_id}`;
      const found = `Beneficiary ${beneficiary} was told twice of envelope ${envelopeId}: ${ids}.`;
      yield { found, at: second.first_received_at };
    }
    if (compareDecimals(first.payload.total_quantity, quantity) !== 0) {
      const found = `Beneficiary ${beneficiary} was told of ${first.payload.total_quantity} instead of ${quantity} by ${first.transaction_id}.`;
      yield { found, at: first.first_received_at };
    }
  }
  for (const [beneficiary, [first]] of told) {
    if (quantities.has(beneficiary)) continue;
    const found = `Beneficiary ${beneficiary} was told of envelope ${envelopeId}, which gives them nothing.`;
    yield { found, at: first?.first_received_at ?? null };
  }
}

/** Every batch tells the warehouse and the agency of a zone once. */
async function* zones(
  sql: Sql,
  { envelopeId, cancelled, stopped }: Standing,
  notifications: readonly Notification[],
): AsyncGenerator<Finding> {
  const rows = await sql<{ zone: string; records: number }[]>`
    select administrative_zone_id_large || ' ' || administrative_zone_id_small as zone, count(*)::int as records
    from disbursement_batch_control_geo where disbursement_envelope_id = ${envelopeId} group by 1`;
  const records = new Map(rows.map(({ zone, records: count }) => [zone, count]));
  for (const workflow of TO_OTHERS) {
    const told = Map.groupBy(
      notifications.filter(({ workflow_id: id }) => id === workflow),
      ({ payload }) => `${payload.administrative_zone_id_large} ${payload.administrative_zone_id_small}`,
    );
    for (const zone of new Set([...records.keys(), ...told.keys()])) {
      const [is, due] = [told.get(zone)?.length ?? 0, records.get(zone) ?? 0];
      if (is === due || (is < due && (cancelled || stopped))) continue;
      const found = `${workflow} of zone ${zone} was sent ${is} times instead of ${due} for envelope ${envelopeId}.`;
      yield { found, at: told.get(zone)?.at(-1)?.first_received_at ?? null };
    }
  }
}
