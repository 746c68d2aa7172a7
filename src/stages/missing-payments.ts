import type { Queryable } from '../db/connection.ts';

const DAY_MS = 86_400_000;

/** A payment that was handed to the bank and that no statement has shown since. */
export interface MissingPayment {
  /** Our id of the payment: the disbursement's, or the geo record's for physical cash. */
  readonly payment_id: string;
  readonly disbursement_batch_control_id: string;
  readonly disbursement_envelope_id: string;
  /** Who was to get it: a beneficiary's id, or an agency's for physical cash. */
  readonly paid_to: string;
  /** Exact decimal. */
  readonly quantity: string;
  readonly measurement_unit: string;
  readonly shipped_at: Date;
}

/**
 * Lists payments that were shipped longer ago than statements take and are on none yet, the longest missing first. What
 * was never sent (cancelled, left out, of quantity zero) is not missing.
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
    select p.id as payment_id, b.id as disbursement_batch_control_id, b.disbursement_envelope_id, p.paid_to, p.quantity,
      e.measurement_unit, b.sponsor_bank_dispatch_timestamp as shipped_at
    from disbursement_batch_control b
    join disbursement_envelopes e on e.id = b.disbursement_envelope_id
    join envelope_batch_status_for_cash c on c.disbursement_envelope_id = e.id
    join lateral (
      select d.id, d.beneficiary_id as paid_to, d.disbursement_quantity as quantity
      from disbursements d
      where b.benefit_type = 'CASH_DIGITAL' and d.disbursement_batch_control_id = b.id
        and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null
      union all
      select g.id, g.agency_id, g.total_quantity
      from disbursement_batch_control_geo g
      where b.benefit_type = 'CASH_PHYSICAL' and g.disbursement_batch_control_id = b.id
        and exists (
          select from disbursement_resolution_geo_address a join disbursements d on d.id = a.id
          where a.disbursement_batch_control_geo_id = g.id and d.left_out_reason is null)
    ) p on true
    where b.sponsor_bank_dispatch_status = 'PROCESSED' and b.sponsor_bank_dispatch_timestamp < ${shippedBefore}
      -- An envelope that is wholly reconciled misses nothing, so old ones cost nothing.
      and c.number_of_disbursements_reconciled < e.number_of_disbursements
      and p.quantity > 0
      and not exists (select from disbursement_recons r where r.reconciliation_id = p.id)
    order by b.sponsor_bank_dispatch_timestamp, p.id
    limit ${options.limit}`;
}
