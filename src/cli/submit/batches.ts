import { type Decimal, formatDecimal, parseDecimal } from '../../decimal.ts';
import { canonicalRow, digestOf } from '../csv/check-file.ts';
import { type CsvRow, readCsv } from '../csv/read.ts';
import { CliError, EXIT } from '../failure.ts';
import type { DisbursementPayload } from '../partner-messages.ts';
import type { PlannedBatch, SubmissionPlan } from './plan.ts';

/** A batch ready to be sent. */
export interface Batch {
  readonly id: string;
  readonly disbursements: readonly DisbursementPayload[];
  /** For each disbursement the line of the file on which it is. */
  readonly lines: readonly number[];
}

/**
 * Reads the file a second time and gives the batches that are wanted, one after the other, each only when asked for.
 * Every row is compared, through the digest of its batch, with what was checked, also those of batches not wanted.
 *
 * @param wanted indexes of batches
 * @throws CliError FILE_CHANGED when the file is no longer what was checked; the file system's errors; the signal's
 *   reason
 */
export async function* readBatches(
  path: string,
  plan: SubmissionPlan,
  wanted: ReadonlySet<number>,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
  let index = 0;
  let rows: CsvRow[] = [];
  for await (const item of readCsv(path, { signal })) {
    if (item.kind === 'problem') throw fileChanged(path);
    rows.push(item.row);
    const planned = plan.batches[index];
    if (planned === undefined) throw fileChanged(path);
    if (rows.length < planned.size) continue;
    const batch = readBatch(path, rows, planned, plan);
    if (wanted.has(index)) yield batch;
    index += 1;
    rows = [];
  }
  if (rows.length > 0 || index < plan.batches.length) throw fileChanged(path);
}

function readBatch(
  path: string,
  rows: readonly CsvRow[],
  planned: PlannedBatch,
  plan: SubmissionPlan,
): Batch {
  const quantities = rows.map((row) => quantityOf(path, row));
  const text = rows.map((row, at) => canonicalRow(row, quantities[at] ?? ZERO)).join('');
  if (digestOf(text) !== planned.digest) throw fileChanged(path);
  const { id: envelopeId, disbursement_cycle_id } = plan.envelope;
  const disbursements = rows.map(
    ({ fields: [id = '', beneficiary = '', name = '', , narrative = ''] }, at) => ({
      disbursement_id: id,
      disbursement_envelope_id: envelopeId,
      beneficiary_id: beneficiary,
      beneficiary_name: name,
      disbursement_quantity: formatDecimal(quantities[at] ?? ZERO),
      narrative,
      disbursement_cycle_id,
    }),
  );
  return { id: planned.id, disbursements, lines: rows.map(({ line }) => line) };
}

const ZERO: Decimal = { units: 0n, scale: 0 };

function quantityOf(path: string, { fields: [, , , quantity = ''] }: CsvRow): Decimal {
  try {
    return parseDecimal(quantity);
  } catch {
    throw fileChanged(path);
  }
}

function fileChanged(path: string): CliError {
  const message = `${path} was changed while it was being sent; what was sent is what was checked before. Run the command again.`;
  return new CliError('FILE_CHANGED', message, EXIT.usage);
}
