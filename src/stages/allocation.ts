import { type Allocator, type Candidate, leastAllocated } from '../connectors/allocation/allocator.ts';
import type { Zone } from '../connectors/geo/geo-resolver.ts';
import type { Tx } from '../db/connection.ts';
import { addDecimals } from '../decimal.ts';
import type { Outcome, OutcomeTransaction, Work } from '../runtime/stage.ts';
import { type CancellableEnvelope, requireNotCancelled, type StageContext, StageError } from './context.ts';

/** Zones that a message names at most. */
const NAMED_MAX = 5;

/** Name of what only one transaction at a time may write: what an envelope's warehouses or agencies have been given. */
export const allocationsOf = (kind: Allocation['kind'], envelopeId: string): string =>
  `${kind} allocation of envelope ${envelopeId}`;

/** What is allocated, and for which zones. */
export interface Allocation {
  /** Also the prefix of its columns. */
  readonly kind: 'warehouse' | 'agency';
  readonly zones: 'large' | 'small';
  readonly allocator: Allocator;
  readonly notFound: string;
  /** Further fields of the `succeeded` event. */
  readonly event?: Readonly<Record<string, unknown>>;
}

interface Batch extends CancellableEnvelope {
  readonly program_id: string;
  readonly program_mnemonic: string;
  readonly benefit_code_id: string;
  readonly benefit_code_mnemonic: string;
}

/** A zone of the batch that nobody serves yet. */
interface OpenZone extends Zone {
  /** Exact decimal. */
  readonly quantity: string;
}

interface Choice {
  readonly zone: OpenZone;
  readonly chosen: Candidate;
}

/**
 * Finds who serves the zones of a batch: among the candidates of a zone the one that has been given least of the
 * envelope so far. Batches of one envelope take turns to choose, so what each is given is known when the next one
 * chooses. A zone that has been allocated keeps what it has.
 *
 * @returns a failure with `notFound`, naming zones, program and benefit code, when nobody serves a zone; nothing is
 *   allocated then
 * @throws StageError BATCH_NOT_FOUND, ENVELOPE_CANCELLED; what the allocator throws
 */
export async function allocateBatch(
  context: StageContext,
  work: Work,
  allocation: Allocation,
): Promise<Outcome> {
  const { sql } = context.database;
  const [batch] = await sql<Batch[]>`
    select e.id as envelope_id, e.cancellation_status, e.benefit_program_id as program_id, e.benefit_program_mnemonic as program_mnemonic,
      e.benefit_code_id, e.benefit_code_mnemonic
    from disbursement_batch_control b join disbursement_envelopes e on e.id = b.disbursement_envelope_id
    where b.id = ${work.id}`;
  if (!batch) throw new StageError('BATCH_NOT_FOUND', `There is no batch ${work.id}.`, false);
  requireNotCancelled(batch, `no ${allocation.kind} is found for batch ${work.id}`);
  const column = (name: string) => sql(`administrative_zone_${name}_${allocation.zones}`);
  const zones = await sql<OpenZone[]>`
    select ${column('id')} as id, min(${column('mnemonic')}) as mnemonic, sum(total_quantity)::text as quantity
    from disbursement_batch_control_geo
    where disbursement_batch_control_id = ${work.id} and ${sql(`${allocation.kind}_id`)} is null
    group by 1 order by 1`;
  const candidates = await candidatesOf(allocation, batch, zones, work);
  const unserved = zones.filter(({ id }) => (candidates.get(id) ?? []).length === 0);
  if (unserved.length > 0) return nobodyServes(allocation, batch, work.id, unserved);
  return {
    kind: 'succeeded',
    exclusively: [allocationsOf(allocation.kind, batch.envelope_id)],
    write: (tx) =>
      choose(tx, allocation, { batchId: work.id, envelopeId: batch.envelope_id }, zones, candidates),
    ...(allocation.event ? { event: allocation.event } : {}),
  };
}

async function candidatesOf(
  { allocator }: Allocation,
  batch: Batch,
  zones: readonly OpenZone[],
  { signal }: Work,
): Promise<ReadonlyMap<string, readonly Candidate[]>> {
  if (zones.length === 0) return new Map();
  const request = {
    programId: batch.program_id,
    programMnemonic: batch.program_mnemonic,
    benefitCodeId: batch.benefit_code_id,
    benefitCodeMnemonic: batch.benefit_code_mnemonic,
    zones: zones.map(({ id, mnemonic }) => ({ id, mnemonic })),
  };
  return allocator.candidates(request, { signal });
}

function nobodyServes(
  { kind, zones, notFound }: Allocation,
  batch: Batch,
  batchId: string,
  unserved: readonly OpenZone[],
): Outcome {
  const named = unserved.slice(0, NAMED_MAX).map(({ id, mnemonic }) => `${mnemonic} (${id})`);
  const rest = unserved.length - named.length;
  return {
    kind: 'failed',
    code: notFound,
    message:
      `No ${kind} serves the ${zones} zones ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''} of batch ${batchId} ` +
      `for program ${batch.program_mnemonic} (${batch.program_id}) and benefit code ${batch.benefit_code_mnemonic} ` +
      `(${batch.benefit_code_id}); add one in PBMS and retry.`,
  };
}

async function choose(
  { sql }: OutcomeTransaction,
  allocation: Allocation,
  { batchId, envelopeId }: { readonly batchId: string; readonly envelopeId: string },
  zones: readonly OpenZone[],
  candidates: ReadonlyMap<string, readonly Candidate[]>,
): Promise<void> {
  if (zones.length === 0) return;
  const allocated = await allocatedOf(sql, envelopeId, allocation.kind);
  const choices = zones.map((zone): Choice => {
    const ofZone = candidates.get(zone.id) ?? [];
    const chosen =
      allocation.allocator.choose?.(zone, ofZone, allocated) ?? leastAllocated(ofZone, allocated);
    allocated.set(chosen.id, addDecimals(allocated.get(chosen.id) ?? '0', zone.quantity));
    return { zone, chosen };
  });
  const chosen = new Set(choices.map((choice) => choice.chosen.id));
  const changed = [...allocated].filter(([id]) => chosen.has(id)).map(([id, quantity]) => ({ id, quantity }));
  await sql`
    insert into envelope_allocations (disbursement_envelope_id, kind, allocated_to, allocated_quantity)
    select ${envelopeId}, ${allocation.kind}, id, quantity
    from json_to_recordset(${JSON.stringify(changed)}::json) as v(id text, quantity numeric)
    on conflict (disbursement_envelope_id, kind, allocated_to)
      do update set allocated_quantity = excluded.allocated_quantity`;
  await recordChoices(sql, allocation, batchId, choices);
}

/** What has been given of an envelope so far, by who was given it. */
async function allocatedOf(sql: Tx, envelopeId: string, kind: string): Promise<Map<string, string>> {
  const rows = await sql<{ id: string; quantity: string }[]>`
    select allocated_to as id, allocated_quantity as quantity from envelope_allocations
    where disbursement_envelope_id = ${envelopeId} and kind = ${kind}`;
  return new Map(rows.map(({ id, quantity }) => [id, quantity]));
}

/** Writes the choices to the geo records, to what is known of whom to write to, and to every address. */
async function recordChoices(
  sql: Tx,
  { kind, zones }: Allocation,
  batchId: string,
  choices: readonly Choice[],
): Promise<void> {
  const rows = choices.map(({ zone, chosen }) => ({
    zone: zone.id,
    id: chosen.id,
    mnemonic: chosen.mnemonic,
    name: chosen.name,
    admin_name: chosen.adminName,
    admin_email: chosen.adminEmail,
    admin_phone: chosen.adminPhone,
    attributes: chosen.additionalAttributes,
  }));
  const own = (column: string) => sql(`${kind}_${column}`);
  const zoneOf = sql(`administrative_zone_id_${zones}`);
  await sql`
    with chosen as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as v(
        zone text, id text, mnemonic text, name text, admin_name text, admin_email text, admin_phone text,
        attributes text)
    ), geos as (
      update disbursement_batch_control_geo g
      set ${own('id')} = c.id, ${own('mnemonic')} = c.mnemonic, ${own('additional_attributes')} = c.attributes
      from chosen c
      where g.disbursement_batch_control_id = ${batchId} and g.${zoneOf} = c.zone and g.${own('id')} is null
      returning g.id as geo_id, c.*
    )
    insert into disbursement_batch_control_geo_attributes (id, disbursement_batch_control_id,
      ${own('name')}, ${own('admin_name')}, ${own('admin_email')}, ${own('admin_phone')})
    select geo_id, ${batchId}, name, admin_name, admin_email, admin_phone from geos
    on conflict (id) do update set
      ${own('name')} = excluded.${own('name')}, ${own('admin_name')} = excluded.${own('admin_name')},
      ${own('admin_email')} = excluded.${own('admin_email')}, ${own('admin_phone')} = excluded.${own('admin_phone')}`;
  await sql`
    update disbursement_resolution_geo_address a
    set ${own('id')} = g.${own('id')}, ${own('mnemonic')} = g.${own('mnemonic')}
    from disbursement_batch_control_geo g
    where a.disbursement_batch_control_id = ${batchId} and g.id = a.disbursement_batch_control_geo_id
      and a.${own('id')} is null`;
}
