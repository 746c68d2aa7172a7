import { type Decimal, formatDecimal, parseDecimal } from '../../decimal.ts';
import { quoted } from '../one-line.ts';
import { CSV_COLUMNS, type CsvColumn } from './header.ts';
import type { CsvProblem, CsvProblemCode } from './problem.ts';
import type { CsvRow } from './read.ts';
import {
  QUANTITY_FRACTION_DIGITS_MAX,
  QUANTITY_WHOLE_DIGITS_MAX,
  TEXT_CHARACTERS_MAX,
} from './text-rules.ts';

const QUANTITY_AT = CSV_COLUMNS.indexOf('disbursement_quantity');

/** What the decoder puts in place of bytes that are not UTF-8. */
const REPLACEMENT_CHARACTER = '\ufffd';
const CONTROL_CHARACTER = /\p{Cc}/u;
/** Ids become lines of bank statements, which take nothing else. */
const REFERENCE = /^[A-Za-z0-9][\x21-\x7e]*$/;

/** A row that is judged: its quantity, unless there is something wrong with the row. */
export type CheckedRow =
  | { readonly ok: true; readonly quantity: Decimal }
  | { readonly ok: false; readonly problems: readonly CsvProblem[] };

/** What is wrong with a field, without its place. */
interface Finding {
  readonly code: CsvProblemCode;
  readonly message: string;
}

/**
 * Judges a row by itself, as the partner API will: texts present, on one line and not too long, a decimal that is not
 * negative. Ids must not have spaces around them either, as those are hardly ever meant and make two ids of one.
 */
export function checkRow({ line, fields }: CsvRow): CheckedRow {
  const problems: CsvProblem[] = [];
  for (const [at, column] of CSV_COLUMNS.entries()) {
    const finding = textFinding(fields[at] ?? '', column);
    if (finding !== null) problems.push({ line, column, ...finding });
  }
  const quantity = readQuantity(fields[QUANTITY_AT] ?? '');
  const isReported = problems.some(({ column }) => column === 'disbursement_quantity');
  if ('code' in quantity && !isReported)
    problems.push({ line, column: 'disbursement_quantity', ...quantity });
  return problems.length === 0 && !('code' in quantity) ? { ok: true, quantity } : { ok: false, problems };
}

function textFinding(text: string, column: CsvColumn): Finding | null {
  if (text.trim() === '') return { code: 'CSV_EMPTY_FIELD', message: 'the field is empty.' };
  if (text.length > TEXT_CHARACTERS_MAX[column]) {
    return {
      code: 'CSV_TOO_LONG',
      message: `${quoted(text)} has more than ${TEXT_CHARACTERS_MAX[column]} characters.`,
    };
  }
  if (text.includes(REPLACEMENT_CHARACTER)) {
    return {
      code: 'CSV_NOT_UTF8',
      message: `${quoted(text)} holds bytes that are not UTF-8; save the file as UTF-8.`,
    };
  }
  if (CONTROL_CHARACTER.test(text)) {
    return {
      code: 'CSV_BAD_TEXT',
      message: `${quoted(text)} holds a line break or another control character.`,
    };
  }
  const isId = column === 'disbursement_id' || column === 'beneficiary_id';
  if (isId && text.trim() !== text) {
    return { code: 'CSV_BAD_TEXT', message: `${quoted(text)} begins or ends with a space.` };
  }
  if (column === 'disbursement_id' && !REFERENCE.test(text)) {
    return {
      code: 'CSV_BAD_TEXT',
      message: `${quoted(text)} must begin with a letter or digit and have only visible ASCII characters.`,
    };
  }
  return null;
}

function readQuantity(text: string): Decimal | Finding {
  const quantity = decimalOf(text);
  if (quantity === null) {
    return { code: 'CSV_NOT_A_DECIMAL', message: `${quoted(text)} is not a decimal number such as 1250.50.` };
  }
  if (quantity.units < 0n) return { code: 'CSV_NEGATIVE_QUANTITY', message: `${quoted(text)} is negative.` };
  const [whole = '', fraction = ''] = formatDecimal(quantity).split('.');
  if (whole.length <= QUANTITY_WHOLE_DIGITS_MAX && fraction.length <= QUANTITY_FRACTION_DIGITS_MAX)
    return quantity;
  const rule = `${QUANTITY_WHOLE_DIGITS_MAX} digits before or ${QUANTITY_FRACTION_DIGITS_MAX} after the point`;
  return { code: 'CSV_TOO_LONG', message: `${quoted(text)} has more than ${rule}.` };
}

function decimalOf(text: string): Decimal | null {
  try {
    return parseDecimal(text);
  } catch {
    return null;
  }
}
