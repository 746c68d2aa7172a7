import type { Sql } from '../../db/connection.ts';
import { goesThroughZones, isCash } from '../../machines/benefit-type.ts';
import type { DemoEnvelope } from './programs.ts';

/** How far one stage has come. */
export interface StageProgress {
  readonly stage: string;
  readonly total: number;
  readonly pending: number;
  readonly processing: number;
  readonly processed: number;
  readonly errors: number;
}

/** What a stage did, from the journal. */
export interface StageFigures {
  readonly processed: number;
  readonly errors: number;
  readonly retries: number;
  /** From due to done, in milliseconds, over the pieces of work of the stage. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
}

type Passes = (benefitType: string) => boolean;

const isDigital: Passes = (benefitType) => benefitType === 'CASH_DIGITAL';

/** All stages in the order of the specification: the region of each, and which benefit types pass it. */
const STAGES: readonly (readonly [stage: string, region: string, passes: Passes])[] = [
  ['mapper_resolution', 'fa_resolution', isDigital],
  ['check_funds_with_bank', 'funds_available', isCash],
  ['block_funds_with_bank', 'funds_blocked', isCash],
  ['disburse_funds_from_bank', 'sponsor_bank_dispatch', isCash],
  ['mt940_processor', 'statement_process', isCash],
  ['geo_resolution', 'geo_resolution', goesThroughZones],
  ['warehouse_allocation', 'warehouse_allocation', goesThroughZones],
  ['agency_allocation', 'agency_allocation', goesThroughZones],
  ['warehouse_notification', 'warehouse_notification', goesThroughZones],
  ['agency_notification', 'agency_notification', goesThroughZones],
  ['beneficiary_notification', 'beneficiary_notification', goesThroughZones],
];

const PENDING = new Set(['PENDING', 'PENDING_CHECK', 'FUNDS_NOT_AVAILABLE', 'FUNDS_BLOCK_FAILURE']);
const PROCESSING = new Set(['PROCESSING', 'CHECK_IN_PROGRESS']);

/** How many records of one envelope (null: statements) are in one status of one region. */
export interface StatusCount {
  readonly envelope: string | null;
  readonly region: string;
  readonly status: string;
  readonly n: number;
}

/** Counts the records of envelopes, and the statements of their accounts, by where they are; reads each of them once. */
export async function countByStatus(sql: Sql, envelopes: readonly DemoEnvelope[]): Promise<StatusCount[]> {
  const ids = envelopes.map(({ id }) => id);
  return sql<StatusCount[]>`
    select envelope, region, status, sum(n)::int as n from (
      select disbursement_envelope_id as envelope, s.*, 1 as n from disbursement_batch_control b
      cross join lateral (values
        ('fa_resolution', fa_resolution_status), ('geo_resolution', geo_resolution_status),
        ('warehouse_allocation', warehouse_allocation_status), ('agency_allocation', agency_allocation_status),
        ('sponsor_bank_dispatch', sponsor_bank_dispatch_status)) s (region, status)
      where disbursement_envelope_id = any(${ids})
      union all
      select disbursement_envelope_id, s.*, 1 from disbursement_batch_control_geo
      cross join lateral (values
        ('warehouse_notification', warehouse_notification_status),
        ('agency_notification', agency_notification_status)) s (region, status)
      where disbursement_envelope_id = any(${ids})
      union all
      select b.disbursement_envelope_id, 'beneficiary_notification', a.beneficiary_notification_status, count(*)
      from disbursement_batch_control b
      join disbursement_resolution_geo_address a on a.disbursement_batch_control_id = b.id
      where b.disbursement_envelope_id = any(${ids})
      group by 1, 3
      union all
      select disbursement_envelope_id, s.*, 1 from envelope_batch_status_for_cash
      cross join lateral (values
        ('funds_available', funds_available_with_bank), ('funds_blocked', funds_blocked_with_bank)) s (region, status)
      where disbursement_envelope_id = any(${ids})
      union all
      select null, 'statement_process', statement_process_status, 1 from account_statements
      where account_number = any(${accountsOf(envelopes)})
    ) work group by 1, 2, 3`;
}

/** The stages that envelopes pass, each with how many records it has so far and how many of them are where. */
export function stagesOf(
  counts: readonly StatusCount[],
  envelopes: readonly DemoEnvelope[],
): readonly StageProgress[] {
  return stagesPassed(envelopes).map(([stage, region]) => {
    const rows = counts.filter((row) => row.region === region && row.status !== 'NOT_APPLICABLE');
    const count = (matches: (status: string) => boolean) =>
      rows.filter(({ status }) => matches(status)).reduce((sum, { n }) => sum + n, 0);
    const total = count(() => true);
    const pending = count((status) => PENDING.has(status));
    const processing = count((status) => PROCESSING.has(status));
    const errors = count((status) => status === 'ERROR');
    return { stage, total, pending, processing, errors, processed: total - pending - processing - errors };
  });
}

/**
 * Figures of each stage that envelopes pass, from the journal: due is when a piece of work first became due, done when
 * it succeeded.
 */
export async function stageFigures(
  sql: Sql,
  envelopes: readonly DemoEnvelope[],
): Promise<Record<string, StageFigures>> {
  const rows = await sql<(StageFigures & { region: string })[]>`
    with work as (
      select region, actor_id,
        min(greatest(at, due_at)) filter (where due_at is not null) as due,
        min(at) filter (where event = 'succeeded') as done,
        count(*) filter (where to_state = 'ERROR')::int as errors,
        count(*) filter (where event in ('failed', 'stale', 'refused') and to_state <> 'ERROR')::int as retries
      from actor_transitions
      where correlation_id = any(${envelopes.map(({ id }) => id)})
        or correlation_id in (
          select statement_id from account_statements where account_number = any(${accountsOf(envelopes)}))
      group by region, actor_id
    )
    select region, count(done)::int as processed, sum(errors)::int as errors, sum(retries)::int as retries,
      round(percentile_cont(0.5) within group (order by extract(epoch from done - due) * 1000))::int as p50_ms,
      round(percentile_cont(0.99) within group (order by extract(epoch from done - due) * 1000))::int as p99_ms
    from work group by region`;
  const byRegion = new Map(rows.map(({ region, ...figures }) => [region, figures]));
  return Object.fromEntries(
    stagesPassed(envelopes).map(([stage, region]) => [stage, byRegion.get(region) ?? NOTHING]),
  );
}

const NOTHING: StageFigures = { processed: 0, errors: 0, retries: 0, p50_ms: null, p99_ms: null };

const stagesPassed = (envelopes: readonly DemoEnvelope[]) =>
  STAGES.filter(([, , passes]) => envelopes.some(({ program }) => passes(program.benefitType)));

const accountsOf = (envelopes: readonly DemoEnvelope[]): string[] =>
  envelopes.flatMap(({ program: { account } }) => (account === null ? [] : [account]));
