import { insertRows } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import { disbursementEnvelopes, envelopeBatchStatusForCash, envelopeControl } from '../../db/schema/index.ts';
import type { ActorTransaction } from '../../runtime/transaction.ts';
import { envelopeActor } from '../../stages/actors.ts';
import type { PartnerContext } from '../options.ts';
import type { EnvelopePayload } from './envelope-payload.ts';

/** What a partner says about an envelope: columns of the same names. */
const COLUMNS = [
  'benefit_program_id',
  'benefit_program_mnemonic',
  'benefit_program_description',
  'target_registry',
  'benefit_code_id',
  'benefit_code_mnemonic',
  'benefit_code_description',
  'benefit_type',
  'disbursement_cycle_id',
  'disbursement_frequency',
  'cycle_code_mnemonic',
  'number_of_beneficiaries',
  'number_of_disbursements',
  'total_disbursement_quantity',
  'measurement_unit',
  'disbursement_schedule_date',
] as const satisfies readonly (keyof EnvelopePayload)[];

/** What an envelope says, as text: equal for equal content, whether it comes from a payload or from a row. */
export function contentOf(envelope: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    COLUMNS.map((name) => envelope[name] ?? null).map((value) => (value === null ? null : String(value))),
  );
}

/** Everything that is known of envelopes, by id; quantities and ids of other systems as text. */
export async function storedFields(
  sql: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const rows = await sql<Record<string, unknown>[]>`
    select id, ${sql(COLUMNS.filter((name) => name !== 'disbursement_schedule_date'))},
      disbursement_schedule_date::text, receipt_time_stamp, cancellation_status, cancellation_timestamp
    from disbursement_envelopes where id = any(${ids as string[]})`;
  return new Map(rows.map((row) => [String(row.id), row]));
}

/** The {@link contentOf} of those of the envelopes that are there already, by id. */
export async function storedEnvelopes(
  sql: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await storedFields(sql, ids);
  return new Map([...rows].map(([id, row]) => [id, contentOf(row)]));
}

/** From when the funds of an envelope may be checked: its day (UTC), or at once where future days run. */
export const fundsDueFrom = (day: string, processFutureSchedules: boolean, now: Date): Date =>
  processFutureSchedules ? now : new Date(`${day}T00:00:00Z`);

/**
 * Writes new envelopes with all that belongs to them, and tells them that they have been created.
 *
 * @param envelopes that keep all rules
 * @param alongside what else the transaction does
 * @throws the database's unique violation when one of the ids is there already; nothing is written then
 */
export async function storeEnvelopes(
  { system, processFutureSchedules }: PartnerContext,
  envelopes: readonly (EnvelopePayload & { readonly id: string })[],
  alongside: (tx: ActorTransaction) => Promise<unknown>,
): Promise<void> {
  if (envelopes.length === 0) return;
  // In the order of the ids, so that two requests with the same ids never wait for each other crosswise.
  const inOrder = envelopes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await system.transact(async (tx) => {
    await insertRows(
      tx.sql,
      disbursementEnvelopes,
      inOrder.map((envelope) => rowOf(envelope, tx.now)),
    );
    await insertRows(
      tx.sql,
      envelopeControl,
      inOrder.map(({ id, disbursement_schedule_date: day }) => ({
        disbursement_envelope_id: id,
        funds_due_from: fundsDueFrom(day, processFutureSchedules, tx.now),
      })),
    );
    await insertRows(
      tx.sql,
      envelopeBatchStatusForCash,
      inOrder.map(({ id }) => ({ disbursement_envelope_id: id })),
    );
    await tx.send(
      envelopeActor,
      inOrder.map(({ id }) => ({ id, event: { type: 'created', at: tx.now } })),
    );
    await alongside(tx);
  });
}

function rowOf(
  envelope: EnvelopePayload & { readonly id: string },
  receivedAt: Date,
): Record<string, unknown> {
  const said = Object.fromEntries(COLUMNS.map((name) => [name, envelope[name] ?? null]));
  return { id: envelope.id, ...said, receipt_time_stamp: receivedAt };
}
