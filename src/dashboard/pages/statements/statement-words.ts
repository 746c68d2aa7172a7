import type { StatementDetail, Statements } from '../../../api/operator/wire/statements.ts';
import { countText } from '../../format/number.ts';
import { shortId } from '../../text.ts';

type Summary = Statements['statements'][number];

/** A statement as the bank numbers it: "42/1"; the end of its id where it has no number. */
export function statementTitle({
  id,
  statement_number,
  sequence_number,
}: Pick<Summary, 'id' | 'statement_number' | 'sequence_number'>): string {
  if (statement_number === null) return shortId(id);
  return sequence_number === null ? statement_number : `${statement_number}/${sequence_number}`;
}

/** Up to where the server counts discrepancies: of one statement in a list, and of one kind. */
export const COUNTED_MAX = { ofStatement: 1_000, ofKind: 10_000 } as const;

/** A count that goes up to a maximum. */
export const countUpTo = (count: number, max: number): string =>
  count >= max ? `${countText(max)} or more` : countText(count);

const KINDS: Readonly<Record<string, string>> = {
  AMOUNT_MISMATCH: 'Amount or currency differs',
  DUPLICATE_DISBURSEMENT: 'Paid more than once',
  INVALID_RECONCILIATION_ID: 'Names no payment of ours',
  INVALID_REVERSAL: 'Reversal of nothing that was paid',
};

/** A reason why an entry matches no payment, for people; as the list of discrepancies has it. */
export const kindTitle = (kind: string): string => KINDS[kind] ?? kind;

/** Whether everything on a statement was matched with a payment. */
export const isClean = ({ state, by_reason, reversed }: StatementDetail): boolean =>
  state === 'PROCESSED' && by_reason.every(({ count }) => count === 0) && reversed.count === 0;
