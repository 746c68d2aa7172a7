import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkAll, type People, writeCsv } from '../../src/cli/demo/beneficiaries.ts';
import type { Child } from '../../src/cli/demo/child.ts';
import { post } from '../../src/cli/demo/http.ts';
import { DATABASES, type Outside, programPath, startOutside } from '../../src/cli/demo/outside.ts';
import { ProcessGroup } from '../../src/cli/demo/process-group.ts';
import { type DemoProgram, programOf, SPONSOR_BANK } from '../../src/cli/demo/programs.ts';
import { planEnvelope, type Submission } from '../../src/cli/demo/submit.ts';
import { connect, type Database, type Sql } from '../../src/db/connection.ts';
import { type EmbeddedServer, startEmbedded } from '../../src/db/embedded.ts';
import { type Kinds, parentOf } from './cpu.ts';
import { BENCH_APPLICATION } from './waits.ts';

/** The role of one process of the system. */
export type Role = 'all' | 'api' | 'worker';

/** What uses processors in a run: the system, its database, and the simulators with a database server of their own. */
export type Kind = 'bridge' | 'postgres' | 'outside';

/** The database servers of a benchmark: the system's, and another one for the simulators, so that their costs are apart. */
export interface Servers {
  readonly folder: string;
  readonly bridge: EmbeddedServer;
  readonly outside: EmbeddedServer;
}

/** One envelope of a world, known to everybody before the first one is sent. */
export interface Load {
  readonly people: People;
  readonly program: DemoProgram;
}

/** Processes of the system on one database, and what is around them. */
export interface ScaleWorld {
  readonly bridges: readonly Child[];
  /** Those that partners reach, as behind one balanced address. */
  readonly entries: readonly Child[];
  readonly bank: Child;
  /** The system's database, for questions about a run. */
  readonly database: Database;
  /** Another database of the same server, for questions about the server. */
  readonly observer: Sql;
  /** Where rows are copied to with COPY; as full as the system's database. */
  readonly copyUrl: string;
  readonly kinds: Kinds<Kind>;
  readonly loads: readonly Load[];
  /** Rejects when one of the processes ends by itself. */
  readonly broken: Promise<never>;
  /** Tells the mapper the people of a load, and writes and reads its file. */
  prepare(load: Load, batchSize: number): Promise<Submission>;
  /** Lets every answer of the bank and the mapper come so many milliseconds later. */
  delayOutside(delayMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Two servers with full durability, on folders that go away afterwards. */
export async function withServers<T>(run: (servers: Servers) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'g2p-bench-'));
  // The servers may run as another user than ours.
  await chmod(folder, 0o755);
  const started: EmbeddedServer[] = [];
  const start = async (name: string) => {
    const server = await startEmbedded({ dataDir: join(folder, name) });
    started.push(server);
    return server;
  };
  try {
    return await run({ folder, bridge: await start('bridge'), outside: await start('outside') });
  } finally {
    for (const server of started) await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Starts processes of the system on an empty database, each with the settings that it has unless told otherwise and
 * started as `npm start` does, and around them a bank and a mapper that know every load.
 *
 * @param roles one process for each
 * @param counts disbursements of each load
 */
export async function startScaleWorld(
  servers: Servers,
  roles: readonly Role[],
  counts: readonly number[],
  env: Readonly<Record<string, string>> = {},
): Promise<ScaleWorld> {
  await forget(servers);
  const loads = counts.map((count) => {
    const people = { run: randomBytes(4).toString('hex'), count };
    return { people, program: programOf(people.run, 'CASH_DIGITAL') };
  });
  const programs = loads.map(({ program }) => program);
  const group = new ProcessGroup();
  const port = await freePort();
  try {
    const nobody = { run: 'none', count: 0 };
    const outside = await startOutside(servers.outside, group, `http://127.0.0.1:${port}`, {
      people: nobody,
      programs,
    });
    await outside.filled;
    const url = await servers.bridge.ensureDatabase(DATABASES.bridge);
    const bridges = await Promise.all(
      roles.map((role, index) =>
        group.start(
          `Process ${index + 1} of the bridge`,
          ['--max-semi-space-size=4', programPath('src/cli/main.ts'), 'serve', '--json'],
          { ...settings(url, index === 0 ? port : 0, role, outside, programs), ...env },
        ),
      ),
    );
    const database = connect(url, { max: 2, applicationName: BENCH_APPLICATION, unlimited: true });
    const observer = connect(servers.bridge.urlFor('postgres'), {
      max: 2,
      applicationName: BENCH_APPLICATION,
    });
    return {
      bridges,
      entries: bridges.filter((_, index) => roles[index] !== 'worker'),
      bank: outside.bank,
      database,
      observer: observer.sql,
      copyUrl: await servers.bridge.ensureDatabase(COPY),
      kinds: {
        bridge: bridges.map(({ pid }) => pid),
        postgres: await postmasterOf(servers.bridge),
        outside: [outside.bank.pid, outside.spar.pid, ...(await postmasterOf(servers.outside))],
      },
      loads,
      broken: group.broken,
      async prepare({ people, program }, batchSize) {
        await linkAll(people, outside.spar.url);
        const file = join(servers.folder, 'files', `${people.run}.csv`);
        await mkdir(join(servers.folder, 'files'), { recursive: true });
        await writeCsv(people, program, file);
        return planEnvelope(program, file, batchSize, new AbortController().signal);
      },
      async delayOutside(delayMs) {
        const faults = delayMs > 0 ? [{ path: '*', kind: 'delay', delay_ms: delayMs }] : [];
        for (const { url: root } of [outside.bank, outside.spar]) await post(root, '/_control', { faults });
      },
      async stop() {
        await database.close();
        await observer.close();
        await group.stop();
      },
    };
  } catch (error) {
    await group.stop();
    throw error;
  }
}

const COPY = 'bench_copy';

function settings(
  url: string,
  port: number,
  role: Role,
  { bank, spar }: Pick<Outside, 'bank' | 'spar'>,
  programs: readonly DemoProgram[],
): Record<string, string> {
  const banks = programs.map(({ id, benefitCodeId, account }) => [
    `${id}:${benefitCodeId}`,
    {
      sponsor_bank_code: SPONSOR_BANK.code,
      program_account_number: account,
      program_account_type: SPONSOR_BANK.accountType,
      program_account_branch_code: SPONSOR_BANK.branch,
    },
  ]);
  return {
    G2P_BRIDGE_ROLE: role,
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE: url,
    G2P_BRIDGE_HOST: '127.0.0.1',
    G2P_BRIDGE_PORT: String(port),
    G2P_BRIDGE_LOG_LEVEL: 'error',
    G2P_BRIDGE_SIGNATURE_VALIDATION_ENABLED: 'false',
    G2P_BRIDGE_MT940_UPLOAD_TOKEN: '',
    G2P_BRIDGE_OPERATOR_ACCESS: 'loopback',
    G2P_BRIDGE_OPERATOR_OIDC_ISSUER: '',
    G2P_BRIDGE_EXAMPLE_BANK_API_URL: bank.url,
    G2P_BRIDGE_MAPPER_API_URL: spar.url,
    G2P_BRIDGE_IN_KIND_ENABLED: 'false',
    G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify(Object.fromEntries(banks)),
    // The partner of a benchmark is one address that sends as fast as it is answered.
    G2P_BRIDGE_PARTNER_REQUESTS_PER_MINUTE: '0',
  };
}

/** The server's main process, of which every connection is a child; none where the system has no `/proc`. */
async function postmasterOf(server: EmbeddedServer): Promise<number[]> {
  const { sql, close } = connect(server.url, { max: 1 });
  try {
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const parent = await parentOf(row?.pid ?? 0);
    return parent === null ? [] : [parent];
  } finally {
    await close();
  }
}

/** Nothing of an earlier world is left. */
async function forget({ bridge, outside }: Servers): Promise<void> {
  for (const [server, names] of [
    [bridge, [DATABASES.bridge, COPY]],
    [outside, [DATABASES.bank, DATABASES.spar]],
  ] as const) {
    const { sql, close } = connect(server.urlFor('postgres'), { max: 1, unlimited: true });
    for (const name of names) await sql`drop database if exists ${sql(name)} with (force)`;
    await close();
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
