import { v5 as uuidv5 } from 'uuid';
import { stageSettings } from '../config.ts';
import type { GeoResolver, Located } from '../connectors/geo/geo-resolver.ts';
import { insertRows } from '../db/bulk.ts';
import type { Tx } from '../db/connection.ts';
import { disbursementBatchControlGeo } from '../db/schema/index.ts';
import { codeOf } from '../runtime/errors.ts';
import type { Outcome, Stage, Work } from '../runtime/stage.ts';
import { batchActor } from './actors.ts';
import { chunksOf } from './concurrency.ts';
import { type CancellableEnvelope, requireNotCancelled, type StageContext, StageError } from './context.ts';
import { inKindOf } from './in-kind.ts';
import { type Unresolved, unresolvedFault } from './unresolved.ts';

/** Addresses written with one statement at most. */
const ADDRESSES_PER_STATEMENT = 5_000;
/** Any fixed namespace: a zone of a batch always gives the same id. */
const GEO_IDS = '0f6a6a1e-6f0c-5a39-9d0f-1d1c5a1f3b52';

interface Batch extends CancellableEnvelope {
  readonly id: string;
  readonly disbursement_cycle_id: string;
  readonly target_registry: string | null;
}

interface ToLocate {
  readonly id: string;
  readonly beneficiary_id: string;
}

/** What is written of a geo record before its totals are known. */
interface GeoRow {
  readonly id: string;
  readonly administrative_zone_id_large: string;
  readonly administrative_zone_mnemonic_large: string;
  readonly administrative_zone_id_small: string;
  readonly administrative_zone_mnemonic_small: string;
}

interface AddressRow {
  readonly id: string;
  readonly geo_id: string;
  readonly name: string | null;
  readonly phone: string | null;
  readonly email: string | null;
}

/**
 * Stage 6: finds out where the beneficiaries of a batch live.
 *
 * Due when `geo_resolution` is PENDING. The geo resolver of the envelope's target registry is asked, in chunks, for those
 * without an address; what resolves is kept, whatever becomes of the rest. Each disbursement gets a geo address, each
 * pair of large and small zone a geo record with its beneficiaries counted and its quantity summed. When some are
 * missing from the registry the attempt fails with GEO_UNRESOLVED. An operator may release a batch: who is missing is
 * then left out and marked.
 */
export function geoResolution(context: StageContext): Stage {
  return {
    name: 'geo_resolution',
    actor: batchActor,
    region: 'geo_resolution',
    ...stageSettings(context.config, 'geo_resolution'),
    concurrency: context.config.worker_concurrency,
    perform: (work) => locateBatch(context, work),
    async onRelease({ sql }, batchId) {
      await sql`
        update disbursements d set left_out_reason = coalesce(b.geo_resolution_latest_error_code, 'GEO_UNRESOLVED')
        from disbursement_batch_control b
        where b.id = ${batchId} and d.disbursement_batch_control_id = b.id and d.left_out_reason is null
          and not exists (select from disbursement_resolution_geo_address a where a.id = d.id)`;
    },
  };
}

/** Name of what only one transaction at a time may write: a batch's geo records. */
export const geoRecordsOf = (batchId: string): string => `geo records of batch ${batchId}`;

async function locateBatch(context: StageContext, work: Work): Promise<Outcome> {
  const batch = await batchOf(context, work.id);
  requireNotCancelled(batch, `batch ${work.id} is not located`);
  const resolver = resolverOf(context, batch);
  const missing = await withoutAddress(context, work.id);
  const zones = new Map<string, GeoRow>();
  const addresses: AddressRow[] = [];
  const unresolved: Unresolved[] = [];
  const faults: unknown[] = [];
  for (const chunk of chunksOf(missing, context.config.registry_chunk_size)) {
    try {
      const located = await locate(resolver, chunk, work.signal);
      for (const { id, beneficiary_id: beneficiary } of chunk) {
        const found = located.get(beneficiary);
        if (found) addresses.push(addressOf(id, geoOf(batch.id, found, zones), found));
        else unresolved.push({ disbursementId: id, code: `the registry knows no area of ${beneficiary}` });
      }
    } catch (error) {
      // A registry that cannot be asked is not asked for the rest; the next attempt does that.
      faults.push(error);
      const code = codeOf(error, 'GEO_RESOLVER_ERROR');
      const unasked = missing.slice(addresses.length + unresolved.length);
      for (const { id } of unasked) unresolved.push({ disbursementId: id, code });
      break;
    }
  }
  const write = ({ sql }: { readonly sql: Tx }) => record(sql, batch, [...zones.values()], addresses);
  const exclusively = [geoRecordsOf(work.id)];
  if (unresolved.length === 0) return { kind: 'succeeded', exclusively, write };
  const left = { batchId: work.id, asked: missing.length, unresolved, faults };
  return { ...unresolvedFault('GEO_UNRESOLVED', 'could not be located', left), exclusively, write };
}

async function batchOf(context: StageContext, batchId: string): Promise<Batch> {
  const [batch] = await context.database.sql<Batch[]>`
    select b.id, e.id as envelope_id, e.cancellation_status, b.disbursement_cycle_id, e.target_registry
    from disbursement_batch_control b join disbursement_envelopes e on e.id = b.disbursement_envelope_id
    where b.id = ${batchId}`;
  if (!batch) throw new StageError('BATCH_NOT_FOUND', `There is no batch ${batchId}.`, false);
  return batch;
}

function resolverOf(context: StageContext, batch: Batch): GeoResolver {
  const { geoResolvers } = inKindOf(context, batch.id);
  const registry = batch.target_registry ?? '';
  const resolver = geoResolvers.get(registry.toLowerCase());
  if (resolver) return resolver;
  throw new StageError(
    'GEO_RESOLVER_NOT_CONFIGURED',
    `No geo resolver is configured for the target registry "${registry}" of envelope ` +
      `${batch.envelope_id}; add it to geo_resolvers_impls, restart and retry.`,
    false,
  );
}

async function withoutAddress(context: StageContext, batchId: string): Promise<readonly ToLocate[]> {
  return context.database.sql<ToLocate[]>`
    select d.id, d.beneficiary_id from disbursements d
    where d.disbursement_batch_control_id = ${batchId}
      and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null
      and not exists (select from disbursement_resolution_geo_address a where a.id = d.id)
    order by d.id`;
}

/** Where the beneficiaries of a chunk live, by beneficiary; each is asked for once. */
async function locate(
  resolver: GeoResolver,
  chunk: readonly ToLocate[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Located>> {
  const beneficiaries = [...new Set(chunk.map(({ beneficiary_id: beneficiary }) => beneficiary))];
  const answers = await resolver.resolve(beneficiaries, { signal });
  return new Map(answers.map((located) => [located.beneficiaryId, located]));
}

/** The id of the geo record of a beneficiary's zones, which is noted when it is met for the first time. */
function geoOf(batchId: string, { largeZone, smallZone }: Located, zones: Map<string, GeoRow>): string {
  const key = JSON.stringify([batchId, largeZone.id, smallZone.id]);
  const known = zones.get(key);
  if (known) return known.id;
  const id = uuidv5(key, GEO_IDS);
  zones.set(key, {
    id,
    administrative_zone_id_large: largeZone.id,
    administrative_zone_mnemonic_large: largeZone.mnemonic,
    administrative_zone_id_small: smallZone.id,
    administrative_zone_mnemonic_small: smallZone.mnemonic,
  });
  return id;
}

const addressOf = (id: string, geoId: string, { name, phone, email }: Located): AddressRow => ({
  id,
  geo_id: geoId,
  name,
  phone,
  email,
});

async function record(
  sql: Tx,
  batch: Batch,
  zones: readonly GeoRow[],
  addresses: readonly AddressRow[],
): Promise<void> {
  const { id: batchId, disbursement_cycle_id } = batch;
  const ofBatch = {
    disbursement_batch_control_id: batchId,
    disbursement_envelope_id: batch.envelope_id,
    disbursement_cycle_id,
  };
  const geos = zones.map((zone) => ({ ...zone, ...ofBatch }));
  await insertRows(sql, disbursementBatchControlGeo, geos, 'ignore');
  for (const chunk of chunksOf(addresses, ADDRESSES_PER_STATEMENT)) {
    await sql`
      insert into disbursement_resolution_geo_address (
        id, disbursement_id, disbursement_cycle_id, disbursement_envelope_id, disbursement_batch_control_id,
        disbursement_batch_control_geo_id, beneficiary_id, administrative_zone_id_large,
        administrative_zone_mnemonic_large, administrative_zone_id_small, administrative_zone_mnemonic_small,
        beneficiary_name, beneficiary_phone, beneficiary_email)
      select d.id, d.id, g.disbursement_cycle_id, g.disbursement_envelope_id, g.disbursement_batch_control_id,
        g.id, d.beneficiary_id, g.administrative_zone_id_large, g.administrative_zone_mnemonic_large,
        g.administrative_zone_id_small, g.administrative_zone_mnemonic_small,
        coalesce(v.name, d.beneficiary_name), v.phone, v.email
      from json_to_recordset(${JSON.stringify(chunk)}::json) as v(
        id text, geo_id text, name text, phone text, email text)
      join disbursements d on d.id = v.id
      join disbursement_batch_control_geo g on g.id = v.geo_id
      on conflict do nothing`;
  }
  await sql`
    update disbursement_batch_control_geo g
    set no_of_beneficiaries = t.beneficiaries, total_quantity = t.quantity
    from (
      select a.disbursement_batch_control_geo_id as id, count(distinct a.beneficiary_id)::int as beneficiaries,
        sum(d.disbursement_quantity) as quantity
      from disbursement_resolution_geo_address a join disbursements d on d.id = a.id
      where a.disbursement_batch_control_id = ${batchId} group by 1
    ) t
    where g.id = t.id`;
}
