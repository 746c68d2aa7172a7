import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, numeric, pgTable, text } from 'drizzle-orm/pg-core';
import { disbursementEnvelopes } from './envelopes.ts';
import { stageColumns, stageConstraints, stageSubmissionColumns, statusCheck, utc } from './stage-columns.ts';

/** A batch: the disbursements of one request, and where each of its five stages stands. */
export const disbursementBatchControl = pgTable(
  'disbursement_batch_control',
  {
    id: text().primaryKey(),
    disbursement_cycle_id: bigint({ mode: 'number' }).notNull(),
    disbursement_envelope_id: text()
      .notNull()
      .references(() => disbursementEnvelopes.id),
    benefit_type: text().notNull(),
    number_of_disbursements: integer().notNull(),
    total_disbursement_quantity: numeric().notNull(),
    /** SHA-256 of the request's payload: the same request again is recognised and gets the first answer. */
    request_digest: text().notNull(),
    receipt_time_stamp: utc().notNull(),
    ...stageColumns('fa_resolution'),
    ...stageColumns('geo_resolution'),
    ...stageColumns('warehouse_allocation'),
    ...stageColumns('agency_allocation'),
    ...stageColumns('sponsor_bank_dispatch'),
    ...stageSubmissionColumns('sponsor_bank_dispatch'),
  },
  (t) => [
    index('disbursement_batch_control_envelope').on(t.disbursement_envelope_id),
    ...stageConstraints(t, 'fa_resolution'),
    ...stageConstraints(t, 'geo_resolution'),
    ...stageConstraints(t, 'warehouse_allocation'),
    ...stageConstraints(t, 'agency_allocation'),
    ...stageConstraints(t, 'sponsor_bank_dispatch'),
  ],
);

/** One payment or delivery to one beneficiary. */
export const disbursements = pgTable(
  'disbursements',
  {
    id: text().primaryKey(),
    disbursement_envelope_id: text().notNull(),
    disbursement_batch_control_id: text()
      .notNull()
      .references(() => disbursementBatchControl.id),
    disbursement_cycle_id: bigint({ mode: 'number' }).notNull(),
    beneficiary_id: text().notNull(),
    beneficiary_name: text().notNull(),
    disbursement_quantity: numeric().notNull(),
    narrative: text().notNull(),
    receipt_time_stamp: utc().notNull(),
    cancellation_status: text().notNull().default('NOT_CANCELLED'),
    cancellation_time_stamp: utc(),
    /** Why this disbursement is left out of payment, set when an operator releases a stage; null otherwise. */
    left_out_reason: text(),
  },
  (t) => [
    index('disbursements_batch').on(t.disbursement_batch_control_id),
    index('disbursements_left_out')
      .on(t.disbursement_envelope_id)
      .where(sql`${t.left_out_reason} is not null`),
    index('disbursements_beneficiary').on(t.beneficiary_id, t.receipt_time_stamp),
    statusCheck('disbursements_cancellation_status', t.cancellation_status, ['NOT_CANCELLED', 'CANCELLED']),
    check('disbursements_quantity', sql`${t.disbursement_quantity} >= 0`),
  ],
);

/** Where the money of a disbursement goes, as the mapper answered. */
export const disbursementResolutionFinancialAddress = pgTable(
  'disbursement_resolution_financial_address',
  {
    disbursement_id: text()
      .primaryKey()
      .references(() => disbursements.id),
    disbursement_batch_control_id: text()
      .notNull()
      .references(() => disbursementBatchControl.id),
    disbursement_envelope_id: text().notNull(),
    beneficiary_id: text().notNull(),
    mapper_resolved_fa: text(),
    mapper_resolved_name: text(),
    mapper_resolved_fa_type: text(),
    bank_account_number: text(),
    bank_code: text(),
    branch_code: text(),
    mobile_number: text(),
    mobile_wallet_provider: text(),
    email_address: text(),
    email_wallet_provider: text(),
  },
  (t) => [
    index('financial_address_batch').on(t.disbursement_batch_control_id),
    statusCheck('financial_address_type', t.mapper_resolved_fa_type, [
      'BANK_ACCOUNT',
      'MOBILE_WALLET',
      'EMAIL_WALLET',
    ]),
  ],
);

/** A remittance found on a statement, and its reversal if one came back. */
export const disbursementRecons = pgTable(
  'disbursement_recons',
  {
    /** The disbursement id, or the geo record id for physical cash: what the statement's entry names. */
    reconciliation_id: text().primaryKey(),
    disbursement_id: text(),
    disbursement_batch_control_geo_id: text(),
    disbursement_batch_control_id: text().notNull(),
    disbursement_envelope_id: text().notNull(),
    beneficiary_name_from_bank: text(),
    remittance_amount: numeric().notNull(),
    remittance_reference_number: text(),
    remittance_statement_id: text().notNull(),
    remittance_statement_number: text(),
    remittance_statement_sequence: text(),
    /** Place of the entry in its statement, from 1. */
    remittance_entry_sequence: integer().notNull(),
    remittance_entry_date: utc(),
    remittance_value_date: utc(),
    reversal_found: boolean().notNull().default(false),
    reversal_statement_id: text(),
    reversal_statement_number: text(),
    reversal_statement_sequence: text(),
    reversal_entry_sequence: integer(),
    reversal_entry_date: utc(),
    reversal_value_date: utc(),
    reversal_reason: text(),
  },
  (t) => [
    index('disbursement_recons_batch').on(t.disbursement_batch_control_id),
    // With the amounts, so that a statement's sum is read off the index.
    index('disbursement_recons_statement').on(t.remittance_statement_id, t.remittance_amount),
    index('disbursement_recons_reversed')
      .on(t.reversal_statement_id, t.reconciliation_id)
      .where(sql`${t.reversal_found}`),
    index('disbursement_recons_reversed_envelope')
      .on(t.disbursement_envelope_id, t.reversal_statement_id, t.reconciliation_id)
      .where(sql`${t.reversal_found}`),
  ],
);

/** An entry of a statement that could not be matched, and why. */
export const disbursementErrorRecons = pgTable(
  'disbursement_error_recons',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    statement_id: text().notNull(),
    statement_number: text(),
    statement_sequence: text(),
    entry_sequence: integer().notNull(),
    entry_date: utc(),
    value_date: utc(),
    entry_amount: numeric().notNull(),
    error_reason: text().notNull(),
    reconciliation_id: text(),
    disbursement_envelope_id: text(),
    disbursement_batch_control_geo_id: text(),
    bank_reference_number: text(),
    /** What a reversal gave as its reason, kept for when its remittance turns up. */
    reversal_reason: text(),
  },
  (t) => [
    index('disbursement_error_recons_reconciliation').on(t.reconciliation_id),
    index('disbursement_error_recons_statement').on(t.statement_id, t.id),
    index('disbursement_error_recons_reason').on(t.error_reason, t.id),
    index('disbursement_error_recons_envelope').on(t.disbursement_envelope_id, t.id),
  ],
);
