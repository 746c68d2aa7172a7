import { onTestFinished } from 'vitest';
import type { Transition } from '../../src/runtime/journal.ts';
import { get, post } from '../simulators/fixtures.ts';
import type { Row } from './becomes.ts';
import type { InKindPipeline, Located } from './in-kind.ts';
import { newId } from './records.ts';
import { until } from './wait.ts';

export const SINGLE = '/v1/events/trigger';
export const BULK = '/v1/events/trigger/bulk';

/** How the notification service treats events; see `simulators/README.md`. */
export interface Rules {
  readonly workflows?: Readonly<Record<string, string>>;
  readonly subscribers?: Readonly<Record<string, string>>;
  readonly retry_after_seconds?: number;
}

/** What the notification service has accepted, as it keeps it. */
export interface Received {
  readonly transaction_id: string;
  readonly workflow_id: string;
  readonly subscriber_id: string;
  readonly recipient: Row;
  readonly payload: Row;
  readonly times_received: number;
  readonly first_received_at: string;
}

/** Replaces the rules of the notification service. */
export async function treat(world: InKindPipeline, rules: Rules): Promise<void> {
  const { status, body } = await post(world.novu.url, '/_control', { rules });
  if (status !== 200) throw new Error(`The rules were answered ${JSON.stringify(body)}.`);
}

/** Requests that came to the service before the time that its last 429 had named. */
export async function tooEarly(world: InKindPipeline): Promise<number> {
  const { body } = await get(world.novu.url, '/_control');
  return Number((body.rules as Row).too_early);
}

/** What the service has accepted of some notifications, by id. */
export async function received(
  world: InKindPipeline,
  logs: readonly Row[],
): Promise<ReadonlyMap<string, Received>> {
  const { body } = await get(world.novu.url, '/_admin/notifications?limit=10000');
  const ids = new Set(logs.map((log) => log.notification_id));
  const all = body.notifications as unknown as readonly Received[];
  return new Map(all.filter((one) => ids.has(one.transaction_id)).map((one) => [one.transaction_id, one]));
}

/** Requests that the service has been sent since it started. */
export async function calls({ novu }: InKindPipeline): Promise<number> {
  return (await novu.requests(SINGLE)) + (await novu.requests(BULK));
}

/** Beneficiaries spread evenly over the first small zones. */
export function living(world: InKindPipeline, count: number, zones: number): Located[] {
  return Array.from({ length: count }, (_, n) => ({
    quantity: '2.5',
    zone: world.zones.smallZones[n % zones] ?? null,
    beneficiary: newId('BEN'),
  }));
}

/** How many of a batch's notifications are in which state, by region: `{ agency_notification: { ERROR: 1 } }`. */
export async function states(
  { pipeline }: InKindPipeline,
  batchId: string | undefined,
): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> {
  const rows = await pipeline.database.sql<{ region: string; states: Record<string, number> }[]>`
    select region, json_object_agg(status, count) as states from (
      select region, status, count(*)::int from (
        select 'warehouse_notification' as region, warehouse_notification_status as status
        from disbursement_batch_control_geo where disbursement_batch_control_id = ${batchId ?? null}
        union all
        select 'agency_notification', agency_notification_status
        from disbursement_batch_control_geo where disbursement_batch_control_id = ${batchId ?? null}
        union all
        select 'beneficiary_notification', beneficiary_notification_status
        from disbursement_resolution_geo_address where disbursement_batch_control_id = ${batchId ?? null}
      ) notifications group by region, status
    ) counts group by region`;
  return Object.fromEntries(rows.map(({ region, states: ofRegion }) => [region, ofRegion]));
}

/** Waits until no notification of a batch has anything before it. @returns their {@link states} */
export async function settled(world: InKindPipeline, batchId: string | undefined, timeoutMs?: number) {
  let now = await states(world, batchId);
  const isSettled = (ofRegion: Readonly<Record<string, number>>) =>
    Object.keys(ofRegion).every((state) => state === 'PROCESSED' || state === 'ERROR');
  await until(
    'all notifications have ended',
    async () => {
      now = await states(world, batchId);
      return 'beneficiary_notification' in now && Object.values(now).every(isSettled);
    },
    timeoutMs,
  );
  return now;
}

/** The journal of the notifications of an envelope, in order. */
export async function journal(
  { pipeline }: InKindPipeline,
  envelopeId: string,
): Promise<readonly (Omit<Transition, 'seq'> & { readonly seq: string })[]> {
  return pipeline.database.sql<(Omit<Transition, 'seq'> & { readonly seq: string })[]>`
    select * from actor_transitions where correlation_id = ${envelopeId} and machine in ('geo', 'beneficiary')
    order by seq`;
}

/** Disburses goods to beneficiaries of one batch; their notifications follow. */
export async function tell(
  world: InKindPipeline,
  wanted: readonly Located[],
  given: Parameters<InKindPipeline['disburse']>[2] = {},
) {
  const { envelope, batches } = await world.disburse('COMMODITY', [wanted], given);
  const batch = batches[0]?.row.id;
  return {
    envelope,
    batch,
    logs: () => world.logs(envelope.id),
    settled: () => settled(world, batch),
    geos: () => world.geos(batch),
  };
}

/** Runs the rest of a test with other settings. */
export async function withSettings(
  { pipeline }: InKindPipeline,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await pipeline.stop();
  await pipeline.join({}, settings);
  onTestFinished(async () => {
    await pipeline.stop();
    await pipeline.join();
  });
}

/** The log of what was sent about a record. */
export function logOf(logs: readonly Row[], id: unknown, type: string): Row {
  const log = logs.find((one) => one.notification_id === `${id}-${type}`);
  if (!log) throw new Error(`There is no log of ${type} for ${id}.`);
  return log;
}

/** How often the service was sent each notification. */
export const timesOf = (events: ReadonlyMap<string, Received>): number[] =>
  [...events.values()].map((one) => one.times_received);
