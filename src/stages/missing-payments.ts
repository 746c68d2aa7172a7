import type { Fragment } from 'postgres';
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

/** What is missing of one envelope. */
export interface MissingOfEnvelope {
  readonly disbursement_envelope_id: string;
  readonly measurement_unit: string;
  readonly count: number;
  /** Exact decimal. */
  readonly quantity: string;
  /** When the first of them was shipped. */
  readonly since: Date;
}

/** Which payments count as missing. */
export interface MissingOptions {
  /** Days after which a payment should be on a statement (`reconciliation_overdue_days`). */
  readonly overdueDays: number;
  /** The present moment. */
  readonly now: Date;
}

/**
 * Lists payments that were shipped longer ago than statements take and are on none yet, the longest missing first. What
 * was never sent (cancelled, left out, of quantity zero) is not missing.
 *
 * @param options.limit payments listed at most
 * @param options.envelope lists those of one envelope only
 * @param options.batches lists those of some batches only
 * @param options.after lists those that come after one in this order
 */
export async function missingPayments(
  sql: Queryable,
  options: MissingOptions & {
    readonly limit: number;
    readonly envelope?: string;
    readonly batches?: readonly string[];
    readonly after?: Pick<MissingPayment, 'shipped_at' | 'disbursement_batch_control_id' | 'payment_id'>;
  },
): Promise<MissingPayment[]> {
  const { after } = options;
  return sql<MissingPayment[]>`
    with suspects as materialized (${suspects(sql, options)})
    select p.id as payment_id, b.id as disbursement_batch_control_id, b.disbursement_envelope_id, p.paid_to, p.quantity,
      b.measurement_unit, b.shipped_at
    from suspects b, lateral (${unreconciled(sql)}) p
    ${
      after
        ? sql`where (b.shipped_at, b.id) >= (${after.shipped_at}, ${after.disbursement_batch_control_id})
            and (b.shipped_at, b.id, p.id) >
              (${after.shipped_at}, ${after.disbursement_batch_control_id}, ${after.payment_id})`
        : sql``
    }
    -- Batch by batch, so that no more of them are looked through than the list needs.
    order by b.shipped_at, b.id, p.id
    limit ${options.limit}`;
}

/**
 * Counts what {@link missingPayments} lists, by envelope, the longest missing first.
 *
 * @param options.limit envelopes listed at most
 */
export async function missingByEnvelope(
  sql: Queryable,
  options: MissingOptions & { readonly limit: number },
): Promise<MissingOfEnvelope[]> {
  return sql<MissingOfEnvelope[]>`
    with suspects as materialized (${suspects(sql, options)})
    select b.disbursement_envelope_id, min(b.measurement_unit) as measurement_unit, count(*)::int as count,
      sum(p.quantity) as quantity, min(b.shipped_at) as since
    from suspects b, lateral (${unreconciled(sql)}) p
    group by b.disbursement_envelope_id
    order by since, b.disbursement_envelope_id
    limit ${options.limit}`;
}

/** What is missing of one batch. */
export interface MissingOfBatch {
  readonly id: string;
  readonly disbursement_envelope_id: string;
  readonly shipped_at: Date;
  readonly count: number;
}

/**
 * Counts what {@link missingPayments} lists, by batch, in the same order.
 *
 * @param options.limit batches listed at most
 */
export async function missingByBatch(
  sql: Queryable,
  options: MissingOptions & { readonly limit: number },
): Promise<MissingOfBatch[]> {
  return sql<MissingOfBatch[]>`
    with suspects as materialized (${suspects(sql, options)})
    select b.id, b.disbursement_envelope_id, b.shipped_at, count(*)::int as count
    from suspects b, lateral (${unreconciled(sql)}) p
    group by b.id, b.disbursement_envelope_id, b.shipped_at
    order by b.shipped_at, b.id
    limit ${options.limit}`;
}

/**
 * Batches that were shipped long enough ago and have fewer payments on statements than they have in all. Looking closer
 * at those only keeps this quick: what is wholly reconciled costs a look at an index.
 */
function suspects(
  sql: Queryable,
  {
    overdueDays,
    now,
    envelope,
    batches,
  }: MissingOptions & { readonly envelope?: string; readonly batches?: readonly string[] },
): Fragment {
  const shippedBefore = new Date(now.getTime() - overdueDays * DAY_MS);
  return sql`
    select b.id, b.disbursement_envelope_id, b.benefit_type, e.measurement_unit,
      b.sponsor_bank_dispatch_timestamp as shipped_at
    from disbursement_batch_control b
    join disbursement_envelopes e on e.id = b.disbursement_envelope_id
    join envelope_batch_status_for_cash c on c.disbursement_envelope_id = e.id
    where b.sponsor_bank_dispatch_status = 'PROCESSED' and b.sponsor_bank_dispatch_timestamp < ${shippedBefore}
      ${envelope === undefined ? sql`` : sql`and e.id = ${envelope}`}
      ${batches === undefined ? sql`` : sql`and b.id = any(${batches as string[]}::text[])`}
      -- An envelope that is wholly reconciled misses nothing, so old ones cost nothing.
      and c.number_of_disbursements_reconciled < e.number_of_disbursements
      and (select count(*) from disbursement_recons r where r.disbursement_batch_control_id = b.id) <
        case b.benefit_type when 'CASH_DIGITAL' then b.number_of_disbursements
          else (select count(*) from disbursement_batch_control_geo g where g.disbursement_batch_control_id = b.id) end`;
}

/** The payments of batch `b` that were sent and are on no statement. */
const unreconciled = (sql: Queryable): Fragment => sql`
  select p.* from (
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
  ) p
  where p.quantity > 0 and not exists (select from disbursement_recons r where r.reconciliation_id = p.id)`;
