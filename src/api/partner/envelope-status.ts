import type { PendingQuery, Row } from 'postgres';
import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { FUNDS_AVAILABLE_STATUSES, FUNDS_BLOCKED_STATUSES } from '../../db/schema/envelopes.ts';
import { BENEFIT_TYPES } from '../../machines/benefit-type.ts';
import { jsonNumber } from '../json.ts';
import { amount, foreignId, instant, processStatus, tally, textOrNull } from './answer-fields.ts';
import { identifier } from './fields.ts';
import { geoRecord, geoRecords } from './geo-records.ts';
import { messageOf, Refusal } from './message.ts';
import type { Operation } from './operation.ts';

const schema = messageOf({ request_payload: identifier });

/** How many records are where in one stage. */
const stageCounts = z.object({
  stage: z.string(),
  pending: tally,
  processing: tally,
  processed: tally,
  error: tally,
  latest_error_code: textOrNull,
});

/** How many zones, warehouses and agencies serve an envelope. */
const allocations = z.object({
  no_of_large_zones: tally,
  no_of_small_zones: tally,
  no_of_warehouses_allocated: tally,
  no_of_warehouses_notified: tally,
  no_of_agencies_allocated: tally,
  no_of_agencies_notified: tally,
});

const answer = z.object({
  disbursement_envelope_id: z.string(),
  benefit_code_id: foreignId,
  benefit_code_mnemonic: z.string(),
  benefit_type: z.enum(BENEFIT_TYPES),
  measurement_unit: z.string(),
  cancellation_status: z.enum(['Not_Cancelled', 'Cancelled']),
  number_of_beneficiaries_declared: tally,
  number_of_beneficiaries_received: tally,
  number_of_disbursements_declared: tally,
  number_of_disbursements_received: tally,
  total_disbursement_quantity_declared: amount,
  total_disbursement_quantity_received: amount,
  number_of_disbursements_left_out: tally,
  number_of_disbursements_cancelled: tally,
  funds_available_with_bank: z.enum(FUNDS_AVAILABLE_STATUSES),
  funds_available_latest_timestamp: instant.nullable(),
  funds_available_latest_error_code: textOrNull,
  funds_available_attempts: tally,
  funds_blocked_with_bank: z.enum(FUNDS_BLOCKED_STATUSES),
  funds_blocked_latest_timestamp: instant.nullable(),
  funds_blocked_latest_error_code: textOrNull,
  funds_blocked_attempts: tally,
  funds_blocked_reference_number: textOrNull,
  funds_released_status: processStatus,
  funds_released_timestamp: instant.nullable(),
  funds_released_latest_error_code: textOrNull,
  funds_released_attempts: tally,
  funds_released_reference_number: textOrNull,
  number_of_disbursements_shipped: tally,
  number_of_disbursements_reconciled: tally,
  number_of_disbursements_reversed: tally,
  disbursement_batch_stages: z.array(stageCounts),
  ...allocations.shape,
  no_of_beneficiaries_notified: tally,
  disbursement_notification_stages: z.array(stageCounts),
  disbursement_batch_control_geos: z.array(geoRecord),
});

type StatusAnswer = z.infer<typeof answer>;
type StageCounts = z.infer<typeof stageCounts>;
type Allocations = z.infer<typeof allocations>;

type Converted =
  | 'benefit_code_id'
  | 'total_disbursement_quantity_declared'
  | 'total_disbursement_quantity_received';
/** What is read elsewhere. */
type Counted =
  | 'number_of_beneficiaries_received'
  | 'number_of_disbursements_left_out'
  | 'number_of_disbursements_cancelled'
  | 'no_of_beneficiaries_notified'
  | 'disbursement_batch_stages'
  | 'disbursement_notification_stages'
  | 'disbursement_batch_control_geos'
  | keyof Allocations;
type StatusRow = Omit<StatusAnswer, Converted | Counted> & { readonly [column in Converted]: string };

/**
 * `/get_disbursement_envelope_status`: how far an envelope has come: declared and received, its money, what was shipped,
 * reconciled and reversed, and what was allocated and notified in its zones.
 */
export const envelopeStatus: Operation<z.infer<typeof schema>, StatusAnswer> = {
  path: '/get_disbursement_envelope_status',
  summary: 'How far an envelope has come',
  schema,
  answer,
  codes: ['DISBURSEMENT_ENVELOPE_NOT_FOUND'],
  async perform({ database: { sql } }, { request_payload: id, pagination_request: page }) {
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
      ...(await notPaidOf(sql, id)),
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
      s.funds_released_status, s.funds_released_timestamp, s.funds_released_latest_error_code,
      s.funds_released_attempts, s.funds_released_reference_number,
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
      where b.disbursement_envelope_id = ${id} and d.cancellation_status = 'NOT_CANCELLED') distinct_beneficiaries`;
  return row?.beneficiaries ?? 0;
}

type NotPaid = Pick<StatusAnswer, 'number_of_disbursements_left_out' | 'number_of_disbursements_cancelled'>;

/** Disbursements left out because an operator released a stage that had failed for them, and cancelled ones. */
async function notPaidOf(sql: Queryable, id: string): Promise<NotPaid> {
  const [row] = await sql<NotPaid[]>`
    select count(*) filter (where d.cancellation_status = 'NOT_CANCELLED')::int as number_of_disbursements_left_out,
      count(*) filter (where d.cancellation_status = 'CANCELLED')::int as number_of_disbursements_cancelled
    from disbursement_batch_control b join disbursements d on d.disbursement_batch_control_id = b.id
    where b.disbursement_envelope_id = ${id}
      and (d.left_out_reason is not null or d.cancellation_status = 'CANCELLED')`;
  return row ?? { number_of_disbursements_left_out: 0, number_of_disbursements_cancelled: 0 };
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

async function allocationsOf(sql: Queryable, id: string) {
  // An aggregate over no rows is a row too.
  const [geo] = await sql<[Allocations]>`
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
