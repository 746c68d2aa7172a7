import { type Decimal, parseDecimal } from '../../decimal.ts';
import { quoted } from '../one-line.ts';
import { CSV_COLUMNS, type CsvColumn } from './header.ts';
import type { CsvProblem, CsvProblemCode } from './problem.ts';
import type { CsvRow } from './read.ts';

const QUANTITY_AT = CSV_COLUMNS.indexOf('disbursement_quantity');

/** What the decoder puts in place of bytes that are not UTF-8. */
const REPLACEMENT_CHARACTER = '\ufffd';
const NUL = '\u0000';

/** A row that is judged: its quantity, unless there is something wrong with the row. */
export type CheckedRow =
  | { readonly ok: true; readonly quantity: Decimal }
  | { readonly ok: false; readonly problems: readonly CsvProblem[] };

/** Judges a row by itself: texts present and storable, ids without spaces around them, a decimal that is not negative. */
export function checkRow({ line, fields }: CsvRow): CheckedRow {
  const problems: CsvProblem[] = [];
  const report = (code: CsvProblemCode, column: CsvColumn, message: string) => {
    problems.push({ code, line, column, message });
  };
  for (const [index, column] of CSV_COLUMNS.entries()) {
    const problem = textProblem(fields[index] ?? '', column);
    if (problem !== null) report(problem.code, column, problem.message);
  }
  if (problems.length > 0) return { ok: false, problems };
  const text = fields[QUANTITY_AT] ?? '';
  const quantity = decimalOf(text);
  if (quantity === null) {
    report(
      'CSV_NOT_A_DECIMAL',
      'disbursement_quantity',
      `${quoted(text)} is not a decimal number such as 1250.50.`,
    );
  } else if (quantity.units < 0n) {
    report('CSV_NEGATIVE_QUANTITY', 'disbursement_quantity', `${quoted(text)} is negative.`);
  } else {
    return { ok: true, quantity };
  }
  return { ok: false, problems };
}

function textProblem(text: string, column: CsvColumn): { code: CsvProblemCode; message: string } | null {
  if (text.trim() === '') return { code: 'CSV_EMPTY_FIELD', message: 'the field is empty.' };
  if (text.includes(REPLACEMENT_CHARACTER)) {
    return {
      code: 'CSV_NOT_UTF8',
      message: `${quoted(text)} holds bytes that are not UTF-8; save the file as UTF-8.`,
    };
  }
  if (text.includes(NUL)) return { code: 'CSV_BAD_TEXT', message: `${quoted(text)} holds a NUL character.` };
  const isId = column === 'disbursement_id' || column === 'beneficiary_id';
  if (isId && text.trim() !== text) {
    return { code: 'CSV_BAD_TEXT', message: `${quoted(text)} begins or ends with a space.` };
  }
  return null;
}

function decimalOf(text: string): Decimal | null {
  try {
    return parseDecimal(text);
  } catch {
    return null;
  }
}
