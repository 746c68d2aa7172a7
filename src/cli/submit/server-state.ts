import { compareDecimals } from '../../decimal.ts';
import { CliError, EXIT } from '../failure.ts';
import { type Answer, type JsonObject, type PartnerClient, refusedError } from '../partner-client.ts';
import { countIn, decimalIn } from '../partner-messages.ts';
import { type Decided, type RetryPolicy, untilAnswered } from '../retry.ts';
import type { PlannedBatch, SubmissionPlan } from './plan.ts';

/** What the server has of a submission before anything more is sent. */
export interface ServerState {
  readonly envelopeExists: boolean;
  /** Disbursements received so far. */
  readonly received: number;
  /** Indexes of the batches to send. */
  readonly missing: ReadonlySet<number>;
}

/**
 * Asks the server what it has of a submission: one request when it has nothing or everything, else one more for each
 * batch. The server's word is all that counts; nothing is kept on our side. A batch that it does not answer for is
 * taken as missing, since sending one twice has no further effect.
 *
 * @param onAsked told how many batches have been asked for
 * @throws CliError ENVELOPE_DIFFERS or ENVELOPE_HOLDS_OTHER_BATCHES; what `untilAnswered` throws
 */
export async function askServer(
  client: PartnerClient,
  plan: SubmissionPlan,
  options: {
    readonly concurrency: number;
    readonly retry: RetryPolicy;
    readonly onAsked?: (count: number) => void;
  },
): Promise<ServerState> {
  const status = await ask(options.retry, (signal) => client.envelopeStatus(plan.envelope.id, signal));
  const all = new Set(plan.batches.map(({ index }) => index));
  if (status.kind === 'refused') return { envelopeExists: false, received: 0, missing: all };
  requireSameEnvelope(plan, status.payload);
  const received = countIn(status.payload, 'number_of_disbursements_received') ?? 0;
  if (received === 0) return { envelopeExists: true, received, missing: all };
  if (received >= plan.envelope.number_of_disbursements && !plan.idIsGiven) {
    return { envelopeExists: true, received, missing: new Set() };
  }
  const missing = await missingBatches(client, plan, options);
  requireOurBatches(plan, received, missing);
  return { envelopeExists: true, received, missing };
}

/**
 * Creates the envelope.
 *
 * @throws CliError with the code of the rule that refused it; what `untilAnswered` throws
 */
export async function createEnvelope(
  client: PartnerClient,
  plan: SubmissionPlan,
  retry: RetryPolicy,
): Promise<void> {
  const created = await ask(retry, (signal) => client.createEnvelopes([plan.envelope], signal));
  if (created.kind === 'refused') throw refusedError(created);
}

/**
 * Asks how many disbursements of the envelope the server has received.
 *
 * @throws CliError with the code of the refusal; what `untilAnswered` throws
 */
export async function receivedCount(
  client: PartnerClient,
  plan: SubmissionPlan,
  retry: RetryPolicy,
): Promise<number> {
  const status = await ask(retry, (signal) => client.envelopeStatus(plan.envelope.id, signal));
  if (status.kind === 'refused') throw refusedError(status);
  return countIn(status.payload, 'number_of_disbursements_received') ?? 0;
}

function ask<T>(retry: RetryPolicy, call: (signal: AbortSignal) => Promise<Answer<T>>): Promise<Decided<T>> {
  return untilAnswered(() => call(retry.signal), retry);
}

async function missingBatches(
  client: PartnerClient,
  plan: SubmissionPlan,
  options: {
    readonly concurrency: number;
    readonly retry: RetryPolicy;
    readonly onAsked?: (count: number) => void;
  },
): Promise<Set<number>> {
  const missing = new Set<number>();
  const queue = plan.batches.values();
  let asked = 0;
  const work = async () => {
    for (const { id, index } of queue) {
      const control = await ask(options.retry, (signal) => client.batchControl(id, signal));
      if (control.kind === 'refused') missing.add(index);
      asked += 1;
      options.onAsked?.(asked);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
  return missing;
}

/** The id is that of our content, so this can differ only when the id was given or the envelope was amended. */
function requireSameEnvelope({ envelope }: SubmissionPlan, status: JsonObject): void {
  const count = countIn(status, 'number_of_disbursements_declared');
  const total = decimalIn(status, 'total_disbursement_quantity_declared');
  const sameCount = count === null || count === envelope.number_of_disbursements;
  const sameTotal = total === null || compareDecimals(total, envelope.total_disbursement_quantity) === 0;
  if (sameCount && sameTotal) return;
  throw new CliError(
    'ENVELOPE_DIFFERS',
    `Envelope ${envelope.id} is there already and declares ${count ?? '?'} disbursements and ${total ?? '?'} in all, ` +
      `not ${envelope.number_of_disbursements} and ${envelope.total_disbursement_quantity} as the file has.`,
    EXIT.refused,
  );
}

function requireOurBatches(plan: SubmissionPlan, received: number, missing: ReadonlySet<number>): void {
  const there = sum(plan.batches.filter(({ index }) => !missing.has(index)));
  // More than was counted before may have come meanwhile, from another run of the same submission; never less.
  if (there >= received) return;
  throw new CliError(
    'ENVELOPE_HOLDS_OTHER_BATCHES',
    `Envelope ${plan.envelope.id} has received ${received} disbursements, only ${there} of them in batches of ` +
      `${plan.batchSize}; was another --batch-size used before? Use the same again.`,
    EXIT.refused,
  );
}

function sum(batches: readonly PlannedBatch[]): number {
  return batches.reduce((total, { size }) => total + size, 0);
}
