import { setTimeout as delay } from 'node:timers/promises';
import { generate } from '../simulators/pbms/generate.ts';
import { loadConfig } from '../src/config.ts';
import { insertRows } from '../src/db/bulk.ts';
import { connect, type Database } from '../src/db/connection.ts';
import * as schema from '../src/db/schema/index.ts';
import { ActorSystem } from '../src/runtime/system.ts';
import { ACTORS, batchActor, envelopeActor } from '../src/stages/actors.ts';
import { openConnectors } from '../src/stages/connectors.ts';
import { createStages } from '../src/stages/index.ts';
import { copyBaseline } from './copy-baseline.ts';
import { withServer } from './support/server.ts';

const ZONES = 200;
const PROGRAM = {
  program_id: 1,
  program_mnemonic: 'SEEDS',
  benefit_code_id: 1,
  benefit_code_mnemonic: 'SEED',
};
const LOOK_EVERY_MS = 50;
const GIVE_UP_AFTER_MS = 600_000;
const ENVELOPE = 'bench';

export interface InKindResult {
  readonly beneficiaries: number;
  readonly small_zones: number;
  /** From the first batch received to the last one allocated. */
  readonly elapsed_ms: number;
  readonly beneficiaries_per_second: number;
  /** Until every record has heard that notifications are suppressed as well. */
  readonly settled_ms: number;
  readonly copy_ms: number;
  readonly copy_beneficiaries_per_second: number;
  readonly times_copy: number;
  readonly ok: boolean;
}

/**
 * Stages 6 to 8 of an envelope of goods: every beneficiary located in the registry, every zone given a warehouse and an
 * agency, everything written. The disbursements are there when the clock starts, and notifications are suppressed.
 * Beside it, in the same run on the same server: the time COPY needs to write the same rows into the same tables.
 */
export function benchInKind(beneficiaries: number, batchSize: number): Promise<InKindResult> {
  return withServer(async (server) => {
    const [pbmsUrl, registryUrl] = [
      await server.ensureDatabase('pbms'),
      await server.ensureDatabase('registry'),
    ];
    await generate({ pbmsUrl, registryUrl, smallZones: ZONES, farmers: beneficiaries, programs: [PROGRAM] });
    const config = loadConfig({
      G2P_BRIDGE_IN_KIND_ENABLED: 'true',
      G2P_BRIDGE_DB_DATASOURCE_PBMS: pbmsUrl,
      G2P_BRIDGE_DB_DATASOURCE_REGISTRY: registryUrl,
      G2P_BRIDGE_SUPPRESS_NOTIFICATIONS: 'true',
    });
    const database = connect(server.url, { max: config.db_pool_max });
    const connectors = await openConnectors(config);
    const system = new ActorSystem({
      database,
      actors: ACTORS,
      stages: createStages({ ...connectors, database, config }),
      works: true,
    });
    await system.start();
    try {
      const batches = await receive(system, beneficiaries, batchSize);
      const started = performance.now();
      await system.transact((tx) =>
        tx.send(
          batchActor,
          batches.map((id) => ({ id, event: { type: 'received', at: tx.now } })),
        ),
      );
      await until(
        database,
        "select from disbursement_batch_control where agency_allocation_status <> 'PROCESSED'",
      );
      const elapsedMs = performance.now() - started;
      await until(database, 'select from actor_messages');
      const settledMs = performance.now() - started;
      const ok = await isRight(database, beneficiaries);
      const copyMs = await copyBaseline(server.url, await server.ensureDatabase('bench_copy'), {
        given: [schema.disbursementEnvelopes, schema.disbursementBatchControl, schema.disbursements],
        timed: [
          schema.disbursementBatchControlGeo,
          schema.disbursementBatchControlGeoAttributes,
          schema.disbursementResolutionGeoAddress,
        ],
      });
      return {
        beneficiaries,
        small_zones: ZONES,
        elapsed_ms: Math.round(elapsedMs),
        beneficiaries_per_second: Math.round(beneficiaries / (elapsedMs / 1000)),
        settled_ms: Math.round(settledMs),
        copy_ms: Math.round(copyMs),
        copy_beneficiaries_per_second: Math.round(beneficiaries / (copyMs / 1000)),
        times_copy: Math.round((elapsedMs / copyMs) * 10) / 10,
        ok,
      };
    } finally {
      await system.stop();
      await connectors.close();
      await database.close();
    }
  });
}

/** Stores an envelope with its batches and disbursements, as receipt does. @returns the batches */
async function receive(system: ActorSystem, beneficiaries: number, batchSize: number): Promise<string[]> {
  const at = new Date();
  const envelope = {
    id: ENVELOPE,
    benefit_program_id: PROGRAM.program_id,
    benefit_program_mnemonic: PROGRAM.program_mnemonic,
    target_registry: 'farmer_registry',
    benefit_code_id: PROGRAM.benefit_code_id,
    benefit_code_mnemonic: PROGRAM.benefit_code_mnemonic,
    benefit_type: 'COMMODITY',
    disbursement_cycle_id: 1,
    disbursement_frequency: 'Monthly',
    cycle_code_mnemonic: '2026-01',
    number_of_beneficiaries: beneficiaries,
    number_of_disbursements: beneficiaries,
    total_disbursement_quantity: String(beneficiaries * 2),
    measurement_unit: 'KG',
    disbursement_schedule_date: at.toISOString().slice(0, 10),
    receipt_time_stamp: at,
  };
  await system.transact(async (tx) => {
    await insertRows(tx.sql, schema.disbursementEnvelopes, [envelope]);
    await insertRows(tx.sql, schema.envelopeControl, [
      { disbursement_envelope_id: ENVELOPE, funds_due_from: at },
    ]);
    await insertRows(tx.sql, schema.envelopeBatchStatusForCash, [{ disbursement_envelope_id: ENVELOPE }]);
    await tx.send(envelopeActor, [{ id: ENVELOPE, event: { type: 'created', at } }]);
  });
  const ids: string[] = [];
  for (let first = 0; first < beneficiaries; first += batchSize) {
    const count = Math.min(batchSize, beneficiaries - first);
    const id = `batch-${String(first).padStart(8, '0')}`;
    ids.push(id);
    const ofBatch = {
      disbursement_envelope_id: ENVELOPE,
      disbursement_cycle_id: 1,
      receipt_time_stamp: at,
    };
    await system.transact(async (tx) => {
      await insertRows(tx.sql, schema.disbursementBatchControl, [
        {
          id,
          ...ofBatch,
          benefit_type: 'COMMODITY',
          number_of_disbursements: count,
          total_disbursement_quantity: String(count * 2),
          request_digest: id,
        },
      ]);
      const rows = Array.from({ length: count }, (_, n) => ({
        id: `disbursement-${String(first + n).padStart(8, '0')}`,
        ...ofBatch,
        disbursement_batch_control_id: id,
        beneficiary_id: `BEN-${first + n}`,
        beneficiary_name: 'A farmer',
        disbursement_quantity: '2',
        narrative: 'Seeds',
      }));
      await insertRows(tx.sql, schema.disbursements, rows);
    });
  }
  return ids;
}

/** Waits until a query finds nothing. */
async function until({ sql }: Database, query: string): Promise<void> {
  const deadline = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const [row] = await sql.unsafe<{ found: boolean }[]>(`select exists (${query}) as found`);
    if (!row?.found) return;
    if (performance.now() > deadline) throw new Error(`This did not end: ${query}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Whether everybody has an address with warehouse and agency, and the zones' sums are the envelope's. */
async function isRight({ sql }: Database, beneficiaries: number): Promise<boolean> {
  const [row] = await sql<{ ok: boolean }[]>`
    select (select count(*) from disbursement_resolution_geo_address
        where warehouse_id is not null and agency_id is not null
          and beneficiary_notification_status = 'PROCESSED') = ${beneficiaries}
      and (select sum(total_quantity) from disbursement_batch_control_geo)
        = (select total_disbursement_quantity from disbursement_envelopes where id = ${ENVELOPE})
      and (select sum(no_of_beneficiaries) from disbursement_batch_control_geo) = ${beneficiaries} as ok`;
  return row?.ok === true;
}
