import { compareDecimals } from '../../decimal.ts';
import type { EnvelopeFacts } from '../../machines/envelope.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Delivered } from '../../runtime/transaction.ts';
import type { Fault } from './faults.ts';

/** The codes that an envelope's refusal to change has. */
export const UNCHANGEABLE_CODES = [
  'DISBURSEMENT_ENVELOPE_NOT_FOUND',
  'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED',
  'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED',
] as const;

/** That there is no envelope by an id. */
export const NOT_FOUND: Fault = {
  code: 'DISBURSEMENT_ENVELOPE_NOT_FOUND',
  why: 'there is no envelope by this id',
};

/** What an envelope that did not take an event knows, by the columns that its machine reads. */
export function factsOf({ id, actor, problem }: Delivered): EnvelopeFacts {
  if (actor) return actor.context.facts as unknown as EnvelopeFacts;
  throw new RuntimeError('ENVELOPE_UNREADABLE', `Envelope ${id} is ${problem ?? 'missing'}.`);
}

/**
 * Why an envelope did not take `cancel`, `amend` or `disbursements_cancelled`.
 *
 * @param told of an envelope that is there
 */
export function whyUnchangeable(told: Delivered): Fault {
  const facts = factsOf(told);
  if (facts.cancellation_timestamp !== null) {
    return { code: 'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED', why: 'the envelope has been cancelled' };
  }
  const code = 'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED';
  if (facts.funds_blocked_reference_number === null) {
    return { code, why: 'its funds are being blocked at the bank; ask again when that is known' };
  }
  if (facts.number_of_batches_ready > 0) return { code, why: 'payments are in flight or have been sent' };
  return { code, why: 'an earlier block of its funds is being given back; ask again when that is done' };
}

/** Why amended totals are too low, if they are. */
export function tooLow(
  facts: EnvelopeFacts,
  amended: { readonly number_of_disbursements: number; readonly total_disbursement_quantity: string },
): Fault | null {
  const { number_of_disbursements_received: number, total_disbursement_quantity_received: quantity } = facts;
  if (amended.number_of_disbursements < number) {
    return {
      code: 'NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED',
      why: `${number} disbursements have been received`,
    };
  }
  if (compareDecimals(amended.total_disbursement_quantity, quantity) < 0) {
    return {
      code: 'TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED',
      why: `a quantity of ${quantity} has been received`,
    };
  }
  return null;
}
