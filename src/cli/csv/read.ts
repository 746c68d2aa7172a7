import type { CsvError } from 'csv-parse';
import { readHeader } from './header.ts';
import type { CsvProblem } from './problem.ts';
import { type CsvRecord, RECORD_CHARACTERS_MAX, type ReadOptions, readRecords } from './records.ts';

/** A disbursement as the file has it. */
export interface CsvRow {
  /** Line on which it begins, from 1. */
  readonly line: number;
  /** Fields in the order of `CSV_COLUMNS`. */
  readonly fields: readonly string[];
}

/** What reading yields: rows, and problems in between. */
export type CsvItem =
  | { readonly kind: 'row'; readonly row: CsvRow }
  | { readonly kind: 'problem'; readonly problem: CsvProblem };

const LINE_END = /\r\n|\n|\r/g;

/**
 * Reads a CSV file of disbursements (RFC 4180; also with a byte order mark, any line ends, empty lines, columns in any
 * order), a few records at a time. Ends after a problem with the header or with the quoting; goes on after a line with
 * too many or too few fields. What the fields hold is not judged here.
 *
 * @throws the file system's errors; the signal's reason
 */
export async function* readCsv(path: string, options: ReadOptions = {}): AsyncGenerator<CsvItem, void, void> {
  const lines = new LineCounter();
  let columns: Columns | null = null;
  for await (const { records, error } of readRecords(path, options)) {
    for (const record of records) {
      const line = lines.next(record);
      if (columns !== null) {
        yield itemOf(record.fields, line, columns);
        continue;
      }
      const header = readHeader(record.fields, line);
      if (!header.ok) return yield* header.problems.map((problem) => ({ kind: 'problem', problem }) as const);
      columns = header;
    }
    if (error !== null) return yield { kind: 'problem', problem: malformed(error, lines, columns) };
  }
  if (columns !== null) return;
  yield {
    kind: 'problem',
    problem: { code: 'CSV_EMPTY', line: 1, column: null, message: 'the file is empty.' },
  };
}

interface Columns {
  /** Where each of our columns is in a record. */
  readonly positions: readonly number[];
  readonly names: readonly string[];
}

function itemOf(record: readonly string[], line: number, { positions, names }: Columns): CsvItem {
  if (record.length === names.length) {
    return { kind: 'row', row: { line, fields: positions.map((position) => record[position] ?? '') } };
  }
  const message = `this line has ${record.length} fields, the header has ${names.length}.`;
  return { kind: 'problem', problem: { code: 'CSV_FIELD_COUNT', line, column: null, message } };
}

/**
 * Counts lines, as the parser's own count takes a CRLF inside quotes for two. A record covers one line and one more for
 * each line end in its fields.
 */
class LineCounter {
  #line = 1;
  #emptyLines = 0;

  /** Line on which the record begins that follows those counted so far. */
  peek(emptyLines: number): number {
    return this.#line + emptyLines - this.#emptyLines;
  }

  /** Counts a record; @returns the line on which it begins */
  next({ fields, emptyLines }: CsvRecord): number {
    const line = this.peek(emptyLines);
    this.#emptyLines = emptyLines;
    this.#line = line + 1;
    for (const field of fields) {
      if (field.includes('\n') || field.includes('\r')) this.#line += field.match(LINE_END)?.length ?? 0;
    }
    return line;
  }
}

/** Sentences for what the parser finds wrong with the text itself. */
const MALFORMED: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted field is never closed.',
  CSV_INVALID_CLOSING_QUOTE:
    'a quoted field is followed by something other than a comma or the end of the line.',
  INVALID_OPENING_QUOTE: 'a quote stands inside a field that does not begin with one.',
  CSV_MAX_RECORD_SIZE: `this record is longer than ${RECORD_CHARACTERS_MAX} characters; is a quote missing?`,
};

function malformed(error: CsvError, lines: LineCounter, columns: Columns | null): CsvProblem {
  const emptyLines = typeof error.empty_lines === 'number' ? error.empty_lines : 0;
  const column = typeof error.index === 'number' ? (columns?.names[error.index] ?? null) : null;
  const message = MALFORMED[error.code] ?? 'this line is not CSV.';
  return { code: 'CSV_MALFORMED', line: lines.peek(emptyLines), column, message };
}
