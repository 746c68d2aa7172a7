import type { Sql } from '../../db/connection.ts';

/** How far one stage has come with an envelope. */
export interface StageProgress {
  readonly stage: string;
  readonly total: number;
  readonly pending: number;
  readonly processing: number;
  readonly processed: number;
  readonly errors: number;
}

/** How far an envelope has come. */
export interface Progress {
  /** Disbursements that the envelope has in all. */
  readonly declared: number;
  readonly received: number;
  readonly shipped: number;
  readonly reconciled: number;
  readonly reversed: number;
  readonly stages: readonly StageProgress[];
}

interface Row {
  readonly stage: string;
  readonly status: string;
  readonly n: number;
}

const STAGES = [
  'mapper_resolution',
  'check_funds_with_bank',
  'block_funds_with_bank',
  'disburse_funds_from_bank',
  'mt940_processor',
];
const PENDING = new Set([
  'NOT_APPLICABLE',
  'PENDING',
  'PENDING_CHECK',
  'FUNDS_NOT_AVAILABLE',
  'FUNDS_BLOCK_FAILURE',
]);
const PROCESSING = new Set(['PROCESSING', 'CHECK_IN_PROGRESS']);

/** Reads how far an envelope of digital cash and the statements of its account have come. */
export async function progressOf(sql: Sql, envelopeId: string, account: string): Promise<Progress> {
  const [counts] = await sql<Omit<Progress, 'stages'>[]>`
    select number_of_disbursements as declared, number_of_disbursements_received as received, number_of_disbursements_shipped as shipped,
      number_of_disbursements_reconciled as reconciled, number_of_disbursements_reversed as reversed
    from disbursement_envelopes e
    join envelope_control on disbursement_envelope_id = e.id
    join envelope_batch_status_for_cash using (disbursement_envelope_id)
    where e.id = ${envelopeId}`;
  const rows = await sql<Row[]>`
    select 'mapper_resolution' as stage, fa_resolution_status as status, count(*)::int as n
    from disbursement_batch_control where disbursement_envelope_id = ${envelopeId} group by 2
    union all
    select 'disburse_funds_from_bank', sponsor_bank_dispatch_status, count(*)::int
    from disbursement_batch_control where disbursement_envelope_id = ${envelopeId} group by 2
    union all
    select 'check_funds_with_bank', funds_available_with_bank, 1
    from envelope_batch_status_for_cash where disbursement_envelope_id = ${envelopeId}
    union all
    select 'block_funds_with_bank', funds_blocked_with_bank, 1
    from envelope_batch_status_for_cash where disbursement_envelope_id = ${envelopeId}
    union all
    select 'mt940_processor', statement_process_status, count(*)::int
    from account_statements where account_number = ${account} group by 2`;
  return {
    ...(counts ?? { declared: 0, received: 0, shipped: 0, reconciled: 0, reversed: 0 }),
    stages: STAGES.map((stage) => progressIn(stage, rows)),
  };
}

function progressIn(stage: string, rows: readonly Row[]): StageProgress {
  const count = (matches: (status: string) => boolean) =>
    rows.filter((row) => row.stage === stage && matches(row.status)).reduce((sum, { n }) => sum + n, 0);
  const total = count(() => true);
  const pending = count((status) => PENDING.has(status));
  const processing = count((status) => PROCESSING.has(status));
  const errors = count((status) => status === 'ERROR');
  return { stage, total, pending, processing, errors, processed: total - pending - processing - errors };
}
