/** What can be wrong with a file of disbursements. */
export type CsvProblemCode =
  /** The file holds no disbursement. */
  | 'CSV_EMPTY'
  /** A column of the header is not one of ours. */
  | 'CSV_UNKNOWN_COLUMN'
  | 'CSV_MISSING_COLUMN'
  | 'CSV_DUPLICATE_COLUMN'
  /** A line has more or fewer fields than the header. */
  | 'CSV_FIELD_COUNT'
  /** The quoting is broken or a line is far too long; the file is not read any further. */
  | 'CSV_MALFORMED'
  | 'CSV_NOT_UTF8'
  | 'CSV_EMPTY_FIELD'
  /** An id begins or ends with a space, or a field holds a line break or another control character. */
  | 'CSV_BAD_TEXT'
  | 'CSV_TOO_LONG'
  | 'CSV_NOT_A_DECIMAL'
  | 'CSV_NEGATIVE_QUANTITY'
  | 'CSV_DUPLICATE_DISBURSEMENT'
  | 'CSV_DUPLICATE_BENEFICIARY'
  /** More disbursements than one envelope may hold here. */
  | 'CSV_TOO_MANY_ROWS';

/** A problem and where it is. */
export interface CsvProblem {
  readonly code: CsvProblemCode;
  /** Line on which the record begins, from 1: the header is line 1. */
  readonly line: number;
  readonly column: string | null;
  /** One sentence without the place. */
  readonly message: string;
}

/** The problem with its place, on one line. */
export function describeProblem({ line, column, message }: CsvProblem): string {
  return `line ${line}${column === null ? '' : `, column ${column}`}: ${message}`;
}
