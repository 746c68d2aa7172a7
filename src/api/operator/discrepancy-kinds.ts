/** What can be wrong between payments and statements, in the order in which it is shown, and how people call it. */
export const KIND_TITLES: Readonly<Record<string, string>> = {
  AMOUNT_MISMATCH: 'Amount or currency differs',
  DUPLICATE_DISBURSEMENT: 'Paid more than once',
  INVALID_RECONCILIATION_ID: 'Names no payment of ours',
  INVALID_REVERSAL: 'Reversal of nothing that was paid',
  REVERSED: 'Payment came back',
  MISSING: 'On no statement yet',
};

/** Payments that came back, and payments that no statement shows: no entries without a payment. */
export const REVERSED = 'REVERSED';
export const MISSING = 'MISSING';

/** What reconciliation gives as the reason of an entry that it could not match. */
export const ENTRY_KINDS: readonly string[] = Object.keys(KIND_TITLES).filter(
  (kind) => kind !== REVERSED && kind !== MISSING,
);
