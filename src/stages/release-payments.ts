import type { OutcomeTransaction } from '../runtime/stage.ts';
import { PAYMENTS } from './after-restore.ts';

interface Released {
  readonly envelope_id: string;
  readonly may_be_out: boolean;
  readonly paid: number;
  /** Exact decimal: of the payments, of which physical cash has one for a zone. */
  readonly quantity_paid: string;
  readonly nothing_to_pay: number;
}

/**
 * Records what an operator's release says about the payments of a batch of cash.
 *
 * Payments that may have been sent, also before a restore of the database, count as paid: the operator has found out
 * that the bank took them. Payments that surely were not taken, because the bank refused them or they never left, are
 * left out and marked with the code of the fault.
 */
export async function releasePayments(tx: OutcomeTransaction, batchId: string): Promise<void> {
  const { sql } = tx;
  const [released] = await sql<Released[]>`
    select b.disbursement_envelope_id as envelope_id,
      b.sponsor_bank_dispatch_submitted_at is not null
        or coalesce(b.sponsor_bank_dispatch_latest_error_code = ${PAYMENTS.code}, false) as may_be_out,
      count(*) filter (where p.quantity > 0)::int as paid,
      coalesce(sum(p.quantity) filter (where p.place_in_payment = 1), 0) as quantity_paid,
      count(*) filter (where p.quantity = 0)::int as nothing_to_pay
    from disbursement_batch_control b, lateral (${payoutsOf(sql)}) p
    where b.id = ${batchId}
    group by b.id`;
  if (!released) return;
  const envelope = { machine: 'envelope', id: released.envelope_id };
  if (released.nothing_to_pay > 0)
    tx.tell(envelope, { type: 'reconciled', count: released.nothing_to_pay, quantity: '0' });
  if (released.paid === 0) return;
  if (released.may_be_out) {
    tx.tell(envelope, { type: 'shipped', count: released.paid, quantity: released.quantity_paid });
    return;
  }
  await sql`
    update disbursements d set left_out_reason = coalesce(b.sponsor_bank_dispatch_latest_error_code, 'RELEASED')
    from disbursement_batch_control b, lateral (${payoutsOf(sql)}) p
    where b.id = ${batchId} and d.id = p.id and p.quantity > 0`;
}

/** The disbursements of batch `b`, each with the quantity of the payment that pays it, its own or its zone's, and its place there. */
const payoutsOf = (sql: OutcomeTransaction['sql']) => sql`
  select d.id, case when b.benefit_type = 'CASH_PHYSICAL' then g.total_quantity else d.disbursement_quantity end
    as quantity,
    row_number() over (partition by case when b.benefit_type = 'CASH_PHYSICAL' then g.id else d.id end)
      as place_in_payment
  from disbursements d
  left join disbursement_resolution_geo_address a on a.id = d.id
  left join disbursement_batch_control_geo g on g.id = a.disbursement_batch_control_geo_id
  where d.disbursement_batch_control_id = b.id
    and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null`;
