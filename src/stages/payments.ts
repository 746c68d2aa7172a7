import type { BankConnector } from '../connectors/bank/bank-connector.ts';
import type { Work } from '../runtime/stage.ts';
import { PAYMENTS, type Restore, restoreOf } from './after-restore.ts';
import { agencyPayouts } from './agency-payments.ts';
import { beneficiaryPayouts } from './beneficiary-payments.ts';
import { type StageContext, StageError } from './context.ts';
import type { Payouts } from './payouts.ts';
import { payingEnvelope } from './sponsor-bank.ts';

/** What is to be paid for one batch. */
export interface Payout extends Payouts {
  readonly envelopeId: string;
  readonly bank: BankConnector;
  /** Null unless the database was restored from a backup lately. */
  readonly restore: Restore | null;
}

interface PayingBatch {
  readonly envelope_id: string;
  readonly benefit_type: string;
  readonly block_reference: string | null;
  /** An earlier attempt failed, and nothing of it can have been taken. */
  readonly was_refused: boolean;
  readonly restore: Restore | null;
}

/**
 * Collects the payments of a batch of cash: to the beneficiaries of digital cash, to the agencies that hand out physical
 * cash. The same batch always gives the same list: a payment's reference is the id of its disbursement or geo record, its
 * date the envelope's schedule date.
 *
 * @throws StageError BATCH_NOT_FOUND, FUNDS_NOT_BLOCKED, ADDRESS_MISSING, and those of
 *   {@link payingEnvelope} and {@link agencyPayouts}
 */
export async function payoutOf(
  context: StageContext,
  work: Pick<Work, 'id' | 'signal' | 'now'>,
): Promise<Payout> {
  const batchId = work.id;
  const { sql } = context.database;
  const [batch] = await sql<PayingBatch[]>`
    select b.disbursement_envelope_id as envelope_id, b.benefit_type,
      b.sponsor_bank_dispatch_submitted_at is null and b.sponsor_bank_dispatch_latest_error_code is not null
        as was_refused,
      c.funds_blocked_reference_number as block_reference,
      ${restoreOf(sql, PAYMENTS, work.now())} as restore
    from disbursement_batch_control b
    join envelope_batch_status_for_cash c using (disbursement_envelope_id)
    where b.id = ${batchId}`;
  if (!batch) throw new StageError('BATCH_NOT_FOUND', `There is no batch ${batchId}.`, false);
  const { envelope_id: envelopeId, block_reference: blockReference } = batch;
  if (blockReference === null) {
    throw new StageError('FUNDS_NOT_BLOCKED', `The funds of envelope ${envelopeId} are not blocked.`);
  }
  const payer = { ...(await payingEnvelope(context, envelopeId)), blockReference };
  const payouts =
    batch.benefit_type === 'CASH_PHYSICAL'
      ? await agencyPayouts(context, work, payer, batch.was_refused)
      : await beneficiaryPayouts(sql, batchId, payer);
  return { envelopeId, bank: payer.bank, restore: batch.restore, ...payouts };
}
