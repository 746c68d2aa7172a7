import { insertRows } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import { disbursementBatchControl, disbursements } from '../../db/schema/index.ts';
import { addDecimals, compareDecimals, subtractDecimals, sumDecimals } from '../../decimal.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ActorTransaction } from '../../runtime/transaction.ts';
import { batchActor, envelopeActor } from '../../stages/actors.ts';
import type { PartnerContext } from '../options.ts';
import type { Disbursement } from './disbursement-payload.ts';
import { Refusal } from './message.ts';

/** A batch as it is received. */
export interface Batch {
  readonly id: string;
  readonly envelopeId: string;
  readonly items: readonly Disbursement[];
  /** What recognises the request when it is sent again, see `digestOf`. */
  readonly digest: string;
}

/** How much an envelope declares and has received; quantities are exact decimal strings. */
interface Receipt {
  readonly number_of_disbursements: number;
  readonly total_disbursement_quantity: string;
  readonly number_of_disbursements_received: number;
  readonly total_disbursement_quantity_received: string;
}

interface EnvelopeRow extends Receipt {
  readonly benefit_type: string;
  readonly disbursement_cycle_id: string;
  readonly cancellation_status: string;
}

/**
 * Whether this very batch has been taken already.
 *
 * @param givenId the batch id that the partner chose, if any: a repetition has the same
 * @returns the id it was taken under; null when it was not
 */
export async function batchTaken(
  sql: Queryable,
  batch: Batch,
  givenId: string | null,
): Promise<string | null> {
  const [row] = await sql<{ id: string }[]>`
    select b.id from disbursements d join disbursement_batch_control b on b.id = d.disbursement_batch_control_id
    where d.id = ${batch.items[0]?.disbursement_id ?? ''} and b.request_digest = ${batch.digest}`;
  return row && (givenId === null || givenId === row.id) ? row.id : null;
}

/** Those of a batch's disbursement ids that are used already. */
export async function idsTaken(sql: Queryable, batch: Batch): Promise<ReadonlySet<string>> {
  const ids = batch.items.map(({ disbursement_id }) => disbursement_id);
  const rows = await sql<{ id: string }[]>`select id from disbursements where id = any(${ids})`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Writes a batch with its disbursements, counts it into its envelope, and sets it on its way.
 *
 * @throws Refusal when its envelope does not take it; the database's unique violation when an id is used already.
 *   Nothing is written then.
 */
export async function storeBatch({ system, database }: PartnerContext, batch: Batch): Promise<void> {
  const quantity = sumDecimals(batch.items.map((item) => item.disbursement_quantity));
  // A look before anything is written: cheap, and what it lets through is decided for good under the envelope's lock.
  const envelope = await envelopeOf(database.sql, batch.envelopeId);
  if (envelope.cancellation_status === 'Cancelled') throw cancelled(batch.envelopeId);
  const overflow = overflowOf(batch, quantity, envelope);
  if (overflow) throw overflow;
  await system.transact(async (tx) => {
    await insertBatch(tx, batch, quantity, envelope);
    await countIn(tx, batch, quantity);
    await tx.send(batchActor, [{ id: batch.id, event: { type: 'received', at: tx.now } }]);
  });
}

async function envelopeOf(sql: Queryable, id: string): Promise<EnvelopeRow> {
  const [row] = await sql<EnvelopeRow[]>`
    select e.benefit_type, e.disbursement_cycle_id::text, e.cancellation_status, e.number_of_disbursements,
      e.total_disbursement_quantity, c.number_of_disbursements_received, c.total_disbursement_quantity_received
    from disbursement_envelopes e join envelope_control c on c.disbursement_envelope_id = e.id
    where e.id = ${id}`;
  if (row) return row;
  throw new Refusal('DISBURSEMENT_ENVELOPE_NOT_FOUND', `There is no envelope by the id ${id}.`);
}

/** The long part, done before the envelope is locked, so that batches of one envelope hardly wait for each other. */
async function insertBatch(
  tx: ActorTransaction,
  batch: Batch,
  quantity: string,
  envelope: EnvelopeRow,
): Promise<void> {
  const { disbursement_cycle_id: cycleId } = envelope;
  await insertRows(tx.sql, disbursementBatchControl, [
    {
      id: batch.id,
      disbursement_cycle_id: cycleId,
      disbursement_envelope_id: batch.envelopeId,
      benefit_type: envelope.benefit_type,
      number_of_disbursements: batch.items.length,
      total_disbursement_quantity: quantity,
      request_digest: batch.digest,
      receipt_time_stamp: tx.now,
    },
  ]);
  // In the order of the ids, so that two requests with the same ids never wait for each other crosswise.
  const inOrder = batch.items.toSorted((a, b) => (a.disbursement_id < b.disbursement_id ? -1 : 1));
  const rows = inOrder.map(({ disbursement_id, ...item }) => ({
    id: disbursement_id,
    ...item,
    disbursement_cycle_id: item.disbursement_cycle_id ?? cycleId,
    disbursement_envelope_id: batch.envelopeId,
    disbursement_batch_control_id: batch.id,
    receipt_time_stamp: tx.now,
  }));
  await insertRows(tx.sql, disbursements, rows);
}

/** Locks the envelope and counts the batch in; the envelope decides whether it still fits. */
async function countIn(tx: ActorTransaction, batch: Batch, quantity: string): Promise<void> {
  const event = { type: 'batch_received', at: tx.now, count: batch.items.length, quantity } as const;
  const [told] = await tx.send(envelopeActor, [{ id: batch.envelopeId, event }]);
  if (!told?.actor) {
    throw new RuntimeError(
      'ENVELOPE_UNREADABLE',
      `Envelope ${batch.envelopeId} is ${told?.problem ?? 'missing'}.`,
    );
  }
  const { value, context } = told.actor;
  if (value.cancellation === 'Cancelled') throw cancelled(batch.envelopeId);
  if (told.accepted) return;
  const refused = overflowOf(batch, quantity, context.facts as unknown as Receipt);
  throw (
    refused ??
    new RuntimeError('BATCH_NOT_TAKEN', `Envelope ${batch.envelopeId} does not take batch ${batch.id}.`)
  );
}

function cancelled(envelopeId: string): Refusal {
  return new Refusal('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED', `Envelope ${envelopeId} has been cancelled.`);
}

/** Why a batch does not fit into what its envelope has left; null when it fits. */
function overflowOf(batch: Batch, quantity: string, receipt: Receipt): Refusal | null {
  const left = receipt.number_of_disbursements - receipt.number_of_disbursements_received;
  if (batch.items.length > left) {
    const sentence = `Envelope ${batch.envelopeId} has room for ${left} more disbursements; the batch has ${batch.items.length}.`;
    return new Refusal('NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED', sentence);
  }
  const { total_disbursement_quantity: declared, total_disbursement_quantity_received: received } = receipt;
  if (compareDecimals(addDecimals(received, quantity), declared) <= 0) return null;
  const sentence =
    `Envelope ${batch.envelopeId} has room for a quantity of ${subtractDecimals(declared, received)} more; ` +
    `the batch has ${quantity}.`;
  return new Refusal('TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED', sentence);
}
