import { connect } from '../../src/db/connection.ts';

/** Rows of the tables that have most of them. */
const MOST = 50_000;
/** Rows of the tables that have one for hundreds of those, and many for all that. */
const MANY = 10_000;
const PER_BATCH = MOST / MANY;

/** What one in so many records is: most are done, and some have failed, or wait for a day to come. */
const status = (pending = 'PENDING', done = 'PROCESSED') =>
  `case when n % 100 = 0 then 'ERROR' when n % 20 = 1 then '${pending}' else '${done}' end`;
const code = `case when n % 100 = 0 then 'E' || n / 100 % 5 end`;
const later = `now() + interval '30 days'`;
const dueAt = `case when n % 20 = 1 then ${later} end`;
const received = 'now() - make_interval(hours => n)';
const stage = (region: string) => ({
  [`${region}_status`]: status(),
  [`${region}_timestamp`]: received,
  [`${region}_latest_error_code`]: code,
  [`${region}_due_at`]: dueAt,
});
const id = `'many-' || n`;
const batchOf = `'many-' || n / ${PER_BATCH}`;

/** The tables that grow, how many rows each gets, and what is in the columns of row `n`. */
const TABLES: readonly (readonly [table: string, rows: number, columns: Record<string, string>])[] = [
  [
    'disbursement_envelopes',
    MANY,
    {
      id,
      benefit_program_id: '1000 + n % 50',
      benefit_program_mnemonic: `'P' || n % 50`,
      benefit_code_id: '1',
      benefit_code_mnemonic: `'CODE'`,
      benefit_type: `'CASH_DIGITAL'`,
      disbursement_cycle_id: '1',
      disbursement_frequency: `'Monthly'`,
      cycle_code_mnemonic: `'JULY'`,
      number_of_beneficiaries: `${PER_BATCH}`,
      number_of_disbursements: `${PER_BATCH}`,
      total_disbursement_quantity: '1000',
      measurement_unit: `'USD'`,
      disbursement_schedule_date: `current_date - n % 1000`,
      receipt_time_stamp: received,
    },
  ],
  [
    'envelope_control',
    MANY,
    {
      disbursement_envelope_id: id,
      receipt_status: `'RECEIVED'`,
      funds_due_from: received,
      number_of_disbursements_received: `${PER_BATCH}`,
      total_disbursement_quantity_received: '1000',
    },
  ],
  [
    'envelope_batch_status_for_cash',
    MANY,
    {
      disbursement_envelope_id: id,
      program_account_number: `'A' || n % 50`,
      sponsor_bank_code: `'EXAMPLE-BANK'`,
      funds_available_with_bank: status('PENDING_CHECK', 'FUNDS_AVAILABLE'),
      funds_available_latest_timestamp: received,
      funds_available_latest_error_code: code,
      funds_available_due_at: dueAt,
      funds_blocked_with_bank: status('PENDING_CHECK', 'FUNDS_BLOCK_SUCCESS'),
      funds_blocked_latest_timestamp: received,
      funds_blocked_latest_error_code: code,
      funds_blocked_due_at: dueAt,
      number_of_disbursements_shipped: `${PER_BATCH}`,
      number_of_disbursements_reconciled: `${PER_BATCH}`,
      quantity_shipped: '1000',
      quantity_reconciled: '1000',
    },
  ],
  [
    'disbursement_batch_control',
    MANY,
    {
      id,
      disbursement_cycle_id: '1',
      disbursement_envelope_id: id,
      benefit_type: `'CASH_DIGITAL'`,
      number_of_disbursements: `${PER_BATCH}`,
      total_disbursement_quantity: '1000',
      request_digest: `'digest-' || n`,
      receipt_time_stamp: received,
      ...stage('fa_resolution'),
      ...stage('geo_resolution'),
      ...stage('warehouse_allocation'),
      ...stage('agency_allocation'),
      ...stage('sponsor_bank_dispatch'),
    },
  ],
  [
    'disbursements',
    MOST,
    {
      id,
      disbursement_envelope_id: batchOf,
      disbursement_batch_control_id: batchOf,
      disbursement_cycle_id: '1',
      beneficiary_id: `'B' || n % 50000`,
      beneficiary_name: `'Asha'`,
      disbursement_quantity: '200',
      narrative: `'July'`,
      receipt_time_stamp: received,
    },
  ],
  [
    'disbursement_resolution_financial_address',
    MOST,
    {
      disbursement_id: id,
      disbursement_batch_control_id: batchOf,
      disbursement_envelope_id: batchOf,
      beneficiary_id: `'B' || n % 50000`,
      bank_account_number: 'n',
    },
  ],
  [
    'disbursement_recons',
    MOST,
    {
      reconciliation_id: id,
      disbursement_id: id,
      disbursement_batch_control_id: batchOf,
      disbursement_envelope_id: batchOf,
      remittance_amount: '200',
      remittance_statement_id: batchOf,
      remittance_entry_sequence: `n % ${PER_BATCH}`,
    },
  ],
  [
    'disbursement_error_recons',
    MANY,
    {
      statement_id: id,
      entry_sequence: '1',
      entry_amount: '200',
      error_reason: `case n % 2 when 0 then 'INVALID_DISBURSEMENT_ID' else 'DUPLICATE_DISBURSEMENT' end`,
      reconciliation_id: `'other-' || n`,
      disbursement_envelope_id: id,
    },
  ],
  [
    'disbursement_batch_control_geo',
    MANY,
    {
      id,
      disbursement_cycle_id: '1',
      disbursement_envelope_id: id,
      disbursement_batch_control_id: id,
      administrative_zone_id_large: `'L'`,
      administrative_zone_mnemonic_large: `'Large'`,
      administrative_zone_id_small: `'S'`,
      administrative_zone_mnemonic_small: `'Small'`,
      ...stage('warehouse_notification'),
      ...stage('agency_notification'),
    },
  ],
  ['disbursement_batch_control_geo_attributes', MANY, { id, disbursement_batch_control_id: id }],
  [
    'disbursement_resolution_geo_address',
    MOST,
    {
      id,
      disbursement_id: id,
      disbursement_cycle_id: '1',
      disbursement_envelope_id: batchOf,
      disbursement_batch_control_id: batchOf,
      disbursement_batch_control_geo_id: batchOf,
      beneficiary_id: `'B' || n % 50000`,
      administrative_zone_id_large: `'L'`,
      administrative_zone_mnemonic_large: `'Large'`,
      administrative_zone_id_small: `'S'`,
      administrative_zone_mnemonic_small: `'Small'`,
      ...stage('beneficiary_notification'),
    },
  ],
  [
    'envelope_allocations',
    MANY,
    { disbursement_envelope_id: id, kind: `'warehouse'`, allocated_to: `'W'`, allocated_quantity: '1' },
  ],
  [
    'notification_logs',
    MANY,
    {
      notification_id: id,
      notification_type: `'WAREHOUSE_NOTIFICATION'`,
      disbursement_envelope_id: id,
      recipient: `'R'`,
      payload: `'{}'`,
      sent_at: received,
    },
  ],
  [
    'account_statements',
    MANY,
    {
      statement_id: id,
      account_number: `'A' || n % 50`,
      statement_upload_timestamp: received,
      number_of_entries: '5',
      content_digest: id,
      ...stage('statement_process'),
    },
  ],
  ['account_statement_lobs', MANY, { statement_id: id, statement_lob: `'-'` }],
  [
    'actor_transitions',
    MOST,
    {
      at: received,
      machine: `'batch'`,
      actor_id: batchOf,
      correlation_id: batchOf,
      region: `'fa_resolution'`,
      event: `'succeeded'`,
      from_state: `'PROCESSING'`,
      to_state: `'PROCESSED'`,
      attempt: '0',
    },
  ],
  [
    'actor_messages',
    MANY,
    {
      machine: `'batch'`,
      actor_id: id,
      event: `'{"type": "@wake"}'::jsonb`,
      deliver_at: later,
    },
  ],
  [
    'actor_counts',
    MANY,
    {
      correlation_id: id,
      machine: `'batch'`,
      region: `'fa_resolution'`,
      state: status(),
      count: '1',
    },
  ],
  [
    'partner_requests',
    MANY,
    {
      sender: `'PBMS'`,
      path: `'/create_disbursement_envelopes'`,
      request_id: id,
      digest: `'d'`,
      answer: `'{"answer": {}}'`,
      answered_at: `now() - make_interval(secs => n / 10000)`,
    },
  ],
  [
    'operator_actions',
    MANY,
    {
      at: received,
      operator_id: `'many'`,
      operator_name: `'many'`,
      role: `'operator'`,
      action: `'retry'`,
      target: `'{}'::jsonb`,
      reason: `'-'`,
      accepted: '1',
      refused: '0',
    },
  ],
  [
    'pgboss.job',
    MOST,
    {
      name: `(array['mapper_resolution_worker', 'disburse_funds_from_bank_worker', 'geo_resolution_worker', 'beneficiary_notification_worker'])[1 + n % 4]`,
      data: `jsonb_build_object('id', n)`,
      state: `'completed'::pgboss.job_state`,
      created_on: received,
      started_on: received,
      completed_on: received,
    },
  ],
];

/** The tables that have many rows, without their schema. */
export const BIG_TABLES: ReadonlySet<string> = new Set([
  ...TABLES.map(([table]) => table.replace(/^pgboss\./, '')),
  'job_common',
]);

/** Fills a migrated database with what years leave behind: most of it done long ago, nothing of it due. */
export async function fillWithManyRows(url: string): Promise<void> {
  const database = connect(url, { max: 2 });
  const fill = async ([table, rows, columns]: (typeof TABLES)[number]) => {
    await database.sql.begin(async (sql) => {
      // References are right by construction.
      await sql`set local session_replication_role = replica`;
      const names = Object.keys(columns).join(', ');
      const values = Object.values(columns).join(', ');
      await sql.unsafe(
        `insert into ${table} (${names}) select ${values} from generate_series(0, ${rows - 1}) n`,
      );
    });
  };
  try {
    const left = [...TABLES];
    const fillers = [1, 2].map(async () => {
      for (let next = left.shift(); next; next = left.shift()) await fill(next);
    });
    await Promise.all(fillers);
    await database.sql`
      insert into actor_counts_position (seq) select max(seq) from actor_transitions
      on conflict (one) do update set seq = excluded.seq`;
    await database.sql`vacuum analyze`;
  } finally {
    await database.close();
  }
}
