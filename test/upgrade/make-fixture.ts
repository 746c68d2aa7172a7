import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type * as OutsideModule from '../../src/cli/demo/outside.ts';
import type * as GroupModule from '../../src/cli/demo/process-group.ts';
import type * as ProgramsModule from '../../src/cli/demo/programs.ts';
import { createPartnerClient, type PartnerClient } from '../../src/cli/partner-client.ts';
import { connect, type Sql } from '../../src/db/connection.ts';
import type { EmbeddedServer } from '../../src/db/embedded.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { BENEFIT_TYPES } from '../../src/machines/benefit-type.ts';
import { tell } from '../support/bridge.ts';
import { findSystemPostgres, type SystemServer, startSystemServer } from '../support/system-postgres.ts';
import { until } from '../support/wait.ts';
import {
  bridgeSettings,
  DATABASES,
  type DatabaseName,
  type DatabaseUrls,
  type Facts,
  OPEN_WORK,
  type PlannedEnvelope,
  planned,
} from './scenario.ts';

const RUN = '0a000001';
/** Who gets something from the envelopes that are complete in the end, and from those that are not. */
const DONE = 12;
const PEOPLE = 36;
const BATCH = 8;
const HANGS_MS = 600_000;
const WITHIN_MS = 60_000;
const PAUSED = 'beneficiary_notification';

/**
 * Runs a release of the bridge with its own simulators until work of every kind is under way, kills all of it with
 * SIGKILL, and writes what is in the databases then; see README.md beside this file.
 *
 * `node test/upgrade/make-fixture.ts --release FOLDER --name NAME`
 */
async function main(): Promise<void> {
  const { release, name } = parseArgs({
    options: { release: { type: 'string' }, name: { type: 'string' } },
  }).values;
  if (!release || !name) throw new Error('Usage: make-fixture.ts --release FOLDER --name NAME');
  const folder = resolve(release);
  const postgres = await findSystemPostgres();
  if (!postgres) throw new Error('PostgreSQL with pg_dump must be installed on this machine.');
  const server = await startSystemServer(postgres);
  try {
    const urls = Object.fromEntries(
      await Promise.all(DATABASES.map(async (one) => [one, await server.createDatabase(`demo_${one}`)])),
    ) as DatabaseUrls;
    const facts = { ...(await run(folder, urls)), postgres: postgres.major };
    await write(server, urls, name, facts);
  } finally {
    await server.stop();
  }
}

async function run(folder: string, urls: DatabaseUrls): Promise<Omit<Facts, 'postgres'>> {
  const load = <T>(path: string): Promise<T> => import(join(folder, path));
  const { programOf } = await load<typeof ProgramsModule>('src/cli/demo/programs.ts');
  const { ProcessGroup } = await load<typeof GroupModule>('src/cli/demo/process-group.ts');
  const { startOutside } = await load<typeof OutsideModule>('src/cli/demo/outside.ts');
  const group = new ProcessGroup();
  const database = connect(urls.bridge, { max: 3 });
  try {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const programs = BENEFIT_TYPES.filter((type) => type !== 'COMBINATION').map((type) =>
      programOf(RUN, type),
    );
    // Of a server the simulators want nothing but databases.
    const ensureDatabase = async (database: string) => urls[database.replace('demo_', '') as DatabaseName];
    const outside = await startOutside({ ensureDatabase } as unknown as EmbeddedServer, group, url, {
      people: { run: RUN, count: PEOPLE },
      programs,
    });
    await outside.filled;
    if (!outside.inKind) throw new Error('Goods are among the programs.');
    const { bank, spar } = outside;
    const { novu, novuApiKey } = outside.inKind;
    const bridge = await group.start('The bridge', [join(folder, 'src/cli/main.ts'), 'serve', '--json'], {
      ...bridgeSettings(urls, { bank: bank.url, spar: spar.url, novu: novu.url, novuApiKey }, port),
      // What fails once is not tried again before the end, unless it is a matter of the mapper: that is in ERROR then.
      G2P_BRIDGE_RETRY_BACKOFF_BASE_SECONDS: '600',
      G2P_BRIDGE_MAPPER_RESOLUTION_MAX_ATTEMPTS: '1',
      ...(existsSync(join(folder, 'src/api/operator')) && { G2P_BRIDGE_OPERATOR_ACCESS: 'loopback' }),
    });
    const client = createPartnerClient({ url, sender: 'ministry' });
    const people = Array.from({ length: PEOPLE }, (_, n) => `BEN-${RUN}-${n}`);
    const complete = programs.map((program) => planned(program, 'done', people.slice(0, DONE), BATCH));
    for (const one of complete) await send(client, one);
    await until('all is complete', () => isComplete(database.sql), WITHIN_MS);

    await faults(bank.url, [
      { path: '/initiate_payment', kind: 'drop_after', count: 2 },
      { path: '/payment_status', kind: 'error_before' },
    ]);
    const unknownBeneficiary = `BEN-${RUN}-unknown`;
    const underWay = programs.map((program) => {
      const whom = people.slice(DONE);
      if (program.benefitType === 'CASH_DIGITAL') whom.splice(BATCH, 1, unknownBeneficiary);
      return planned(program, 'going', whom, BATCH);
    });
    const pausedStage = await pause(url);
    const [digital] = underWay;
    const [first, failed, unsent] = digital?.batches ?? [];
    if (!digital || !first || !failed || !unsent)
      throw new Error('The first is digital cash, of three batches.');
    // A slow database: what is on statements is not recorded any more.
    const slow = await database.sql.reserve();
    await slow`begin`;
    await slow`lock table disbursement_recons in share row exclusive mode`;
    for (const one of underWay) await send(client, one, new Set([unsent.id]));
    await until(
      'payments are out without an answer',
      () => atLeast(database.sql, PAID_UNANSWERED, 2),
      WITHIN_MS,
    );
    await until('the mapper does not know somebody', () => atLeast(database.sql, IN_ERROR, 1), WITHIN_MS);
    await faults(spar.url, [{ path: '*', kind: 'delay', delay_ms: HANGS_MS }]);
    await faults(novu.url, [{ path: '*', kind: 'delay', delay_ms: HANGS_MS }]);
    await faults(bank.url, [{ path: '/initiate_payment', kind: 'delay', delay_ms: HANGS_MS }]);
    const late = programs.map((program) => planned(program, 'late', people.slice(0, BATCH), BATCH));
    for (const one of late) await send(client, one);
    for (const [what, query, count] of IN_FLIGHT)
      await until(what, () => atLeast(database.sql, query, count), WITHIN_MS);
    await bridge.kill();
    await Promise.all([bank.kill(), spar.kill(), novu.kill()]);
    await slow`rollback`;
    slow.release();
    await client.close();
    return {
      commit: await commitOf(folder),
      complete,
      underWay: [...underWay, ...late],
      unsentBatch: unsent.id,
      failedBatch: failed.id,
      unknownBeneficiary,
      pausedStage,
      lastSeq: await count(database.sql, 'select max(seq)::int from actor_transitions'),
    };
  } finally {
    await database.close();
    await group.stop();
  }
}

const PAID_UNANSWERED = `select count(*)::int from disbursement_batch_control
  where sponsor_bank_dispatch_submitted_at is not null and sponsor_bank_dispatch_status <> 'PROCESSED'`;
const IN_ERROR = `select count(*)::int from disbursement_batch_control where fa_resolution_status = 'ERROR'`;

/** What must be under way when all is killed. */
const IN_FLIGHT: readonly (readonly [what: string, query: string, count: number])[] = [
  ['payments are under way', `${PAID_UNANSWERED} and sponsor_bank_dispatch_status = 'PROCESSING'`, 1],
  [
    'the mapper is being asked',
    `select count(*)::int from disbursement_batch_control where fa_resolution_status = 'PROCESSING'`,
    1,
  ],
  [
    'a statement is being processed',
    `select count(*)::int from account_statements where statement_process_status = 'PROCESSING'`,
    1,
  ],
  [
    'warehouses are being told',
    `select count(*)::int from disbursement_batch_control_geo where warehouse_notification_status = 'PROCESSING'`,
    1,
  ],
  [
    'agencies and beneficiaries wait',
    `select least(
      (select count(*) from disbursement_batch_control_geo where agency_notification_status = 'PENDING'),
      (select count(*) from disbursement_resolution_geo_address where beneficiary_notification_status = 'PENDING'))::int`,
    1,
  ],
  ['jobs are with workers', `select count(*)::int from pgboss.job where state = 'active'`, 5],
  ['jobs are queued or to be retried', `select count(*)::int from pgboss.job where state = 'created'`, 1],
  ['the process has claimed jobs', 'select count(*)::int from actor_claims', 5],
];

const isComplete = async (sql: Sql): Promise<boolean> => (await count(sql, OPEN_WORK)) === 0;
const atLeast = async (sql: Sql, query: string, wanted: number): Promise<boolean> =>
  (await count(sql, query)) >= wanted;

async function count(sql: Sql, query: string): Promise<number> {
  const [row] = await sql.unsafe<Record<string, number>[]>(query);
  return Object.values(row ?? {})[0] ?? 0;
}

const faults = (url: string, list: readonly object[]) => tell(url, '/_control', { faults: list });

async function send(
  client: PartnerClient,
  { envelope, batches }: PlannedEnvelope,
  without: ReadonlySet<string> = new Set(),
): Promise<void> {
  const answers = [await client.createEnvelopes([envelope])];
  for (const { id, disbursements } of batches)
    if (!without.has(id)) answers.push(await client.createDisbursements(id, disbursements));
  const refused = answers.find(({ kind }) => kind !== 'success');
  if (refused) throw new Error(`Not accepted: ${JSON.stringify(refused)}`);
}

/** @returns the stage that is paused now; null where the release has no operators */
async function pause(url: string): Promise<string | null> {
  const response = await fetch(`${url}/operator/stages/${PAUSED}/pause`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'An upgrade is being prepared.' }),
  });
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`It could not be paused: ${response.status} ${await response.text()}`);
  return PAUSED;
}

async function commitOf(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-C', folder, 'rev-parse', 'HEAD']);
  return stdout.trim();
}

async function write(server: SystemServer, urls: DatabaseUrls, name: string, facts: Facts): Promise<void> {
  const folder = join(import.meta.dirname, 'fixtures', name);
  await mkdir(folder, { recursive: true });
  for (const database of DATABASES) {
    const text = await server.dump(urls[database], [
      '--inserts',
      '--rows-per-insert=200',
      '--no-owner',
      '--no-privileges',
    ]);
    // Commands of psql are for psql alone.
    const sql = text.replaceAll(/^\\.*\n/gm, '');
    await writeFile(join(folder, `${database}.sql.gz`), gzipSync(sql, { level: 9 }));
  }
  await writeFile(join(folder, 'facts.json.gz'), gzipSync(JSON.stringify(facts), { level: 9 }));
}

await main();
