import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../src/cli/demo/child.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { createDatabase } from './database.ts';
import { type Simulator, startBank, startSpar } from './simulators.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The whole system as separate processes: the bridge, the sponsor bank and the mapper, each on its own database. */
export interface Town {
  readonly bridgeUrl: string;
  readonly databaseUrl: string;
  readonly bank: Simulator;
  readonly spar: Simulator;
  readonly account: string;
  /** Starts a bridge process; at the same address as before unless told otherwise. */
  startBridge(env?: Readonly<Record<string, string>>): Promise<Bridge>;
  close(): Promise<void>;
}

export interface Bridge extends Child {
  /** SIGKILL: nothing is finished, nothing is said. */
  kill(): Promise<void>;
}

/** @param env settings of every bridge process of this town */
export async function openTown(env: Readonly<Record<string, string>> = {}): Promise<Town> {
  const databases = await Promise.all([
    createDatabase('bridge'),
    createDatabase('bank'),
    createDatabase('spar'),
  ]);
  const [bridgeDb, bankDb, sparDb] = databases;
  const port = await freePort();
  const bridgeUrl = `http://127.0.0.1:${port}`;
  const [bank, spar] = await Promise.all([
    startBank({
      databaseUrl: bankDb.url,
      statementUploadUrl: `${bridgeUrl}/upload_mt940`,
      autoStatementMs: 300,
    }),
    startSpar({ databaseUrl: sparDb.url }),
  ]);
  const account = 'PROGRAM-1';
  await tell(bank.url, '/_admin/accounts', [
    { account_number: account, currency: 'USD', balance: '900000000.00' },
  ]);
  const running = new Set<Bridge>();
  return {
    bridgeUrl,
    databaseUrl: bridgeDb.url,
    bank,
    spar,
    account,
    async startBridge(more = {}) {
      const settings = {
        G2P_BRIDGE_DB_DATASOURCE_BRIDGE: bridgeDb.url,
        G2P_BRIDGE_PORT: String(port),
        G2P_BRIDGE_LOG_LEVEL: 'error',
        G2P_BRIDGE_EXAMPLE_BANK_API_URL: bank.url,
        G2P_BRIDGE_MAPPER_API_URL: spar.url,
        G2P_BRIDGE_RETRY_BACKOFF_BASE_SECONDS: '1',
        G2P_BRIDGE_CIRCUIT_PAUSE_SECONDS: '1',
        G2P_BRIDGE_CIRCUIT_PAUSE_MAX_SECONDS: '1',
        G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({
          default: { sponsor_bank_code: 'EXAMPLE-BANK', program_account_number: account },
        }),
        ...env,
        ...more,
      };
      const child = await startChild('The bridge', [MAIN, 'serve', '--json'], settings, () => {});
      const bridge = {
        ...child,
        async kill() {
          running.delete(bridge);
          await child.kill();
        },
      };
      running.add(bridge);
      return bridge;
    },
    async close() {
      for (const bridge of running) await bridge.stop();
      await Promise.all([bank.stop(), spar.stop()]);
      await Promise.all(databases.map((database) => database.drop()));
    },
  };
}

/** Posts JSON to a simulator; gets when there is no body. @throws Error when it does not answer with 2xx */
export async function tell(url: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
