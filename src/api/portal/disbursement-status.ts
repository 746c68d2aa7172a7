import type { PendingQuery, Row } from 'postgres';
import type { Queryable } from '../../db/connection.ts';

/** How far a disbursement has come, as a beneficiary is told. */
export const DISBURSEMENT_STATUSES = [
  /** The program has announced it; nothing has happened yet. */
  'PENDING',
  /** It is known where it goes: a financial address, or a zone. */
  'RESOLVED',
  /** In kind: an agency is to hand it out. */
  'ALLOCATED',
  /** The bank has been told to pay it: to the beneficiary, or physical cash to the agency. */
  'SENT',
  /** The payment is on the bank's statement. */
  'RECONCILED',
  /** The payment came back. */
  'REVERSED',
  /** An operator took it out of payment because it could not be paid. */
  'LEFT_OUT',
  /** The program cancelled it, or the whole envelope. */
  'CANCELLED',
] as const;

export type DisbursementStatus = (typeof DISBURSEMENT_STATUSES)[number];

/**
 * What a disbursement is told by, joined to rows called `d` of `disbursements`: its envelope `e`, batch `b`, financial
 * address `f`, geo address `g` and remittance `r`, of which the last three may be missing.
 */
export const joinedToDisbursement = (sql: Queryable): PendingQuery<Row[]> => sql`
  join disbursement_envelopes e on e.id = d.disbursement_envelope_id
  join disbursement_batch_control b on b.id = d.disbursement_batch_control_id
  left join disbursement_resolution_financial_address f
    on f.disbursement_id = d.id and f.mapper_resolved_fa is not null
  left join disbursement_resolution_geo_address g on g.id = d.id
  -- Physical cash is paid to the agency of a zone, for all its beneficiaries at once.
  left join disbursement_recons r on r.reconciliation_id =
    case when e.benefit_type = 'CASH_PHYSICAL' then g.disbursement_batch_control_geo_id else d.id end`;

/**
 * The status of a disbursement, an expression over {@link joinedToDisbursement}. What was cancelled is never told as
 * paid; what the bank's statement says is told before what an operator said.
 */
export const statusOfDisbursement = (sql: Queryable): PendingQuery<Row[]> => sql`
  case
    when d.cancellation_status = 'CANCELLED' or e.cancellation_status = 'Cancelled' then 'CANCELLED'
    when r.reversal_found then 'REVERSED'
    when r.reconciliation_id is not null then 'RECONCILED'
    when d.left_out_reason is not null then 'LEFT_OUT'
    -- Nothing is sent for nothing, and no statement will tell of it.
    when b.sponsor_bank_dispatch_status = 'PROCESSED' and d.disbursement_quantity = 0 then 'RECONCILED'
    when b.sponsor_bank_dispatch_status = 'PROCESSED' then 'SENT'
    when e.benefit_type not in ('CASH_DIGITAL', 'CASH_PHYSICAL') and g.agency_id is not null
      and b.agency_allocation_status = 'PROCESSED' then 'ALLOCATED'
    when f.disbursement_id is not null or g.id is not null then 'RESOLVED'
    else 'PENDING'
  end`;
