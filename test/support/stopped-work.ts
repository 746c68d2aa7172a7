import { insertRows } from '../../src/db/bulk.ts';
import type { Database } from '../../src/db/connection.ts';
import {
  actorTransitions,
  disbursementBatchControl,
  disbursementEnvelopes,
  envelopeBatchStatusForCash,
  envelopeControl,
} from '../../src/db/schema/index.ts';
import { batchRow, type EnvelopeRow, envelopeControlRow, envelopeRow } from './records.ts';

/** Stores an envelope as if all of it had been received. @returns its id */
export async function storedEnvelope(
  { sql }: Database,
  given: Partial<EnvelopeRow> = {},
  money: Readonly<Record<string, unknown>> = {},
): Promise<EnvelopeRow> {
  const envelope = envelopeRow({ receipt_time_stamp: new Date(), ...given });
  await insertRows(sql, disbursementEnvelopes, [envelope]);
  await insertRows(sql, envelopeControl, [envelopeControlRow(envelope)]);
  await insertRows(sql, envelopeBatchStatusForCash, [{ disbursement_envelope_id: envelope.id, ...money }]);
  return envelope;
}

/** A stage region of a batch where it stands still. */
export interface Standing {
  readonly region: string;
  readonly status: string;
  readonly code?: string | null;
  readonly since?: Date;
  readonly dueAt?: Date | null;
  readonly attempts?: number;
  /** When it was submitted to whom it is for; only of regions that submit. */
  readonly submittedAt?: Date;
}

/** Stores batches that stand at the same place. @returns their ids */
export async function storedBatches(
  { sql }: Database,
  envelope: EnvelopeRow,
  count: number,
  {
    region,
    status,
    code = null,
    since = new Date(Date.now() - 60_000),
    dueAt = null,
    attempts = 3,
    submittedAt,
  }: Standing,
): Promise<string[]> {
  const rows = Array.from({ length: count }, () => ({
    ...batchRow(envelope, ['10'], new Date()),
    [`${region}_status`]: status,
    [`${region}_latest_error_code`]: code,
    [`${region}_timestamp`]: since,
    [`${region}_due_at`]: dueAt,
    [`${region}_attempts`]: attempts,
    ...(submittedAt === undefined ? {} : { [`${region}_submitted_at`]: submittedAt }),
  }));
  await insertRows(sql, disbursementBatchControl, rows);
  // As if it had come there by itself: what is counted is the journal.
  const entries = rows.map(({ id }) => ({
    at: since,
    machine: 'batch',
    actor_id: id,
    correlation_id: envelope.id,
    region,
    event: 'stored',
    from_state: 'NOT_APPLICABLE',
    to_state: status,
    attempt: attempts,
    error_code: code,
  }));
  await insertRows(sql, actorTransitions, entries);
  return rows.map(({ id }) => id);
}

/** How many of some batches stand in each state of a region. */
export async function statesOf(
  { sql }: Database,
  region: string,
  ids: readonly string[],
): Promise<Record<string, number>> {
  const status = sql(`${region}_status`);
  const rows = await sql<{ state: string; n: number }[]>`
    select ${status} as state, count(*)::int as n from disbursement_batch_control
    where id = any(${ids as string[]}) group by 1 order by 1`;
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}
