import { closest, distance } from 'fastest-levenshtein';
import { quoted } from '../one-line.ts';
import type { CsvProblem } from './problem.ts';

/** The columns, in the order in which rows are given on. */
export const CSV_COLUMNS = [
  'disbursement_id',
  'beneficiary_id',
  'beneficiary_name',
  'disbursement_quantity',
  'narrative',
] as const;

export type CsvColumn = (typeof CSV_COLUMNS)[number];

/** The header as read: where each column is in the file, or what is wrong. */
export type Header =
  | { readonly ok: true; readonly positions: readonly number[]; readonly names: readonly string[] }
  | { readonly ok: false; readonly problems: readonly CsvProblem[] };

const OTHER_SEPARATORS = [';', '\t', '|'] as const;

/**
 * Reads a header: every column once, none other, in any order.
 *
 * @param line where it is in the file
 */
export function readHeader(fields: readonly string[], line: number): Header {
  const problems = [...fieldProblems(fields, line), ...missingProblems(fields, line)];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, positions: CSV_COLUMNS.map((column) => fields.indexOf(column)), names: fields };
}

function fieldProblems(fields: readonly string[], line: number): CsvProblem[] {
  return fields.flatMap((field, index): CsvProblem[] => {
    const at = { line, column: quoted(field) };
    if (!isColumn(field))
      return [{ code: 'CSV_UNKNOWN_COLUMN', ...at, message: unknownColumn(field, fields) }];
    if (fields.indexOf(field) === index) return [];
    return [{ code: 'CSV_DUPLICATE_COLUMN', ...at, message: 'this column is there twice.' }];
  });
}

function unknownColumn(field: string, fields: readonly string[]): string {
  const separator = OTHER_SEPARATORS.find((candidate) => fields.length === 1 && field.includes(candidate));
  if (separator !== undefined) {
    return `the fields seem to be separated by ${JSON.stringify(separator)}; they must be by commas.`;
  }
  const missing = CSV_COLUMNS.filter((column) => !fields.includes(column));
  const near = missing.length > 0 ? closest(field.toLowerCase(), missing) : null;
  const isNear = near !== null && distance(field.toLowerCase(), near) <= near.length / 2;
  return `there is no such column${isNear ? `; is it ${near}?` : `; the columns are ${CSV_COLUMNS.join(', ')}.`}`;
}

function missingProblems(fields: readonly string[], line: number): CsvProblem[] {
  return CSV_COLUMNS.filter((column) => !fields.includes(column)).map((column) => ({
    code: 'CSV_MISSING_COLUMN',
    line,
    column,
    message: 'this column is missing.',
  }));
}

function isColumn(field: string): field is CsvColumn {
  return (CSV_COLUMNS as readonly string[]).includes(field);
}
