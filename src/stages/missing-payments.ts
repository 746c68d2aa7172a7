import type { Queryable } from '../db/connection.ts';

const DAY_MS = 86_400_000;

/** A payment that was handed to the bank and that no statement has shown since. */
export interface MissingPayment {
  readonly disbursement_id: string;
  readonly disbursement_batch_control_id: string;
  readonly disbursement_envelope_id: string;
  readonly beneficiary_id: string;
  /** Exact decimal. */
  readonly disbursement_quantity: string;
  readonly measurement_unit: string;
  readonly shipped_at: Date;
}

/**
 * Lists payments of digital cash that were shipped longer ago than statements take and are on none yet, the longest
 * missing first. What was never sent (cancelled, left out, of quantity zero) is not missing.
 *
 * @param options.overdueDays days after which a payment should be on a statement (`reconciliation_overdue_days`)
 * @param options.now the present moment
 * @param options.limit payments listed at most
 */
export async function missingPayments(
  sql: Queryable,
  options: { readonly overdueDays: number; readonly now: Date; readonly limit: number },
): Promise<MissingPayment[]> {
  const shippedBefore = new Date(options.now.getTime() - options.overdueDays * DAY_MS);
  return sql<MissingPayment[]>`
    select d.id as disbursement_id, d.disbursement_batch_control_id, d.disbursement_envelope_id, d.beneficiary_id,
      d.disbursement_quantity, e.measurement_unit, b.sponsor_bank_dispatch_timestamp as shipped_at
    from disbursement_batch_control b
    join disbursement_envelopes e on e.id = b.disbursement_envelope_id
    join envelope_batch_status_for_cash c on c.disbursement_envelope_id = e.id
    join disbursements d on d.disbursement_batch_control_id = b.id
    where b.benefit_type = 'CASH_DIGITAL'
      and b.sponsor_bank_dispatch_status = 'PROCESSED' and b.sponsor_bank_dispatch_timestamp < ${shippedBefore}
      -- An envelope that is wholly reconciled misses nothing, so old ones cost nothing.
      and c.number_of_disbursements_reconciled < e.number_of_disbursements
      and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null and d.disbursement_quantity > 0
      and not exists (select from disbursement_recons r where r.reconciliation_id = d.id)
    order by b.sponsor_bank_dispatch_timestamp, d.id
    limit ${options.limit}`;
}
