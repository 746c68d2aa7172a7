import { sql } from 'drizzle-orm';
import { bigint, check, date, index, integer, numeric, pgTable, text } from 'drizzle-orm/pg-core';
import { stageColumns, stageConstraints, statusCheck, utc } from './stage-columns.ts';

export const FUNDS_AVAILABLE_STATUSES = [
  'NOT_APPLICABLE',
  'PENDING_CHECK',
  'CHECK_IN_PROGRESS',
  'FUNDS_AVAILABLE',
  'FUNDS_NOT_AVAILABLE',
  'ERROR',
] as const;

export const FUNDS_BLOCKED_STATUSES = [
  'NOT_APPLICABLE',
  'PENDING_CHECK',
  'CHECK_IN_PROGRESS',
  'FUNDS_BLOCK_SUCCESS',
  'FUNDS_BLOCK_FAILURE',
  'ERROR',
] as const;

/** What a ministry announces: so many disbursements of so much in all, for one benefit and cycle. */
export const disbursementEnvelopes = pgTable(
  'disbursement_envelopes',
  {
    id: text().primaryKey(),
    benefit_program_id: bigint({ mode: 'number' }).notNull(),
    benefit_program_mnemonic: text().notNull(),
    benefit_program_description: text(),
    target_registry: text(),
    benefit_code_id: bigint({ mode: 'number' }).notNull(),
    benefit_code_mnemonic: text().notNull(),
    benefit_code_description: text(),
    benefit_type: text().notNull(),
    disbursement_cycle_id: bigint({ mode: 'number' }).notNull(),
    disbursement_frequency: text().notNull(),
    cycle_code_mnemonic: text().notNull(),
    number_of_beneficiaries: integer().notNull(),
    number_of_disbursements: integer().notNull(),
    total_disbursement_quantity: numeric().notNull(),
    measurement_unit: text().notNull(),
    disbursement_schedule_date: date({ mode: 'string' }).notNull(),
    receipt_time_stamp: utc().notNull(),
    cancellation_status: text().notNull().default('Not_Cancelled'),
    cancellation_timestamp: utc(),
  },
  (t) => [
    statusCheck('disbursement_envelopes_cancellation_status', t.cancellation_status, [
      'Not_Cancelled',
      'Cancelled',
    ]),
    statusCheck('disbursement_envelopes_benefit_type', t.benefit_type, [
      'CASH_DIGITAL',
      'CASH_PHYSICAL',
      'COMMODITY',
      'SERVICE',
      'COMBINATION',
    ]),
    index('disbursement_envelopes_schedule').on(t.disbursement_schedule_date),
    index('disbursement_envelopes_received').on(t.receipt_time_stamp, t.id),
  ],
);

/** What has arrived of an envelope. */
export const envelopeControl = pgTable(
  'envelope_control',
  {
    disbursement_envelope_id: text()
      .primaryKey()
      .references(() => disbursementEnvelopes.id),
    receipt_status: text().notNull().default('RECEIVING'),
    number_of_disbursements_received: integer().notNull().default(0),
    total_disbursement_quantity_received: numeric().notNull().default('0'),
    /** From when its funds may be checked, see `EnvelopeFacts.funds_due_from`. */
    funds_due_from: utc().notNull(),
    /** Batches that are resolved and wait for, or have, the permission to pay. */
    number_of_batches_ready: integer().notNull().default(0),
  },
  (t) => [
    statusCheck('envelope_control_receipt_status', t.receipt_status, ['RECEIVING', 'RECEIVED']),
    check('envelope_control_received', sql`${t.number_of_disbursements_received} >= 0`),
  ],
);

/** The money of an envelope: checked, blocked, shipped, reconciled, reversed. */
export const envelopeBatchStatusForCash = pgTable(
  'envelope_batch_status_for_cash',
  {
    disbursement_envelope_id: text()
      .primaryKey()
      .references(() => disbursementEnvelopes.id),
    /** Who pays, as it was when the funds were found; a later change of the configuration must not pay elsewhere. */
    sponsor_bank_code: text(),
    program_account_number: text(),
    funds_available_with_bank: text().notNull().default('NOT_APPLICABLE'),
    funds_available_latest_timestamp: utc(),
    funds_available_latest_error_code: text(),
    funds_available_attempts: integer().notNull().default(0),
    funds_available_job_id: text(),
    funds_available_due_at: utc(),
    funds_blocked_with_bank: text().notNull().default('NOT_APPLICABLE'),
    funds_blocked_latest_timestamp: utc(),
    funds_blocked_latest_error_code: text(),
    funds_blocked_attempts: integer().notNull().default(0),
    funds_blocked_job_id: text(),
    funds_blocked_due_at: utc(),
    funds_blocked_submission: integer().notNull().default(1),
    funds_blocked_submitted_at: utc(),
    funds_blocked_reference_number: text(),
    ...stageColumns('funds_released'),
    funds_released_reference_number: text(),
    number_of_disbursements_shipped: integer().notNull().default(0),
    number_of_disbursements_reconciled: integer().notNull().default(0),
    number_of_disbursements_reversed: integer().notNull().default(0),
    /** What was paid, found on statements, and came back, in the envelope's measurement unit. */
    quantity_shipped: numeric().notNull().default('0'),
    quantity_reconciled: numeric().notNull().default('0'),
    quantity_reversed: numeric().notNull().default('0'),
  },
  (t) => [
    statusCheck(
      'envelope_batch_status_for_cash_funds_available',
      t.funds_available_with_bank,
      FUNDS_AVAILABLE_STATUSES,
    ),
    statusCheck(
      'envelope_batch_status_for_cash_funds_blocked',
      t.funds_blocked_with_bank,
      FUNDS_BLOCKED_STATUSES,
    ),
    index('funds_available_due')
      .on(t.funds_available_due_at)
      .where(sql`${t.funds_available_with_bank} in ('PENDING_CHECK', 'FUNDS_NOT_AVAILABLE')`),
    index('funds_available_in_progress')
      .on(t.funds_available_latest_timestamp)
      .where(sql`${t.funds_available_with_bank} = 'CHECK_IN_PROGRESS'`),
    index('funds_available_in_error')
      .on(t.funds_available_latest_error_code, t.funds_available_latest_timestamp)
      .where(sql`${t.funds_available_with_bank} = 'ERROR'`),
    index('funds_blocked_due')
      .on(t.funds_blocked_due_at)
      .where(sql`${t.funds_blocked_with_bank} in ('PENDING_CHECK', 'FUNDS_BLOCK_FAILURE')`),
    index('funds_blocked_in_progress')
      .on(t.funds_blocked_latest_timestamp)
      .where(sql`${t.funds_blocked_with_bank} = 'CHECK_IN_PROGRESS'`),
    index('funds_blocked_in_error')
      .on(t.funds_blocked_latest_error_code, t.funds_blocked_latest_timestamp)
      .where(sql`${t.funds_blocked_with_bank} = 'ERROR'`),
    ...stageConstraints(t, 'funds_released'),
  ],
);
