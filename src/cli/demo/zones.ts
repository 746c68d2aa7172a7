import type { Sql } from '../../db/connection.ts';
import { compareDecimals } from '../../decimal.ts';
import { post } from './http.ts';
import type { DemoEnvelope } from './programs.ts';

/** Whom an envelope notifies. */
export const NOTIFIED = ['warehouses', 'agencies', 'beneficiaries'] as const;

/** The notifications of one kind. */
export interface Notices {
  /** Records that somebody is to be notified about. */
  readonly records: number;
  /** Those of them that are done by our own rows. */
  readonly notified: number;
  /** What the notification service has accepted. */
  readonly accepted: number;
  /** What it was sent once more; it recognises the id, and nobody is notified twice. */
  readonly received_twice: number;
}

/** Where an envelope's beneficiaries live, who serves them, and who was notified. */
export interface Zones {
  readonly large_zones: number;
  readonly small_zones: number;
  readonly geo_records: number;
  readonly warehouses: number;
  readonly agencies: number;
  readonly beneficiaries: number;
  /** What the geo records give in all, an exact decimal. */
  readonly quantity: string;
  readonly notices: Readonly<Record<(typeof NOTIFIED)[number], Notices>>;
}

interface GeoRow extends Omit<Zones, 'notices'> {
  readonly warehouses_notified: number;
  readonly agencies_notified: number;
}

/** Workflows of the notification service, by whom they notify; those that the system uses unless told otherwise. */
const WORKFLOWS = {
  warehouses: 'warehouse-notification',
  agencies: 'agency-notification',
  beneficiaries: 'beneficiary-notification',
} as const;

/** Reads what became of an envelope in the zones, and what the notification service has of it. */
export async function zonesOf(sql: Sql, novuUrl: string, envelope: DemoEnvelope): Promise<Zones> {
  const [geo, people, service] = await Promise.all([
    geoRecords(sql, envelope.id),
    addresses(sql, envelope.id),
    serviceCounts(novuUrl, envelope.program.cycle),
  ]);
  const { warehouses_notified: warehouses, agencies_notified: agencies, ...zones } = geo;
  return {
    ...zones,
    notices: {
      warehouses: { records: geo.geo_records, notified: warehouses, ...service.warehouses },
      agencies: { records: geo.geo_records, notified: agencies, ...service.agencies },
      beneficiaries: { ...people, ...service.beneficiaries },
    },
  };
}

/** What is not as it must be, as sentences without the name of the envelope. */
export function zoneDifferences(zones: Zones, { disbursements, quantity }: DemoEnvelope): string[] {
  const differences: string[] = [];
  if (zones.beneficiaries !== disbursements)
    differences.push(`${zones.beneficiaries} of ${disbursements} beneficiaries are in a zone`);
  if (compareDecimals(zones.quantity, quantity) !== 0)
    differences.push(`the zones get ${zones.quantity} instead of ${quantity}`);
  for (const kind of NOTIFIED) {
    const { records, notified, accepted } = zones.notices[kind];
    if (notified !== records) differences.push(`${notified} of ${records} notices to ${kind} are done`);
    if (accepted !== records)
      differences.push(`the notification service has ${accepted} notices to ${kind} instead of ${records}`);
  }
  return differences;
}

async function geoRecords(sql: Sql, envelopeId: string): Promise<GeoRow> {
  const [row] = await sql<[GeoRow]>`
    select count(distinct administrative_zone_id_large)::int as large_zones,
      count(distinct administrative_zone_id_small)::int as small_zones, count(*)::int as geo_records,
      count(distinct warehouse_id)::int as warehouses, count(distinct agency_id)::int as agencies,
      coalesce(sum(no_of_beneficiaries), 0)::int as beneficiaries,
      trim_scale(coalesce(sum(total_quantity), 0))::text as quantity,
      count(*) filter (where warehouse_notification_status = 'PROCESSED')::int as warehouses_notified,
      count(*) filter (where agency_notification_status = 'PROCESSED')::int as agencies_notified
    from disbursement_batch_control_geo where disbursement_envelope_id = ${envelopeId}`;
  return row;
}

async function addresses(sql: Sql, envelopeId: string): Promise<Pick<Notices, 'records' | 'notified'>> {
  const [row] = await sql<[Pick<Notices, 'records' | 'notified'>]>`
    select count(*)::int as records,
      count(*) filter (where a.beneficiary_notification_status = 'PROCESSED')::int as notified
    from disbursement_batch_control b
    join disbursement_resolution_geo_address a on a.disbursement_batch_control_id = b.id
    where b.disbursement_envelope_id = ${envelopeId}`;
  return row;
}

type ServiceCounts = Pick<Notices, 'accepted' | 'received_twice'>;

/** What the service has of a cycle, by whom it notified. */
async function serviceCounts(
  novuUrl: string,
  cycle: string,
): Promise<Record<(typeof NOTIFIED)[number], ServiceCounts>> {
  const path = `/_admin/notifications?limit=0&cycle=${encodeURIComponent(cycle)}`;
  const { by_workflow: accepted, received_by_workflow: received } = (await post(novuUrl, path)) as Record<
    'by_workflow' | 'received_by_workflow',
    Readonly<Record<string, number>>
  >;
  const of = (kind: (typeof NOTIFIED)[number]): ServiceCounts => {
    const count = accepted[WORKFLOWS[kind]] ?? 0;
    return { accepted: count, received_twice: (received[WORKFLOWS[kind]] ?? 0) - count };
  };
  return { warehouses: of('warehouses'), agencies: of('agencies'), beneficiaries: of('beneficiaries') };
}
