import type { Fragment } from 'postgres';
import type { Queryable } from '../../db/connection.ts';
import { isCash } from '../../machines/benefit-type.ts';
import type { ENVELOPE_STATES, EnvelopeSummary } from './wire/envelopes.ts';

export type EnvelopeStateOnWire = (typeof ENVELOPE_STATES)[number];

/**
 * How far an envelope is, of the letters of {@link envelopeTables}. Work that stopped in ERROR comes first, since a person
 * must see to it; of a cancelled envelope that is so only where its own money is concerned. What is complete is what
 * `envelopeState` of the command `status` says is: everything received, cash reconciled, everybody in the zones notified;
 * what an operator has left out is not waited for.
 */
export const envelopeStateOf = (sql: Queryable): Fragment => sql`
  case
    when x.own > 0 or x.errors > 0 and e.cancellation_status <> 'Cancelled' then 'needs_attention'
    when e.cancellation_status = 'Cancelled' then 'cancelled'
    when r.number_of_disbursements_received < e.number_of_disbursements then 'receiving'
    when (e.benefit_type not in ('CASH_DIGITAL', 'CASH_PHYSICAL')
        or b.number_of_disbursements_reconciled >= e.number_of_disbursements
        or b.number_of_disbursements_reconciled >= e.number_of_disbursements - ${leftOut(sql)})
      and (e.benefit_type = 'CASH_DIGITAL' or ${everybodyIsNotified(sql)})
      then 'complete'
    when r.receipt_status = 'RECEIVING' then 'receiving'
    else 'under_way'
  end`;

/** Nobody in the zones waits or is being written to, and as many have been told as there are. Nothing is in ERROR here. */
const everybodyIsNotified = (sql: Queryable): Fragment => sql`(
  select coalesce(sum(k.count) filter (where k.state in ('PENDING', 'PROCESSING')), 0) = 0
    and coalesce(sum(k.count) filter (where k.machine = 'beneficiary' and k.state = 'PROCESSED'), 0)
      >= e.number_of_disbursements - ${leftOut(sql)}
  from actor_counts k where k.correlation_id = e.id and k.machine in ('beneficiary', 'geo'))`;

const leftOut = (sql: Queryable): Fragment => sql`
  (select count(*) from disbursements d
   where d.disbursement_envelope_id = e.id and d.left_out_reason is not null
     and d.cancellation_status = 'NOT_CANCELLED')`;

/** An envelope `e`, its control `r`, its money `b`, and how many regions `x` of its actors stand in ERROR. */
export const envelopeTables = (sql: Queryable): Fragment => sql`
  disbursement_envelopes e
  join envelope_control r on r.disbursement_envelope_id = e.id
  join envelope_batch_status_for_cash b on b.disbursement_envelope_id = e.id
  left join (
    select correlation_id, sum(count)::int as errors, sum(count) filter (where machine = 'envelope') as own
    from actor_counts where state = 'ERROR' and count > 0 group by correlation_id
  ) x on x.correlation_id = e.id`;

/** What is blocked at the bank for an envelope and was not given back. */
export const blockedQuantity = (sql: Queryable): Fragment => sql`
  case
    when b.funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS' and not (b.funds_released_status = 'PROCESSED'
      and b.funds_released_reference_number is not distinct from b.funds_blocked_reference_number)
    then e.total_disbursement_quantity else 0
  end`;

/** An envelope in short, as {@link summaryColumns} reads it. */
export interface SummaryRow {
  readonly id: string;
  readonly state: EnvelopeStateOnWire;
  readonly benefit_program_mnemonic: string;
  readonly benefit_code_mnemonic: string;
  readonly cycle_code_mnemonic: string;
  readonly benefit_type: string;
  readonly measurement_unit: string;
  readonly disbursement_schedule_date: string;
  readonly receipt_time_stamp: Date;
  readonly number_of_disbursements: number;
  readonly number_of_disbursements_received: number;
  readonly total_disbursement_quantity: string;
  readonly total_disbursement_quantity_received: string;
  readonly errors: number;
  readonly number_of_disbursements_shipped: number;
  readonly number_of_disbursements_reconciled: number;
  readonly number_of_disbursements_reversed: number;
}

/** The columns of {@link SummaryRow}. */
export const summaryColumns = (sql: Queryable): Fragment => sql`
  e.id, ${envelopeStateOf(sql)} as state, e.benefit_program_mnemonic, e.benefit_code_mnemonic, e.cycle_code_mnemonic,
  e.benefit_type, e.measurement_unit, e.disbursement_schedule_date::text, e.receipt_time_stamp,
  e.number_of_disbursements, r.number_of_disbursements_received, e.total_disbursement_quantity,
  r.total_disbursement_quantity_received, coalesce(x.errors, 0) as errors, b.number_of_disbursements_shipped,
  b.number_of_disbursements_reconciled, b.number_of_disbursements_reversed`;

/** An envelope in short, as operators see it. */
export function summaryOf(row: SummaryRow): EnvelopeSummary {
  const ifCash = (count: number) => (isCash(row.benefit_type) ? count : null);
  return {
    id: row.id,
    state: row.state,
    benefit_program_mnemonic: row.benefit_program_mnemonic,
    benefit_code_mnemonic: row.benefit_code_mnemonic,
    cycle_code_mnemonic: row.cycle_code_mnemonic,
    benefit_type: row.benefit_type,
    measurement_unit: row.measurement_unit,
    disbursement_schedule_date: row.disbursement_schedule_date,
    received_at: row.receipt_time_stamp.toISOString(),
    number_of_disbursements: row.number_of_disbursements,
    number_of_disbursements_received: row.number_of_disbursements_received,
    quantity_declared: row.total_disbursement_quantity,
    quantity_received: row.total_disbursement_quantity_received,
    errors: row.errors,
    number_of_disbursements_shipped: ifCash(row.number_of_disbursements_shipped),
    number_of_disbursements_reconciled: ifCash(row.number_of_disbursements_reconciled),
    number_of_disbursements_reversed: ifCash(row.number_of_disbursements_reversed),
  };
}
