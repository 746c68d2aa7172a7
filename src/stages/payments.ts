import type { BankConnector, Payment } from '../connectors/bank/bank-connector.ts';
import { agencyPayouts } from './agency-payments.ts';
import { beneficiaryPayouts } from './beneficiary-payments.ts';
import { type StageContext, StageError } from './context.ts';
import { type PayingEnvelope, payingEnvelope } from './sponsor-bank.ts';

/** What is to be paid for one batch. */
export interface Payout extends Payouts {
  readonly envelopeId: string;
  readonly bank: BankConnector;
}

/** The payments of a batch, and how many disbursements they are for. */
export interface Payouts {
  readonly payments: readonly Payment[];
  /** Disbursements that the payments are for: one each in digital cash, all those of a zone in physical cash. */
  readonly disbursementsPaid: number;
  /** Disbursements of quantity zero: nothing is sent for them, and they count as reconciled. */
  readonly nothingToPay: number;
}

/** Whose money a payment is, and what it was blocked under. */
export interface Payer extends PayingEnvelope {
  readonly blockReference: string;
}

/**
 * Collects the payments of a batch of cash: to the beneficiaries of digital cash, to the agencies that hand out physical
 * cash. The same batch always gives the same list: a payment's reference is the id of its disbursement or geo record, its
 * date the envelope's schedule date.
 *
 * @throws StageError BATCH_NOT_FOUND, FUNDS_NOT_BLOCKED, ADDRESS_MISSING, AGENCY_ACCOUNT_MISSING, and those of
 *   {@link payingEnvelope}
 */
export async function payoutOf(context: StageContext, batchId: string): Promise<Payout> {
  const { sql } = context.database;
  const [batch] = await sql<{ envelope_id: string; benefit_type: string; block_reference: string | null }[]>`
    select b.disbursement_envelope_id as envelope_id, b.benefit_type,
      c.funds_blocked_reference_number as block_reference
    from disbursement_batch_control b
    join envelope_batch_status_for_cash c using (disbursement_envelope_id)
    where b.id = ${batchId}`;
  if (!batch) throw new StageError('BATCH_NOT_FOUND', `There is no batch ${batchId}.`, false);
  const { envelope_id: envelopeId, block_reference: blockReference } = batch;
  if (blockReference === null) {
    throw new StageError('FUNDS_NOT_BLOCKED', `The funds of envelope ${envelopeId} are not blocked.`);
  }
  const payer = { ...(await payingEnvelope(context, envelopeId)), blockReference };
  const payouts = batch.benefit_type === 'CASH_PHYSICAL' ? agencyPayouts : beneficiaryPayouts;
  return { envelopeId, bank: payer.bank, ...(await payouts(sql, batchId, payer)) };
}
