import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client } from 'undici';
import type { Config } from '../../config.ts';
import { connect, type Database } from '../../db/connection.ts';
import { type EmbeddedServer, embeddedFolder, startEmbedded } from '../../db/embedded.ts';
import { type Child, startChild } from './child.ts';

/** The account of the demo's program is new in every run, so that the bank's ledger of it is that of the run. */
export interface ProgramAccount {
  readonly number: string;
  readonly currency: string;
}

/** Everything the demo runs on. */
export interface World {
  readonly server: EmbeddedServer;
  readonly bridge: Child;
  readonly bank: Child;
  readonly spar: Child;
  /** Our own database, read to show what is going on. */
  readonly database: Database;
  /** Rejects when one of the processes ends by itself. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

const DATABASES = { bridge: 'demo_bridge', bank: 'demo_bank', spar: 'demo_spar' } as const;
/** The bank sends a statement when no payment has come for so long. */
const AUTO_STATEMENT_MS = 400;
const OPENING_BALANCE = '900000000000.00';

const program = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/**
 * Starts the embedded server, the bank, the mapper and the system, each as a process of its own.
 *
 * @param options.fresh whether what earlier demos left is thrown away first
 * @param options.env further settings for the system
 * @throws Error in one line when something does not start
 */
export async function startWorld(
  config: Config,
  account: ProgramAccount,
  options: { fresh: boolean; env?: Readonly<Record<string, string>> },
): Promise<World> {
  const server = await startEmbedded({ dataDir: embeddedFolder(config.data_dir) });
  const started: Child[] = [];
  let fail: (problem: Error) => void = () => {};
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => {});
  const stop = async () => {
    for (const child of started.reverse()) await child.stop();
    await server.stop();
  };
  try {
    if (options.fresh) await forget(server);
    const port = await portNear(config.port);
    const [bank, spar] = await Promise.all([
      startSimulator(server, 'bank', fail, [
        '--statement-upload-url',
        `http://127.0.0.1:${port}/upload_mt940`,
        '--auto-statement-ms',
        String(AUTO_STATEMENT_MS),
      ]),
      startSimulator(server, 'spar', fail, []),
    ]);
    started.push(bank, spar);
    await post(bank.url, '/_admin/accounts', [
      { account_number: account.number, currency: account.currency, balance: OPENING_BALANCE },
    ]);
    const databaseUrl = await server.ensureDatabase(DATABASES.bridge);
    const bridge = await startChild(
      'The bridge',
      ['--max-semi-space-size=4', program('src/cli/main.ts'), 'serve', '--json'],
      { ...settings(databaseUrl, port, bank, spar, account), ...options.env },
      fail,
    );
    started.push(bridge);
    const database = connect(databaseUrl, { max: 2, applicationName: 'g2p-bridge demo' });
    return {
      server,
      bridge,
      bank,
      spar,
      database,
      broken,
      async stop() {
        await database.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settings(databaseUrl: string, port: number, bank: Child, spar: Child, account: ProgramAccount) {
  return {
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE: databaseUrl,
    G2P_BRIDGE_HOST: '127.0.0.1',
    G2P_BRIDGE_PORT: String(port),
    G2P_BRIDGE_LOG_LEVEL: 'warn',
    G2P_BRIDGE_EXAMPLE_BANK_API_URL: bank.url,
    G2P_BRIDGE_MAPPER_API_URL: spar.url,
    G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({
      default: {
        sponsor_bank_code: 'EXAMPLE-BANK',
        program_account_number: account.number,
        program_account_type: 'CURRENT',
        program_account_branch_code: 'HQ',
      },
    }),
  };
}

async function startSimulator(
  server: EmbeddedServer,
  name: 'bank' | 'spar',
  fail: (problem: Error) => void,
  args: readonly string[],
): Promise<Child> {
  const databaseUrl = await server.ensureDatabase(DATABASES[name]);
  const main = program(`simulators/${name}/main.ts`);
  return startChild(`The simulator of ${name}`, [main, '--database-url', databaseUrl, ...args], {}, fail);
}

async function forget(server: EmbeddedServer): Promise<void> {
  const admin = connect(server.url, { max: 1 });
  try {
    for (const name of Object.values(DATABASES)) {
      await admin.sql`drop database if exists ${admin.sql(name)} with (force)`;
    }
  } finally {
    await admin.close();
  }
}

/** The port asked for, or any free one when somebody else has it. */
async function portNear(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const got = await new Promise<number | null>((resolve) => {
      server.once('error', () => resolve(null));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : null);
      });
    });
    await new Promise((resolve) => server.close(resolve));
    if (got !== null) return got;
  }
  throw new Error('There is no free port.');
}

const TIMEOUT_MS = 60_000;

/** Talks to a simulator: posts JSON, or gets when there is no body. @throws Error when it does not answer with 2xx */
export async function post(url: string, path: string, body?: unknown): Promise<unknown> {
  const client = new Client(url, { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  try {
    const response = await client.request({
      path,
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300)
      throw new Error(`${path} answered ${response.statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  } finally {
    await client.close();
  }
}
