import { createHash } from 'node:crypto';
import { type Decimal, formatDecimal, plus } from '../../decimal.ts';
import { checkRow } from './check-row.ts';
import { FirstSeen } from './first-seen.ts';
import { CSV_COLUMNS } from './header.ts';
import type { CsvProblem, CsvProblemCode } from './problem.ts';
import { type CsvRow, readCsv } from './read.ts';

/** Problems that are kept; further ones are only counted. */
export const PROBLEMS_KEPT_MAX = 20;

/** Disbursements of one file, which bounds the memory that checking takes: 86 bytes for each, see `FirstSeen`. */
export const ROWS_MAX = 10_000_000;

/** What a sound file holds. */
export interface FileFacts {
  readonly disbursements: number;
  /** Exact sum of the quantities, canonical. */
  readonly totalQuantity: string;
  /**
   * SHA-256 in hex of the disbursements in their order. It does not change with how the file writes them down: quotes,
   * line ends, order of columns, needless zeros.
   */
  readonly contentDigest: string;
  /** Likewise of each batch. */
  readonly batchDigests: readonly string[];
}

/** What checking a file found. */
export type FileCheck =
  | { readonly ok: true; readonly facts: FileFacts }
  | {
      readonly ok: false;
      /** The first ones, at most `PROBLEMS_KEPT_MAX`, in the order of the file. */
      readonly problems: readonly CsvProblem[];
      readonly problemCount: number;
    };

export interface CheckOptions {
  /** Disbursements of a batch. */
  readonly batchSize: number;
  /** Told the bytes read so far. */
  readonly onBytes?: (bytesRead: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Reads a whole file and checks every row by itself and that no disbursement and no beneficiary is there twice. Memory
 * does not grow with the rows but for what duplicates need, see {@link ROWS_MAX}.
 *
 * @throws the file system's errors; the signal's reason
 */
export async function checkFile(path: string, options: CheckOptions): Promise<FileCheck> {
  const problems = new ProblemList();
  const tally = new Tally(options.batchSize);
  const duplicates = new Duplicates();
  for await (const item of readCsv(path, options)) {
    if (item.kind === 'problem') {
      problems.add([item.problem]);
      continue;
    }
    const { row } = item;
    const checked = checkRow(row);
    problems.add(checked.ok ? duplicates.note(row) : [...checked.problems, ...duplicates.note(row)]);
    // A file with a problem is not sent, so nothing of it need be added up.
    if (checked.ok && problems.count === 0) tally.add(row, checked.quantity);
    if (tally.rows > ROWS_MAX) {
      problems.add([
        problem('CSV_TOO_MANY_ROWS', row.line, null, `a file holds ${ROWS_MAX} disbursements at most.`),
      ]);
      break;
    }
  }
  if (problems.count === 0 && tally.rows === 0) {
    problems.add([problem('CSV_EMPTY', 1, null, 'there is a header, but no disbursement.')]);
  }
  if (problems.count === 0) return { ok: true, facts: tally.finish() };
  return { ok: false, problems: problems.kept, problemCount: problems.count };
}

/** The row as text, the same for all ways to write it down; what digests are made of. */
export function canonicalRow(
  { fields: [id, beneficiary, name, , narrative] }: CsvRow,
  quantity: Decimal,
): string {
  return `${JSON.stringify([id, beneficiary, name, formatDecimal(quantity), narrative])}\n`;
}

/** SHA-256 in hex of canonical rows. */
export function digestOf(canonicalRows: string): string {
  return createHash('sha256').update(canonicalRows).digest('hex');
}

class ProblemList {
  readonly kept: CsvProblem[] = [];
  count = 0;

  add(problems: readonly CsvProblem[]): void {
    this.count += problems.length;
    this.kept.push(...problems.slice(0, PROBLEMS_KEPT_MAX - this.kept.length));
  }
}

/** Counts, adds up and digests the rows. */
class Tally {
  rows = 0;
  readonly #batchSize: number;
  readonly #content = createHash('sha256');
  readonly #batchDigests: string[] = [];
  #batch: string[] = [];
  #sum: Decimal = { units: 0n, scale: 0 };

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  add(row: CsvRow, quantity: Decimal): void {
    this.rows += 1;
    this.#sum = plus(this.#sum, quantity);
    this.#batch.push(canonicalRow(row, quantity));
    if (this.#batch.length === this.#batchSize) this.#closeBatch();
  }

  finish(): FileFacts {
    if (this.#batch.length > 0) this.#closeBatch();
    return {
      disbursements: this.rows,
      totalQuantity: formatDecimal(this.#sum),
      contentDigest: this.#content.digest('hex'),
      batchDigests: this.#batchDigests,
    };
  }

  #closeBatch(): void {
    const text = this.#batch.join('');
    this.#content.update(text);
    this.#batchDigests.push(digestOf(text));
    this.#batch = [];
  }
}

/** Finds ids that an earlier row has. */
class Duplicates {
  readonly #disbursements = new FirstSeen();
  readonly #beneficiaries = new FirstSeen();

  note({ line, fields: [disbursement = '', beneficiary = ''] }: CsvRow): CsvProblem[] {
    const problems: CsvProblem[] = [];
    const [idColumn, beneficiaryColumn] = CSV_COLUMNS;
    const sameDisbursement = disbursement === '' ? null : this.#disbursements.note(disbursement, line);
    if (sameDisbursement !== null) {
      problems.push(problem('CSV_DUPLICATE_DISBURSEMENT', line, idColumn, alreadyOn(sameDisbursement)));
    }
    const sameBeneficiary = beneficiary === '' ? null : this.#beneficiaries.note(beneficiary, line);
    if (sameBeneficiary !== null) {
      problems.push(
        problem('CSV_DUPLICATE_BENEFICIARY', line, beneficiaryColumn, alreadyOn(sameBeneficiary)),
      );
    }
    return problems;
  }
}

function alreadyOn(line: number): string {
  return `the same is on line ${line} already.`;
}

function problem(code: CsvProblemCode, line: number, column: string | null, message: string): CsvProblem {
  return { code, line, column, message };
}
