import type { PendingQuery, Row } from 'postgres';
import type { Queryable } from '../../db/connection.ts';
import { jsonNumber } from '../json.ts';
import { identifier } from './fields.ts';
import { geoRecords } from './geo-records.ts';
import { type Answer, messageOf, Refusal } from './message.ts';
import type { Operation } from './operation.ts';

const schema = messageOf({ request_payload: identifier });

interface StatusRow {
  readonly benefit_code_id: string;
  readonly total_disbursement_quantity_declared: string;
  readonly total_disbursement_quantity_received: string;
  readonly [column: string]: unknown;
}

/**
 * `/get_disbursement_envelope_status`: how far an envelope has come: declared and received, its money, what was shipped,
 * reconciled and reversed, and what was allocated and notified in its zones.
 */
export const envelopeStatus: Operation<(typeof schema)['_output']> = {
  path: '/get_disbursement_envelope_status',
  schema,
  async perform({ database: { sql } }, { request_payload: id, pagination_request: page }): Promise<Answer> {
    const status = await statusOf(sql, id);
    if (!status) {
      throw new Refusal('DISBURSEMENT_ENVELOPE_NOT_FOUND', `There is no envelope by the id ${id}.`);
    }
    const geos = await geoRecords(sql, { column: 'disbursement_envelope_id', id }, page);
    const payload = {
      ...status,
      benefit_code_id: Number(status.benefit_code_id),
      total_disbursement_quantity_declared: jsonNumber(status.total_disbursement_quantity_declared),
      total_disbursement_quantity_received: jsonNumber(status.total_disbursement_quantity_received),
      number_of_beneficiaries_received: await beneficiariesOf(sql, id),
      ...(await leftOutOf(sql, id)),
      disbursement_batch_stages: await batchStagesOf(sql, id),
      ...(await allocationsOf(sql, id)),
      disbursement_batch_control_geos: geos.records,
    };
    return { payload, pagination: geos.pagination };
  },
};

async function statusOf(sql: Queryable, id: string): Promise<StatusRow | undefined> {
  const [row] = await sql<StatusRow[]>`
    select e.id as disbursement_envelope_id, e.benefit_code_id, e.benefit_code_mnemonic, e.benefit_type,
      e.measurement_unit, e.cancellation_status,
      e.number_of_beneficiaries as number_of_beneficiaries_declared,
      e.number_of_disbursements as number_of_disbursements_declared,
      c.number_of_disbursements_received,
      e.total_disbursement_quantity as total_disbursement_quantity_declared,
      c.total_disbursement_quantity_received,
      s.funds_available_with_bank, s.funds_available_latest_timestamp, s.funds_available_latest_error_code,
      s.funds_available_attempts, s.funds_blocked_with_bank, s.funds_blocked_latest_timestamp,
      s.funds_blocked_latest_error_code, s.funds_blocked_attempts, s.funds_blocked_reference_number,
      s.number_of_disbursements_shipped, s.number_of_disbursements_reconciled, s.number_of_disbursements_reversed
    from disbursement_envelopes e
    join envelope_control c on c.disbursement_envelope_id = e.id
    join envelope_batch_status_for_cash s on s.disbursement_envelope_id = e.id
    where e.id = ${id}`;
  return row;
}

async function beneficiariesOf(sql: Queryable, id: string): Promise<number> {
  const [row] = await sql<{ beneficiaries: number }[]>`
    select count(*)::int as beneficiaries from (
      select distinct d.beneficiary_id
      from disbursement_batch_control b join disbursements d on d.disbursement_batch_control_id = b.id
      where b.disbursement_envelope_id = ${id}) distinct_beneficiaries`;
  return row?.beneficiaries ?? 0;
}

/** Disbursements that are not paid because an operator released a stage that had failed for them. */
async function leftOutOf(sql: Queryable, id: string): Promise<Record<string, number>> {
  const [row] = await sql<{ number_of_disbursements_left_out: number }[]>`
    select count(*)::int as number_of_disbursements_left_out
    from disbursement_batch_control b join disbursements d on d.disbursement_batch_control_id = b.id
    where b.disbursement_envelope_id = ${id} and d.left_out_reason is not null`;
  return row ?? { number_of_disbursements_left_out: 0 };
}

/** How many records are where in one stage. */
interface StageCounts {
  readonly stage: string;
  readonly processed: number;
  readonly [column: string]: unknown;
}

/**
 * Counts records by stage and status; stages that none of them passes are left out.
 *
 * @param records selects `place, stage, status, code, at`, a row for each record and stage
 */
async function countStages(sql: Queryable, records: PendingQuery<Row[]>): Promise<StageCounts[]> {
  return sql<StageCounts[]>`
    select stage,
      coalesce(sum(n) filter (where status = 'PENDING'), 0)::int as pending,
      coalesce(sum(n) filter (where status = 'PROCESSING'), 0)::int as processing,
      coalesce(sum(n) filter (where status = 'PROCESSED'), 0)::int as processed,
      coalesce(sum(n) filter (where status = 'ERROR'), 0)::int as error,
      (array_agg(code order by at desc) filter (where code is not null))[1] as latest_error_code
    -- Counted by status and code first: there may be a million of them, and no need to sort them.
    from (
      select place, stage, status, code, count(*) as n, max(at) as at from (${records}) records
      group by place, stage, status, code
    ) counted
    where status <> 'NOT_APPLICABLE' group by place, stage order by place`;
}

/** How many of the envelope's batches are where, stage by stage. */
const batchStagesOf = (sql: Queryable, id: string): Promise<StageCounts[]> =>
  countStages(
    sql,
    sql`
      select s.* from disbursement_batch_control b
      cross join lateral (values
        (1, 'fa_resolution', b.fa_resolution_status, b.fa_resolution_latest_error_code, b.fa_resolution_timestamp),
        (2, 'geo_resolution', b.geo_resolution_status, b.geo_resolution_latest_error_code, b.geo_resolution_timestamp),
        (3, 'warehouse_allocation', b.warehouse_allocation_status, b.warehouse_allocation_latest_error_code,
          b.warehouse_allocation_timestamp),
        (4, 'agency_allocation', b.agency_allocation_status, b.agency_allocation_latest_error_code,
          b.agency_allocation_timestamp),
        (5, 'sponsor_bank_dispatch', b.sponsor_bank_dispatch_status, b.sponsor_bank_dispatch_latest_error_code,
          b.sponsor_bank_dispatch_timestamp)
      ) s (place, stage, status, code, at)
      where b.disbursement_envelope_id = ${id}`,
  );

/**
 * How many of the envelope's geo records are where with the notifications of their warehouse and agency, and how many
 * disbursements with that of their beneficiary.
 */
const notificationStagesOf = (sql: Queryable, id: string): Promise<StageCounts[]> =>
  countStages(
    sql,
    sql`
      select s.* from disbursement_batch_control_geo g
      cross join lateral (values
        (1, 'warehouse_notification', g.warehouse_notification_status,
          g.warehouse_notification_latest_error_code, g.warehouse_notification_timestamp),
        (2, 'agency_notification', g.agency_notification_status,
          g.agency_notification_latest_error_code, g.agency_notification_timestamp)
      ) s (place, stage, status, code, at)
      where g.disbursement_envelope_id = ${id}
      union all
      select 3, 'beneficiary_notification', a.beneficiary_notification_status,
        a.beneficiary_notification_latest_error_code, a.beneficiary_notification_timestamp
      from disbursement_batch_control b
      join disbursement_resolution_geo_address a on a.disbursement_batch_control_id = b.id
      where b.disbursement_envelope_id = ${id}`,
  );

async function allocationsOf(sql: Queryable, id: string): Promise<Record<string, unknown>> {
  const [geo] = await sql<Record<string, number>[]>`
    select count(distinct administrative_zone_id_large)::int as no_of_large_zones,
      count(distinct administrative_zone_id_small)::int as no_of_small_zones,
      count(distinct warehouse_id)::int as no_of_warehouses_allocated,
      count(distinct warehouse_id) filter (where warehouse_notification_status = 'PROCESSED')::int
        as no_of_warehouses_notified,
      count(distinct agency_id)::int as no_of_agencies_allocated,
      count(distinct agency_id) filter (where agency_notification_status = 'PROCESSED')::int
        as no_of_agencies_notified
    from disbursement_batch_control_geo where disbursement_envelope_id = ${id}`;
  const stages = await notificationStagesOf(sql, id);
  const people = stages.find(({ stage }) => stage === 'beneficiary_notification');
  return {
    ...geo,
    no_of_beneficiaries_notified: people?.processed ?? 0,
    disbursement_notification_stages: stages,
  };
}
