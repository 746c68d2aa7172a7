import type { StatementEntryTexts } from './bank-connector.ts';

/** The narrative line in which the example bank brings back the full payment reference, counted from zero. */
const REFERENCE_LINE = 4;

/** Our id in a statement entry of the example bank: the fifth narrative line, else the customer reference. */
export function reconciliationId(entry: StatementEntryTexts): string {
  return entry.narrative[REFERENCE_LINE]?.trim() || (entry.customerReference?.trim() ?? '');
}

/** Why the example bank reversed a payment: the last narrative line that says anything. */
export function reversalReason(entry: StatementEntryTexts): string {
  return entry.narrative.findLast((line) => line.trim() !== '')?.trim() ?? '';
}
