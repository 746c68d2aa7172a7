import { randomUUID } from 'node:crypto';
import { type StatementEntry, writeMt940 } from '../../simulators/bank/mt940-writer.ts';
import type {
  disbursementBatchControl,
  disbursementEnvelopes,
  disbursements,
  envelopeControl,
} from '../../src/db/schema/index.ts';
import { addDecimals, subtractDecimals, sumDecimals } from '../../src/decimal.ts';

/** Builders of the rows that receipt writes: one for each record, complete unless a test says otherwise. */

export type EnvelopeRow = typeof disbursementEnvelopes.$inferInsert;
export type EnvelopeControlRow = typeof envelopeControl.$inferInsert;
export type BatchRow = typeof disbursementBatchControl.$inferInsert;
export type DisbursementRow = typeof disbursements.$inferInsert;

/** An id that no other test uses: `<prefix>-` and twelve characters, so that it also fits a customer reference. */
export const newId = (prefix: string): string => `${prefix}-${randomUUID().replaceAll('-', '').slice(-12)}`;

/** A calendar day in UTC, `YYYY-MM-DD`. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** An envelope of digital cash in USD, scheduled for the day it is received. */
export function envelopeRow(given: Partial<EnvelopeRow> & { receipt_time_stamp: Date }): EnvelopeRow {
  const count = given.number_of_disbursements ?? 1;
  return {
    id: newId('E'),
    benefit_program_id: 1,
    benefit_program_mnemonic: 'SEEDS',
    benefit_code_id: 1,
    benefit_code_mnemonic: 'CASH',
    benefit_type: 'CASH_DIGITAL',
    disbursement_cycle_id: 1,
    disbursement_frequency: 'Monthly',
    cycle_code_mnemonic: '2026-01',
    number_of_beneficiaries: count,
    number_of_disbursements: count,
    total_disbursement_quantity: '10',
    measurement_unit: 'USD',
    disbursement_schedule_date: dayOf(given.receipt_time_stamp),
    ...given,
  };
}

/** What is received of an envelope when it is announced: nothing; its funds are due from its schedule date. */
export function envelopeControlRow(envelope: EnvelopeRow): EnvelopeControlRow {
  return {
    disbursement_envelope_id: envelope.id,
    funds_due_from: new Date(`${envelope.disbursement_schedule_date}T00:00:00Z`),
  };
}

/** A batch of an envelope with the disbursements it is received with. */
export function batchRow(envelope: EnvelopeRow, quantities: readonly string[], receivedAt: Date): BatchRow {
  return {
    id: newId('BT'),
    disbursement_cycle_id: envelope.disbursement_cycle_id,
    disbursement_envelope_id: envelope.id,
    benefit_type: envelope.benefit_type,
    number_of_disbursements: quantities.length,
    total_disbursement_quantity: sumDecimals(quantities),
    request_digest: 'of this request',
    receipt_time_stamp: receivedAt,
  };
}

/** A disbursement of a batch to a beneficiary of its own. */
export function disbursementRow(batch: BatchRow, quantity: string): DisbursementRow {
  const id = newId('D');
  return {
    id,
    disbursement_envelope_id: batch.disbursement_envelope_id,
    disbursement_batch_control_id: batch.id,
    disbursement_cycle_id: batch.disbursement_cycle_id,
    beneficiary_id: `ben-of-${id}`,
    beneficiary_name: 'Asha Devi',
    disbursement_quantity: quantity,
    narrative: 'Seed support',
    receipt_time_stamp: batch.receipt_time_stamp,
  };
}

/** What the mapper is told of a beneficiary: where the money goes. */
export type Address = { readonly fa_type: string } & Readonly<Record<string, string>>;

/** An account at a bank, the sponsor bank unless told otherwise. */
export const bankAccount = (bankCode = 'EXAMPLE-BANK'): Address => ({
  fa_type: 'BANK',
  account_number: newId('ACC'),
  bank_code: bankCode,
  branch_code: 'BR-1',
});

/** An entry as the example bank writes it: the full id in the fifth line of `:86:`. */
export function debit(disbursementId: string, amount: string): StatementEntry {
  return {
    valueDate: '2026-01-05',
    entryDate: '2026-01-05',
    mark: 'D',
    amount,
    transactionType: 'NTRF',
    customerReference: disbursementId,
    bankReference: `REF${disbursementId.slice(-10)}`,
    narrative: ['Seed support', 'SEEDS', '2026-01', 'a beneficiary', disbursementId],
  };
}

/** The same payment coming back. */
export function reversal(disbursementId: string, amount: string, reason = 'ACCOUNT CLOSED'): StatementEntry {
  const entry = debit(disbursementId, amount);
  return { ...entry, mark: 'RD', narrative: [...entry.narrative, reason] };
}

/** Money that came in. */
export const credit = (amount: string): StatementEntry => ({
  ...debit('NONREF', amount),
  mark: 'C',
  customerReference: 'SALARY',
  narrative: ['Grant from the ministry'],
});

/** A statement whose balances agree with its entries; no two have the same number. */
export function statementText(
  account: string,
  entries: readonly StatementEntry[],
  given: { readonly currency?: string } = {},
): string {
  const opening = '1000000000';
  const closing = entries.reduce(
    (sum, { mark, amount }) =>
      mark === 'D' || mark === 'RC' ? subtractDecimals(sum, amount) : addDecimals(sum, amount),
    opening,
  );
  const balance = (amount: string) => ({ mark: 'C' as const, date: '2026-01-05', amount });
  const text = writeMt940({
    reference: newId('ST'),
    account,
    statementNumber: '1',
    sequenceNumber: '1',
    currency: given.currency ?? 'USD',
    opening: balance(opening),
    closing: balance(closing),
    entries,
  });
  return [...text].join('');
}
