import type { Database } from '../../src/db/connection.ts';
import type { StageRegion } from '../../src/runtime/actor.ts';
import { ACTORS } from '../../src/stages/actors.ts';

/** How much there is to look at. */
export interface DataSizes {
  readonly envelopes: number;
  /** Each envelope has one, the first one has all the rest. */
  readonly batches: number;
  /** Spread evenly over the batches. */
  readonly disbursements: number;
}

/** The envelope with most of the batches. */
export const LARGEST_ENVELOPE = 'E-0000001';

/**
 * Fills an empty database with a programme that has been running for years: mostly done, some of it under way, stopped,
 * missing, cancelled. Rows and journal agree with each other as they would had the pipeline written them; the counts are
 * left to be folded. Every tenth envelope gives goods, every twentieth physical cash, the others digital cash.
 */
export async function fillDashboard({ sql }: Database, sizes: DataSizes): Promise<void> {
  const statements = [
    batchesToMake(sizes),
    ENVELOPES,
    CONTROLS,
    BATCHES,
    DISBURSEMENTS,
    GEOS,
    ADDRESSES,
    STATEMENTS,
    RECONS,
    GEO_RECONS,
    ERROR_RECONS,
    MONEY,
    ...ACTORS.flatMap(({ name, stages, tables: [main, ...others], correlation }) =>
      stages.map((region) => {
        const table =
          [main, ...others].find(({ columns }) => columns.includes(region.columns.status)) ?? main;
        const family = name === 'envelope' ? table.id : correlation;
        return journal(name, table.name, table.id, family, region);
      }),
    ),
    'drop table bench_batches',
  ];
  for (const statement of statements) await sql.unsafe(statement);
  await sql`vacuum analyze`;
}

/**
 * What each batch is to become, by the number of its envelope, or its own in the largest: `state` is done, or what it
 * stands at.
 */
const batchesToMake = ({ envelopes, batches, disbursements }: DataSizes): string => `
  create unlogged table bench_batches as
  select n, 'B-' || lpad(n::text, 7, '0') as id, 'E-' || lpad(e::text, 7, '0') as envelope, e,
    case when e % 10 = 3 then 'COMMODITY' when e % 20 = 6 then 'CASH_PHYSICAL' else 'CASH_DIGITAL' end as type,
    case when e = 1 then case n % 100 when 7 then 'pay_error' when 13 then 'resolve_error' else 'done' end
      else case e % 100
        when 7 then 'pay_error' when 13 then 'resolve_error' when 17 then 'resolve_error' when 21 then 'waiting'
        when 31 then 'receiving' when 33 then 'notifying' when 41 then 'cancelled' when 43 then 'notify_error'
        when 51 then 'paying' when 61 then 'no_funds' else 'done' end
    end as state,
    ${Math.round(disbursements / batches)} as size,
    date_trunc('second', now()) - interval '47 hours' + n * interval '46 hours' / ${batches} as at,
    -- One in a hundred is on its way to be paid, or has just been: the others were long enough ago to miss payments.
    now() - interval '5 days' - (n % 1000) * interval '1 hour' as received_at
  from (select n, greatest(1, n - ${batches - envelopes}) as e from generate_series(1, ${batches}) n) numbers`;

const ENVELOPES = `
  insert into disbursement_envelopes (id, benefit_program_id, benefit_program_mnemonic, benefit_program_description,
    benefit_code_id, benefit_code_mnemonic, benefit_type, disbursement_cycle_id, disbursement_frequency,
    cycle_code_mnemonic, number_of_beneficiaries, number_of_disbursements, total_disbursement_quantity,
    measurement_unit, disbursement_schedule_date, receipt_time_stamp, cancellation_status, cancellation_timestamp)
  select envelope, 1 + e % 20, 'PROGRAM-' || e % 20, 'A programme', 1, 'BENEFIT-' || e % 7, type, e % 50, 'Monthly',
    'CYCLE-' || e % 50, declared, declared, declared * 12.5, case type when 'COMMODITY' then 'KG' else 'USD' end,
    min(received_at)::date, min(received_at), case max(state) when 'cancelled' then 'Cancelled' else 'Not_Cancelled' end,
    case max(state) when 'cancelled' then min(received_at) end
  from (select *, (sum(size) over (partition by e) + case state when 'receiving' then 10 else 0 end)::int as declared
    from bench_batches) b
  group by envelope, e, type, declared`;

const CONTROLS = `
  insert into envelope_control (disbursement_envelope_id, receipt_status, number_of_disbursements_received,
    total_disbursement_quantity_received, funds_due_from, number_of_batches_ready)
  select envelope, case max(state) when 'receiving' then 'RECEIVING' else 'RECEIVED' end, sum(size), sum(size) * 12.5,
    min(received_at), count(*) filter (where state in ('done', 'pay_error', 'paying'))
  from bench_batches group by envelope`;

/** How far a stage of a batch is, as its columns; the names say where it is at when it is not done. */
const stage = (region: string, applies: string, status: string): readonly (readonly [string, string])[] => [
  [
    `${region}_status`,
    `case when not (${applies}) or state = 'cancelled' then 'NOT_APPLICABLE' else ${status} end`,
  ],
  [`${region}_timestamp`, `case when ${applies} then at end`],
  [
    `${region}_attempts`,
    `case when ${applies} then case when ${status} = 'ERROR' then 3 else 1 end else 0 end`,
  ],
  [
    `${region}_latest_error_code`,
    `case when ${applies} and ${status} = 'ERROR' then (array['PAYMENT_OUTCOME_UNKNOWN', 'BANK_REFUSED',
      'FA_UNRESOLVED', 'GEO_UNRESOLVED', 'NO_AGENCY_FOUND'])[1 + n / 100 % 5] end`,
  ],
  [`${region}_due_at`, `case when ${applies} and ${status} = 'PENDING' then at end`],
];

const insertStages = (into: string, columns: readonly (readonly [string, string])[], from: string): string =>
  `insert into ${into} (${columns.map(([name]) => name).join(', ')}) ` +
  `select ${columns.map(([, value]) => value).join(', ')} from ${from}`;

const DIGITAL = `type = 'CASH_DIGITAL'`;
const IN_ZONES = `type <> 'CASH_DIGITAL'`;
const RESOLVED = `case state when 'resolve_error' then 'ERROR' when 'waiting' then 'PENDING' else 'PROCESSED' end`;
const IS_RESOLVED = `state not in ('resolve_error', 'waiting')`;
const PAID = `case state when 'pay_error' then 'ERROR' when 'paying' then 'PROCESSING'
  when 'done' then 'PROCESSED' else 'PENDING' end`;

const BATCHES = insertStages(
  'disbursement_batch_control',
  [
    ['id', 'id'],
    ['disbursement_cycle_id', 'e % 50'],
    ['disbursement_envelope_id', 'envelope'],
    ['benefit_type', 'type'],
    ['number_of_disbursements', 'size'],
    ['total_disbursement_quantity', 'size * 12.5'],
    ['request_digest', `''`],
    ['receipt_time_stamp', 'received_at'],
    ...stage('fa_resolution', DIGITAL, RESOLVED),
    ...stage('geo_resolution', IN_ZONES, RESOLVED),
    ...stage('warehouse_allocation', `${IN_ZONES} and ${IS_RESOLVED}`, `'PROCESSED'`),
    ...stage('agency_allocation', `${IN_ZONES} and ${IS_RESOLVED}`, `'PROCESSED'`),
    ...stage('sponsor_bank_dispatch', `type <> 'COMMODITY' and ${IS_RESOLVED}`, PAID).map(
      // What has been paid was paid days ago.
      ([name, value]) =>
        name.endsWith('_timestamp')
          ? ([name, `case when state = 'done' then received_at else at end`] as const)
          : ([name, value] as const),
    ),
  ],
  'bench_batches',
);

const DISBURSEMENTS = `
  insert into disbursements (id, disbursement_envelope_id, disbursement_batch_control_id, disbursement_cycle_id,
    beneficiary_id, beneficiary_name, disbursement_quantity, narrative, receipt_time_stamp)
  select 'D' || substr(b.id, 2) || '-' || lpad(i::text, 5, '0'), b.envelope, b.id, e % 50, 'P-' || (b.n * 7 + i) % 250000,
    'Asha Devi', 12.5, 'Support', b.received_at
  from bench_batches b, generate_series(1, b.size) i`;

const IS_LOCATED = `${IN_ZONES} and ${IS_RESOLVED} and state <> 'cancelled'`;
const NOTIFIED = `case state when 'notify_error' then 'ERROR' else 'PROCESSED' end`;
const TOLD = `case state when 'notify_error' then 'ERROR' when 'notifying' then 'PENDING' else 'PROCESSED' end`;

/** Two zones to a batch. */
const GEOS = insertStages(
  'disbursement_batch_control_geo',
  [
    ['id', `'G' || substr(id, 2) || '-' || zone`],
    ['disbursement_cycle_id', 'e % 50'],
    ['disbursement_envelope_id', 'envelope'],
    ['disbursement_batch_control_id', 'id'],
    ...['administrative_zone_id_large', 'administrative_zone_mnemonic_large'].map(
      (name) => [name, `'L'`] as const,
    ),
    ...['administrative_zone_id_small', 'administrative_zone_mnemonic_small'].map(
      (name) => [name, `'Z-' || zone`] as const,
    ),
    ['no_of_beneficiaries', 'size / 2'],
    ['total_quantity', 'size / 2 * 12.5'],
    ['warehouse_id', `'W-' || n % 20`],
    ['agency_id', `'A-' || n % 200`],
    ...stage('warehouse_notification', 'true', `'PROCESSED'`),
    ...stage('agency_notification', 'true', NOTIFIED),
  ],
  `bench_batches, generate_series(1, 2) zone where ${IS_LOCATED}`,
);

const ADDRESSES = insertStages(
  'disbursement_resolution_geo_address',
  [
    ['id', 'd.id'],
    ['disbursement_id', 'd.id'],
    ['disbursement_cycle_id', 'e % 50'],
    ['disbursement_envelope_id', 'envelope'],
    ['disbursement_batch_control_id', 'b.id'],
    [
      'disbursement_batch_control_geo_id',
      `'G' || substr(b.id, 2) || '-' || case when right(d.id, 5)::int <= size / 2 then 1 else 2 end`,
    ],
    ['beneficiary_id', 'd.beneficiary_id'],
    ...['administrative_zone_id_large', 'administrative_zone_mnemonic_large'].map(
      (name) => [name, `'L'`] as const,
    ),
    ...['administrative_zone_id_small', 'administrative_zone_mnemonic_small'].map(
      (name) => [name, `'Z'`] as const,
    ),
    ...stage('beneficiary_notification', 'true', TOLD),
  ],
  `bench_batches b join disbursements d on d.disbursement_batch_control_id = b.id where ${IS_LOCATED}`,
);

const STATEMENTS = `
  insert into account_statements (statement_id, statement_date, account_number, statement_number, sequence_number,
    statement_upload_timestamp, number_of_entries, content_digest, statement_process_status, statement_process_timestamp,
    statement_process_attempts, statement_process_latest_error_code)
  select 'S-' || s, (now() - s * interval '12 hours')::date, 'ACCOUNT-' || s % 20, s::text, '1', now() - s * interval '12 hours',
    500, s::text, case s % 100 when 9 then 'ERROR' else 'PROCESSED' end, now() - interval '1 hour', 1,
    case s % 100 when 9 then 'INVALID_ACCOUNT_NUMBER' end
  from generate_series(1, 2000) s`;

/** One payment of every two hundredth batch is missing, one of every hundredth came back. */
const RECONS = `
  insert into disbursement_recons (reconciliation_id, disbursement_id, disbursement_batch_control_id,
    disbursement_envelope_id, remittance_amount, remittance_statement_id, remittance_entry_sequence,
    remittance_entry_date, reversal_found, reversal_statement_id, reversal_reason)
  select d.id, d.id, b.id, b.envelope, 12.5, 'S-' || 1 + b.n % 2000, right(d.id, 5)::int, b.received_at,
    b.n % 100 = 3 and d.id like '%-00001', case when b.n % 100 = 3 and d.id like '%-00001' then 'S-' || 1 + b.n % 2000 end,
    case when b.n % 100 = 3 and d.id like '%-00001' then 'ACCOUNT CLOSED' end
  from bench_batches b join disbursements d on d.disbursement_batch_control_id = b.id
  where b.type = 'CASH_DIGITAL' and b.state = 'done' and not (b.n % 200 = 5 and d.id like '%-00002')`;

const GEO_RECONS = `
  insert into disbursement_recons (reconciliation_id, disbursement_batch_control_geo_id, disbursement_batch_control_id,
    disbursement_envelope_id, remittance_amount, remittance_statement_id, remittance_entry_sequence, remittance_entry_date)
  select g.id, g.id, b.id, b.envelope, g.total_quantity, 'S-' || 1 + b.n % 2000, 1, b.received_at
  from bench_batches b join disbursement_batch_control_geo g on g.disbursement_batch_control_id = b.id
  where b.type = 'CASH_PHYSICAL' and b.state = 'done'`;

const ERROR_RECONS = `
  insert into disbursement_error_recons (statement_id, entry_sequence, entry_date, entry_amount, error_reason,
    bank_reference_number)
  select 'S-' || 1 + i % 2000, i, now(), 12.5,
    (array['INVALID_RECONCILIATION_ID', 'DUPLICATE_DISBURSEMENT', 'AMOUNT_MISMATCH'])[1 + i % 3], 'REF-' || i
  from generate_series(1, 20000) i`;

/** Sums over what has just been written: physical cash counts people and is paid to agencies. */
const MONEY = `
  insert into envelope_batch_status_for_cash (disbursement_envelope_id, sponsor_bank_code, funds_available_with_bank,
    funds_available_latest_timestamp, funds_available_due_at, funds_blocked_with_bank, funds_blocked_latest_timestamp,
    funds_blocked_reference_number, number_of_disbursements_shipped, number_of_disbursements_reconciled,
    number_of_disbursements_reversed, quantity_shipped, quantity_reconciled, quantity_reversed)
  select b.envelope, 'EXAMPLE-BANK',
    case when b.type = 'COMMODITY' or max(b.state) = 'cancelled' then 'NOT_APPLICABLE'
      when max(b.state) = 'receiving' then 'PENDING_CHECK' when max(b.state) = 'no_funds' then 'FUNDS_NOT_AVAILABLE'
      else 'FUNDS_AVAILABLE' end, min(b.at), case max(b.state) when 'no_funds' then min(b.at) end,
    case when b.type = 'COMMODITY' or max(b.state) = 'cancelled' then 'NOT_APPLICABLE'
      when max(b.state) in ('receiving', 'no_funds') then 'PENDING_CHECK' else 'FUNDS_BLOCK_SUCCESS' end, min(b.at),
    case when b.type <> 'COMMODITY' and max(b.state) not in ('cancelled', 'receiving', 'no_funds') then 'BLOCK-' || b.envelope end,
    coalesce(sum(b.size) filter (where paid), 0), coalesce(sum(case b.type when 'CASH_PHYSICAL' then b.size else r.number end)
      filter (where paid), 0), coalesce(sum(r.reversed), 0),
    coalesce(sum(b.size) filter (where paid), 0) * 12.5, coalesce(sum(r.quantity), 0), coalesce(sum(r.reversed), 0) * 12.5
  from (select *, state = 'done' and type <> 'COMMODITY' as paid from bench_batches) b
  left join (
    select disbursement_batch_control_id, count(*) as number, sum(remittance_amount) as quantity,
      count(*) filter (where reversal_found) as reversed
    from disbursement_recons group by 1
  ) r on r.disbursement_batch_control_id = b.id
  group by b.envelope, b.type`;

/** How every actor came to the state in which its region stands: enabled, dispatched, ended. */
function journal(machine: string, table: string, id: string, family: string, region: StageRegion): string {
  const { columns, pending, processing, askAgain } = region;
  const refused = askAgain.map((state) => `'${state}'`).join(', ') || 'null';
  return `
    insert into actor_transitions (at, machine, actor_id, correlation_id, region, event, from_state, to_state, attempt,
      error_code, error_message)
    select r.at - (3 - step) * interval '20 seconds', '${machine}', r.id, r.family, '${region.region}', s.event, s.before,
      s.after, r.attempts, case when step = 3 then r.code end, case when step = 3 and r.code is not null
        then 'The other side said no to ' || r.id || '.' end
    from (
      select "${id}" as id, "${family}" as family, "${columns.status}" as status, "${columns.timestamp}" as at,
        "${columns.latest_error_code}" as code, "${columns.attempts}" as attempts
      from "${table}" where "${columns.status}" <> 'NOT_APPLICABLE'
    ) r, lateral (values
      (1, 'enable', 'NOT_APPLICABLE', '${pending}'),
      (2, 'dispatch', '${pending}', '${processing}'),
      (3, case when r.status = 'ERROR' then 'failed' when r.status in (${refused}) then 'refused' else 'succeeded' end,
        '${processing}', r.status)
    ) s (step, event, before, after)
    where step <= case r.status when '${pending}' then 1 when '${processing}' then 2 else 3 end`;
}
