import { addDecimals, compareDecimals, subtractDecimals } from '../decimal.ts';
import type { EnvelopeContext, EnvelopeEvent, EnvelopeFacts } from './envelope-data.ts';

/** What an envelope's columns say of what it declares, has received and may have paid. */

/** The part of the facts that says how much an envelope declares and has received. */
type Receipt = Pick<
  EnvelopeFacts,
  | 'number_of_disbursements'
  | 'total_disbursement_quantity'
  | 'number_of_disbursements_received'
  | 'total_disbursement_quantity_received'
>;

/** What declared and received come to by an event, whether or not the envelope takes it. */
export function receiptAfter({ facts }: EnvelopeContext, event: EnvelopeEvent): Receipt {
  const { number_of_disbursements_received: number, total_disbursement_quantity_received: total } = facts;
  switch (event.type) {
    case 'batch_received':
      return {
        ...facts,
        number_of_disbursements_received: number + event.count,
        total_disbursement_quantity_received: addDecimals(total, event.quantity),
      };
    case 'disbursements_cancelled':
      return {
        ...facts,
        number_of_disbursements_received: number - event.count,
        total_disbursement_quantity_received: subtractDecimals(total, event.quantity),
      };
    case 'amend':
      return {
        ...facts,
        number_of_disbursements: event.number_of_disbursements,
        total_disbursement_quantity: event.total_disbursement_quantity,
      };
    default:
      return facts;
  }
}

/** Whether no more was received than was declared, and not less than nothing. */
export const isPossible = (receipt: Receipt): boolean =>
  receipt.number_of_disbursements_received <= receipt.number_of_disbursements &&
  receipt.number_of_disbursements_received >= 0 &&
  compareDecimals(receipt.total_disbursement_quantity_received, receipt.total_disbursement_quantity) <= 0 &&
  compareDecimals(receipt.total_disbursement_quantity_received, '0') >= 0;

export const isComplete = (receipt: Receipt): boolean =>
  receipt.number_of_disbursements_received === receipt.number_of_disbursements &&
  compareDecimals(receipt.total_disbursement_quantity_received, receipt.total_disbursement_quantity) === 0;

/** The envelope's own totals, its money included, are what they were. */
export function isAmendedInVain({ facts }: EnvelopeContext, event: EnvelopeEvent): boolean {
  if (event.type !== 'amend') return false;
  return (
    event.number_of_disbursements === facts.number_of_disbursements &&
    compareDecimals(event.total_disbursement_quantity, facts.total_disbursement_quantity) === 0 &&
    event.funds_due_from.getTime() === facts.funds_due_from.getTime()
  );
}

export const isCancelled = ({ facts }: EnvelopeContext) => facts.cancellation_timestamp !== null;

/** A batch has, or gets any moment, the permission to pay. */
export const mayHavePaid = ({ facts }: EnvelopeContext) =>
  facts.funds_blocked_reference_number !== null && facts.number_of_batches_ready > 0;

/** The bank may have blocked funds without us knowing the block. */
export const mayHaveBlocked = ({ facts, stages }: EnvelopeContext) =>
  facts.funds_blocked_reference_number === null && stages.funds_blocked.submittedAt !== null;
