import type { Tx } from '../db/connection.ts';
import type { ActorTransaction, Delivered } from '../runtime/transaction.ts';
import { batchActor, envelopeActor } from './actors.ts';
import { allocationsOf } from './allocation.ts';
import { geoRecordsOf } from './geo-resolution.ts';

/** Batches that are locked and told in one go. */
const BATCHES_AT_ONCE = 500;

/**
 * Cancels envelopes: their batches take back what waits in this very transaction, so nothing of it is dispatched any more;
 * what is under way finds out before it acts. Geo records and beneficiaries, of whom there may be many, are told by message.
 * Funds that are blocked are given back by the stage that follows.
 *
 * @param who the operator who does it and why; left out: a partner does
 * @returns for each, in the order given: not accepted, and nothing changed, when a payment may be in flight, or it has been
 *   cancelled before
 */
export async function cancelEnvelopes(
  tx: ActorTransaction,
  envelopeIds: readonly string[],
  who: { readonly by?: string; readonly reason?: string } = {},
): Promise<readonly Delivered[]> {
  const event = { type: 'cancel', at: tx.now, ...who } as const;
  const told = await tx.send(
    envelopeActor,
    envelopeIds.map((id) => ({ id, event })),
  );
  const batches = await batchIdsOf(
    tx.sql,
    told.filter(({ accepted }) => accepted).map(({ id }) => id),
  );
  for (let start = 0; start < batches.length; start += BATCHES_AT_ONCE) {
    await tx.send(
      batchActor,
      batches.slice(start, start + BATCHES_AT_ONCE).map((id) => ({ id, event })),
    );
  }
  return told;
}

/** Locked in the order of their ids, as everywhere. */
async function batchIdsOf(sql: Tx, envelopeIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from disbursement_batch_control
    where disbursement_envelope_id = any(${envelopeIds as string[]}) order by id`;
  return rows.map(({ id }) => id);
}

/** The names under which {@link relocate} writes; held before rows are locked. */
export const namesToRelocate = (envelopeId: string, batchIds: readonly string[]): readonly string[] => [
  allocationsOf('warehouse', envelopeId),
  allocationsOf('agency', envelopeId),
  ...batchIds.map(geoRecordsOf),
];

/**
 * Forgets where the beneficiaries of batches live and who serves them, for disbursements that were cancelled: the batches
 * are located and allocated anew. Only for batches of which nobody has been told yet.
 *
 * @param tx holds {@link namesToRelocate} and the batches
 */
export async function relocate(
  { sql }: ActorTransaction,
  envelopeId: string,
  batchIds: string[],
): Promise<void> {
  await sql`delete from disbursement_resolution_geo_address where disbursement_batch_control_id = any(${batchIds})`;
  await sql`
    delete from disbursement_batch_control_geo_attributes where id in (
      select id from disbursement_batch_control_geo where disbursement_batch_control_id = any(${batchIds}))`;
  await sql`delete from disbursement_batch_control_geo where disbursement_batch_control_id = any(${batchIds})`;
  await sql`delete from envelope_allocations where disbursement_envelope_id = ${envelopeId}`;
  await sql`
    insert into envelope_allocations (disbursement_envelope_id, kind, allocated_to, allocated_quantity)
    select ${envelopeId}, given.kind, given.id, sum(g.total_quantity)
    from disbursement_batch_control_geo g
    cross join lateral (values ('warehouse', g.warehouse_id), ('agency', g.agency_id)) given (kind, id)
    where g.disbursement_envelope_id = ${envelopeId} and given.id is not null
    group by given.kind, given.id`;
}
