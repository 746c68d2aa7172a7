import type { Sql } from '../../src/db/connection.ts';

/** What an envelope keeps of its money; null where it keeps nothing. */
export interface Sums {
  readonly id: string;
  readonly shipped: string;
  readonly reconciled: string;
  readonly reversed: string;
}

/** What envelopes keep, with what messages are about to add. */
export const keptSums = (sql: Sql) => sql<Sums[]>`
  select c.disbursement_envelope_id as id,
    trim_scale(c.quantity_shipped + coalesce(m.shipped, 0)) as shipped,
    trim_scale(c.quantity_reconciled + coalesce(m.reconciled, 0)) as reconciled,
    trim_scale(c.quantity_reversed + coalesce(m.reversed, 0)) as reversed
  from envelope_batch_status_for_cash c
  left join (
    select actor_id,
      sum((event->>'quantity')::numeric) filter (where event->>'type' = 'shipped') as shipped,
      sum((event->>'quantity')::numeric) filter (where event->>'type' = 'reconciled') as reconciled,
      sum((event->>'quantity')::numeric) filter (where event->>'type' = 'reversed') as reversed
    from actor_messages where machine = 'envelope' group by 1
  ) m on m.actor_id = c.disbursement_envelope_id
  order by 1`;

/** What the tables say. */
export const sumsOfTables = (sql: Sql) => sql<Sums[]>`
  select c.disbursement_envelope_id as id,
    trim_scale(coalesce(p.shipped, 0)) as shipped,
    trim_scale(coalesce(r.reconciled, 0)) as reconciled,
    trim_scale(coalesce(r.reversed, 0)) as reversed
  from envelope_batch_status_for_cash c
  left join (
    -- A disbursement has been paid in a batch that is done and did not leave it out, whoever handed the cash out.
    select b.disbursement_envelope_id as id, sum(d.disbursement_quantity) as shipped
    from disbursement_batch_control b join disbursements d on d.disbursement_batch_control_id = b.id
    where b.sponsor_bank_dispatch_status = 'PROCESSED'
      and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null
    group by 1
  ) p on p.id = c.disbursement_envelope_id
  left join (
    select disbursement_envelope_id as id, sum(remittance_amount) as reconciled,
      sum(remittance_amount) filter (where reversal_found) as reversed
    from disbursement_recons group by 1
  ) r on r.id = c.disbursement_envelope_id
  order by 1`;
