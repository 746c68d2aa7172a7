import { compareDecimals } from '../../decimal.ts';
import type { FileFacts } from '../csv/check-file.ts';
import { CliError, EXIT } from '../failure.ts';
import type { EnvelopePayload } from '../partner-messages.ts';
import { type DeclaredTotals, ENVELOPE_FIELDS, type EnvelopeFields } from './envelope-fields.ts';
import { stableId } from './stable-id.ts';

/** Everything that a file and the facts of its envelope determine; the same every time they are submitted. */
export interface SubmissionPlan {
  readonly envelope: EnvelopePayload;
  /** Whether the envelope's id was given, so that it says nothing about the content. */
  readonly idIsGiven: boolean;
  readonly batchSize: number;
  readonly batches: readonly PlannedBatch[];
}

/** A batch before its rows are read. */
export interface PlannedBatch {
  readonly index: number;
  readonly id: string;
  readonly size: number;
  /** SHA-256 of its canonical rows: what is sent must be what was checked. */
  readonly digest: string;
}

/**
 * Plans a submission: the envelope with the totals of the file, and its batches. Ids are made of what they stand for,
 * so a submission that is made again asks for the same envelope and the same batches, and the API answers a request
 * that it knows as it did the first time.
 *
 * @throws CliError ENVELOPE_TOTALS_DIFFER when the envelope file declares other totals than the file has
 */
export function planSubmission(
  fields: EnvelopeFields,
  declared: DeclaredTotals,
  facts: FileFacts,
  batchSize: number,
): SubmissionPlan {
  requireTotals(declared, facts);
  const values = ENVELOPE_FIELDS.map(({ name }) => fields[name] ?? null);
  const id = declared.id ?? stableId('envelope', [...values, facts.contentDigest]);
  const envelope: EnvelopePayload = {
    id,
    ...fields,
    // A file with a beneficiary twice is refused, so there are as many.
    number_of_beneficiaries: facts.disbursements,
    number_of_disbursements: facts.disbursements,
    total_disbursement_quantity: facts.totalQuantity,
  };
  const batches = facts.batchDigests.map((digest, index) => ({
    index,
    id: stableId('batch', [id, index, digest]),
    size: Math.min(batchSize, facts.disbursements - index * batchSize),
    digest,
  }));
  return { envelope, idIsGiven: declared.id !== undefined, batchSize, batches };
}

function requireTotals(declared: DeclaredTotals, facts: FileFacts): void {
  const differences = [
    countDifference('number_of_beneficiaries', declared.number_of_beneficiaries, facts.disbursements),
    countDifference('number_of_disbursements', declared.number_of_disbursements, facts.disbursements),
    quantityDifference(declared.total_disbursement_quantity, facts.totalQuantity),
  ].filter((difference) => difference !== null);
  if (differences.length === 0) return;
  const message = 'The envelope file declares other totals than the disbursements have; nothing was sent.';
  throw new CliError('ENVELOPE_TOTALS_DIFFER', message, EXIT.usage, { details: differences });
}

function countDifference(name: string, declared: number | undefined, actual: number): string | null {
  if (declared === undefined || declared === actual) return null;
  return `${name}: declared ${declared}, in the file ${actual}`;
}

function quantityDifference(declared: string | undefined, actual: string): string | null {
  if (declared === undefined || compareDecimals(declared, actual) === 0) return null;
  return `total_disbursement_quantity: declared ${declared}, in the file ${actual}`;
}
