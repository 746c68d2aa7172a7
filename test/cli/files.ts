import { dayFromNow } from '../support/payloads.ts';

/** A line of a file of disbursements. */
export interface Row {
  readonly disbursement_id: string;
  readonly beneficiary_id: string;
  readonly beneficiary_name: string;
  readonly disbursement_quantity: string;
  readonly narrative: string;
}

export const COLUMNS = [
  'disbursement_id',
  'beneficiary_id',
  'beneficiary_name',
  'disbursement_quantity',
  'narrative',
] as const;

/** So many rows that keep all rules; the same `run` gives the same ids. */
export function rowFixtures(run: string, count: number): Row[] {
  return Array.from({ length: count }, (_, n) => ({
    disbursement_id: `DISB-${run}-${n}`,
    beneficiary_id: `BEN-${run}-${n}`,
    beneficiary_name: `Almaz Bekele ${n}`,
    disbursement_quantity: `${100 + n}.10`,
    narrative: 'July support',
  }));
}

/** How a file is written down. */
export interface Dialect {
  readonly columns?: readonly (keyof Row)[];
  readonly lineEnd?: string;
  readonly byteOrderMark?: boolean;
  /** Quotes every field, not only those that need it. */
  readonly quoteAll?: boolean;
  readonly lastLineEnd?: boolean;
}

/** Writes rows as CSV (RFC 4180). */
export function csvOf(rows: readonly Row[], dialect: Dialect = {}): string {
  const {
    columns = COLUMNS,
    lineEnd = '\n',
    byteOrderMark = false,
    quoteAll = false,
    lastLineEnd = true,
  } = dialect;
  const cell = (text: string) =>
    quoteAll || /[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = [columns.map(cell), ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const text = lines.map((cells) => cells.join(',')).join(lineEnd);
  return `${byteOrderMark ? '\ufeff' : ''}${text}${lastLineEnd ? lineEnd : ''}`;
}

/** Options for an envelope that keeps all rules. */
export const ENVELOPE_OPTIONS = [
  ...['--program-id', '7', '--program-mnemonic', 'SAFETY-NET', '--program-description', 'Rural safety net'],
  ...['--target-registry', 'FARMER', '--benefit-code-id', '12', '--benefit-code-mnemonic', 'CASH'],
  ...['--benefit-type', 'CASH_DIGITAL', '--cycle-id', '3', '--cycle-mnemonic', 'JULY'],
  ...['--frequency', 'Monthly', '--unit', 'ETB', '--schedule-date', dayFromNow(1)],
];
