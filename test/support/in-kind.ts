import postgres from 'postgres';
import {
  addFarmers,
  forgetFarmers,
  type Generated,
  generate,
  setAgencies,
} from '../../simulators/pbms/generate.ts';
import type { BatchRegion } from '../../src/machines/batch.ts';
import { batchActor } from '../../src/stages/actors.ts';
import { get } from '../simulators/fixtures.ts';
import type { Row } from './becomes.ts';
import { createDatabase } from './database.ts';
import { type Controlled, controlled, type Outside } from './outside.ts';
import {
  type Disbursing,
  openPipeline,
  type Pipeline,
  type PipelineOptions,
  type Program,
} from './pipeline.ts';
import type { EnvelopeRow } from './records.ts';
import { newId } from './records.ts';
import { startNovu } from './simulators.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export type SmallZone = Generated['smallZones'][number];

export interface InKindOptions extends PipelineOptions {
  /** How long the notification service takes for each call. */
  readonly delayMs?: number;
  /** How many zones and so on there are, where it differs from {@link SIZES}. */
  readonly sizes?: Partial<typeof SIZES>;
}

export interface Notifications extends Controlled {
  /** How many notifications the service has accepted, and how often they were sent to it. */
  count(): Promise<{ readonly accepted: number; readonly received: number }>;
}

/** A disbursement that a test wants: its quantity, and the small zone its beneficiary lives in; null: in no registry. */
export interface Located {
  readonly quantity: string;
  readonly zone: SmallZone | null;
  /** Left out: one who gets nothing else. */
  readonly beneficiary?: string;
}

const API_KEY = 'in-kind-tests';
/** Programs of cash, each with an account of its own. */
const CASH_PROGRAMS = 30;
const SIZES = { largeZones: 2, smallZones: 8, warehouses: 5, agencies: 12, farmers: 0 };

/** The pipeline with everything that goods, services and physical cash need: PBMS, a farmer registry, notifications. */
export interface InKindPipeline {
  readonly pipeline: Pipeline;
  readonly novu: Notifications;
  readonly pbmsUrl: string;
  readonly registryUrl: string;
  /** PBMS, for tests that change what it says. */
  readonly pbms: postgres.Sql;
  /** What stands between the pipeline and the two databases: `stop` makes one unreachable, `start` brings it back. */
  readonly ways: { readonly pbms: TcpProxy; readonly registry: TcpProxy };
  /** The zones that PBMS and the registry know. */
  readonly zones: Generated;
  /** A program that gives goods and services. */
  readonly goods: Program;
  /** A program that gives cash, with an account at the sponsor bank. */
  readonly cash: Program;
  /** Another such program, whose account no other test uses. */
  cashProgram(): Promise<Program>;
  /** Receives an envelope; its beneficiaries live where they are wanted. The program is that of the type unless given. */
  disburse(
    type: NonNullable<EnvelopeRow['benefit_type']>,
    batches: readonly (readonly Located[])[],
    given?: Partial<EnvelopeRow>,
  ): Promise<Disbursing>;
  /** A small zone, by its place in the order that PBMS has. */
  zone(n: number): SmallZone;
  /** A disbursement to somebody who lives in small zone `n`. */
  living(n: number, quantity: string): Located;
  /** The first batch of an envelope, with the states of its stages. */
  batch(disbursing: Disbursing): Promise<Row>;
  /** What the first batch of an envelope was accused of, in order: `<code>: <message>`. */
  faults(disbursing: Disbursing): Promise<readonly string[]>;
  /** An operator has a stage of the first batch of an envelope tried again; fails when it is not in ERROR. */
  retry(disbursing: Disbursing, region: BatchRegion): Promise<void>;
  /** An operator releases a stage of the first batch of an envelope; fails when it is not in ERROR. */
  release(disbursing: Disbursing, region: BatchRegion): Promise<void>;
  /** Lets the registry know beneficiaries, or forget them. */
  register(beneficiaryIds: readonly string[], zone: SmallZone | null): Promise<void>;
  forget(beneficiaryIds: readonly string[]): Promise<void>;
  /** Takes the agencies of zones away, or gives them back. */
  agencies(zones: readonly SmallZone[], on: boolean): Promise<void>;
  /** The geo records of a batch, by small zone and large zone; what is not allocated yet has no attributes. */
  geos(batchId: string | undefined): Promise<readonly Row[]>;
  /** `<small zone>: <people>, <quantity>` of each geo record of the first batch of an envelope, in their order. */
  totals(disbursing: Disbursing): Promise<readonly string[]>;
  /** The addresses of a batch, by disbursement. */
  addresses(batchId: string | undefined): Promise<readonly Row[]>;
  /** The logs of an envelope's notifications. */
  logs(envelopeId: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** Prepares PBMS, a registry and a notification service, and starts the pipeline on them. */
export async function openInKind(outside: Outside, options: InKindOptions = {}): Promise<InKindPipeline> {
  const [pbms, registry, service] = await Promise.all(
    ['pbms', 'registry', 'novu'].map((name) => createDatabase(name)),
  );
  if (!pbms || !registry || !service) throw new Error('Three databases were to be made.');
  const goods = { id: 1, account: '' };
  const [cash, ...unused] = Array.from({ length: CASH_PROGRAMS }, (_, n) => ({
    id: n + 2,
    account: newId('P'),
  }));
  if (!cash) throw new Error('There is a program of cash.');
  const bank = { code: 'EXAMPLE-BANK', type: 'CURRENT', branch: 'HQ' };
  const common = { program_mnemonic: 'SEEDS', benefit_code_id: 1, benefit_code_mnemonic: 'CODE' };
  const [zones, novu, pbmsWay, registryWay] = await Promise.all([
    generate({
      pbmsUrl: pbms.url,
      registryUrl: registry.url,
      ...SIZES,
      ...options.sizes,
      programs: [
        { program_id: goods.id, ...common },
        ...[cash, ...unused].map(({ id, account }) => ({
          program_id: id,
          ...common,
          sponsor_bank: { ...bank, account },
        })),
      ],
    }),
    controlled((port?: number) =>
      startNovu({
        databaseUrl: service.url,
        apiKey: API_KEY,
        ...(port === undefined ? {} : { port }),
        ...(options.delayMs === undefined ? {} : { delayMs: options.delayMs }),
      }),
    ),
    startTcpProxy(pbms.url),
    startTcpProxy(registry.url),
  ]);
  const pbmsSql = postgres(pbms.url, { max: 1, onnotice: () => {} });
  const fund = async (program: Program) => {
    await outside.bank.account(program.account, '1000000000');
    return program;
  };
  await fund(cash);
  const pipeline = await openPipeline(outside, {
    ...options,
    settings: {
      in_kind_enabled: 'true',
      db_datasource_pbms: pbmsWay.through(pbms.url),
      db_datasource_registry: registryWay.through(registry.url),
      novu_api_url: novu.url,
      novu_api_key: API_KEY,
      ...options.settings,
    },
  });
  const { sql } = pipeline.database;
  const register = (beneficiaryIds: readonly string[], zone: SmallZone | null) =>
    addFarmers(
      registry.url,
      beneficiaryIds.map((linkRegistryId) => ({ linkRegistryId, name: 'Asha Devi', zone })),
    );
  const zone = (n: number) => {
    const one = zones.smallZones[n];
    if (!one) throw new Error(`There are ${zones.smallZones.length} small zones.`);
    return one;
  };
  const batchIdOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const geos = (batchId: string | undefined) => sql<Row[]>`
      select t.*, g.* from disbursement_batch_control_geo g
      left join disbursement_batch_control_geo_attributes t using (id)
      where g.disbursement_batch_control_id = ${batchId ?? null}
      order by administrative_zone_id_small, administrative_zone_id_large`;
  const requireAccepted = ({ accepted }: { readonly accepted: boolean }) => {
    if (!accepted) throw new Error('The batch has not accepted it.');
  };
  return {
    pipeline,
    novu: {
      ...novu,
      async count() {
        const { body } = await get(novu.url, '/_admin/notifications');
        return { accepted: Number(body.count), received: Number(body.times_received) };
      },
    },
    pbmsUrl: pbms.url,
    registryUrl: registry.url,
    pbms: pbmsSql,
    ways: { pbms: pbmsWay, registry: registryWay },
    zones,
    goods,
    cash,
    async cashProgram() {
      const program = unused.shift();
      if (!program) throw new Error(`There are ${CASH_PROGRAMS} programs of cash at most.`);
      return fund(program);
    },
    async disburse(type, batches, given = {}) {
      const program = type.startsWith('CASH') ? cash : goods;
      const announced = await pipeline.announce(
        program,
        batches.map((batch) => batch.map(({ quantity }) => ({ quantity, address: null }))),
        { benefit_type: type, target_registry: 'farmer_registry', ...given },
      );
      const wanted = batches.flat();
      const disbursing = withBeneficiaries(announced, batches);
      const rows = disbursing.batches.flatMap(({ disbursements }) => disbursements);
      await addFarmers(
        registry.url,
        [...new Map(rows.map((row, n) => [row.beneficiary_id, wanted[n]?.zone]))].flatMap(
          ([linkRegistryId, zone]) => (zone ? [{ linkRegistryId, name: 'Asha Devi', zone }] : []),
        ),
      );
      for (const batch of disbursing.batches) await pipeline.receive(batch);
      return disbursing;
    },
    zone,
    living: (n, quantity) => ({ quantity, zone: zone(n) }),
    batch: (disbursing) => pipeline.batch(batchIdOf(disbursing)),
    async faults(disbursing) {
      const rows = await sql<{ error_code: string; error_message: string }[]>`
        select error_code, error_message from actor_transitions
        where actor_id = ${batchIdOf(disbursing)} and event in ('failed', 'refused') order by seq`;
      return rows.map((row) => `${row.error_code}: ${row.error_message}`);
    },
    async retry(disbursing, region) {
      const event = { type: `${region}.retry`, at: new Date() } as const;
      requireAccepted(await pipeline.system.send(batchActor, batchIdOf(disbursing), event));
    },
    async release(disbursing, region) {
      requireAccepted(await pipeline.system.release(batchActor, batchIdOf(disbursing), region));
    },
    register,
    forget: async (ids) => {
      await forgetFarmers(registry.url, ids);
    },
    agencies: (some, on) =>
      setAgencies(
        pbms.url,
        some.map(({ id }) => id),
        on,
      ),
    geos,
    async totals(disbursing) {
      const rows = await geos(batchIdOf(disbursing));
      return rows.map(
        (row) => `${row.administrative_zone_id_small}: ${row.no_of_beneficiaries}, ${row.total_quantity}`,
      );
    },
    addresses: (batchId) => sql<Row[]>`
      select * from disbursement_resolution_geo_address where disbursement_batch_control_id = ${batchId ?? null}
      order by id`,
    logs: (envelopeId) => sql<Row[]>`
      select * from notification_logs where disbursement_envelope_id = ${envelopeId} order by notification_id`,
    async close() {
      await pipeline.close();
      await Promise.all([novu.stop(), pbmsWay.close(), registryWay.close(), pbmsSql.end()]);
      await Promise.all([pbms.drop(), registry.drop(), service.drop()]);
    },
  };
}

/** The same envelope, with the beneficiaries that were named. */
function withBeneficiaries(announced: Disbursing, wanted: readonly (readonly Located[])[]): Disbursing {
  const batches = announced.batches.map(({ row, disbursements }, n) => ({
    row,
    disbursements: disbursements.map((disbursement, m) => ({
      ...disbursement,
      beneficiary_id: wanted[n]?.[m]?.beneficiary ?? disbursement.beneficiary_id,
    })),
  }));
  return { ...announced, batches };
}
