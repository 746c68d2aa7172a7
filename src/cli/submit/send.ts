import { CliError } from '../failure.ts';
import { oneLine } from '../one-line.ts';
import { type PartnerClient, refusedError } from '../partner-client.ts';
import { asObject, textIn } from '../partner-messages.ts';
import { type RetryPolicy, untilAnswered } from '../retry.ts';
import type { Batch } from './batches.ts';

const REFUSED_SHOWN_MAX = 20;

export interface SendOptions {
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly retry: RetryPolicy;
  /** Told of each batch that the server has taken. */
  readonly onSent: (batch: Batch) => void;
}

/**
 * Sends batches, some at once, taking each from the source only when there is room for it. The first that cannot be sent
 * stops it; requests under way are waited for.
 *
 * @throws CliError with the code of the rule that refused a batch, naming the lines; what `untilAnswered` and the source
 *   throw
 */
export async function sendBatches(
  client: PartnerClient,
  batches: AsyncGenerator<Batch, void, void>,
  options: SendOptions,
): Promise<void> {
  const halt = new AbortController();
  const retry = { ...options.retry, signal: AbortSignal.any([options.retry.signal, halt.signal]) };
  const work = async () => {
    // The generator hands its batches out one by one, however many ask at once.
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      await sendBatch(client, next.value, options.retry.signal, retry);
      options.onSent(next.value);
      if (halt.signal.aborted) return;
    }
  };
  const failures: unknown[] = [];
  const workers = Array.from({ length: options.concurrency }, () =>
    work().catch((error: unknown) => {
      failures.push(error);
      halt.abort(error);
    }),
  );
  await Promise.all(workers);
  await batches.return();
  if (failures.length > 0) throw failures[0];
}

/**
 * @param signal ends the request itself
 * @param retry ends only its repetition when another batch has failed, since this one may well go through
 */
async function sendBatch(
  client: PartnerClient,
  batch: Batch,
  signal: AbortSignal,
  retry: RetryPolicy,
): Promise<void> {
  const sent = await untilAnswered(
    () => client.createDisbursements(batch.id, batch.disbursements, signal),
    retry,
  );
  if (sent.kind === 'success') return;
  const { code, message, exitCode } = refusedError(sent);
  const refused = refusedRows(batch, sent.payload);
  throw new CliError(code, message, exitCode, {
    details: refused.map(
      ({ line, disbursement_id, codes }) => `line ${line}, ${disbursement_id}: ${codes.join(', ')}`,
    ),
    data: { refused },
  });
}

/** The rows that the server named, with their codes. */
function refusedRows({ disbursements, lines }: Batch, payload: unknown) {
  if (!Array.isArray(payload)) return [];
  const lineOf = new Map(disbursements.map(({ disbursement_id }, at) => [disbursement_id, lines[at] ?? 0]));
  return payload
    .flatMap((item: unknown) => {
      const answer = asObject(item) ?? {};
      const id = textIn(answer, 'disbursement_id') ?? '';
      const codes = answer.response_error_codes;
      if (!Array.isArray(codes) || codes.length === 0) return [];
      return [{ line: lineOf.get(id) ?? 0, disbursement_id: oneLine(id, 100), codes: codes.map(String) }];
    })
    .slice(0, REFUSED_SHOWN_MAX);
}
