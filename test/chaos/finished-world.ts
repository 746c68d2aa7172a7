import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { bridgeSettings } from '../../chaos/bridge-settings.ts';
import type { Finished, World } from '../../chaos/contract.ts';
import { followFeed } from '../../chaos/feed-follower.ts';
import { startLoad } from '../../chaos/load/index.ts';
import { BENEFICIARIES, PROGRAMS, populate } from '../../chaos/population.ts';
import { settle } from '../../chaos/settle.ts';
import { digestOf } from '../../src/api/operator/access/secrets.ts';
import { ProcessGroup } from '../../src/cli/demo/process-group.ts';
import { connect } from '../../src/db/connection.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { createDatabase } from '../support/database.ts';
import { createPreparedDatabase } from '../support/prepared-database.ts';
import { startBank, startNovu, startSpar } from '../support/simulators.ts';
import { until } from '../support/wait.ts';

/** A seed whose first eight envelopes have one cancelled as a whole half-way, and one of which a part is. */
export const SEED = 146;
export const ENVELOPES = 8;
const DISBURSEMENTS_MAX = 12;
const SETTLES_WITHIN_MS = 30_000;
const NOVU_API_KEY = 'chaos';
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** A run without faults that has settled; nothing works in it any more, and its API answers. */
export interface FinishedWorld {
  readonly run: Finished;
  /** What settling and submitting complained of. */
  readonly complaints: readonly string[];
  readonly bridge: postgres.Sql;
  readonly bank: postgres.Sql;
  readonly novu: postgres.Sql;
  /** The process of the API. */
  readonly apiPid: number;
  close(): Promise<void>;
}

/** Starts a small world, submits eight envelopes of all benefit types, and lets them come through. */
export async function openFinishedWorld(): Promise<FinishedWorld> {
  const [bridgeDb, ...others] = await Promise.all([
    createPreparedDatabase('chaos'),
    ...['bank', 'spar', 'novu', 'pbms', 'registry'].map((name) => createDatabase(name)),
  ]);
  const [bankDb, sparDb, novuDb, pbmsDb, registryDb] = others.map(({ url }) => url) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const operatorToken = await giveToken(bridgeDb.url);
  const [port, workerPort] = [await freePort(), await freePort()];
  const apiUrl = `http://127.0.0.1:${port}`;
  const [bank, spar, novu] = await Promise.all([
    startBank({
      databaseUrl: bankDb,
      statementUploadUrl: `${apiUrl}/upload_mt940`,
      autoStatementMs: 200,
      takeRepeatedReferences: true,
    }),
    startSpar({ databaseUrl: sparDb }),
    startNovu({ databaseUrl: novuDb, apiKey: NOVU_API_KEY }),
  ]);
  const group = new ProcessGroup();
  const urls = { bank: bank.url, spar: spar.url, novu: novu.url };
  const startBridge = (name: 'api' | 'worker-1', at: number) =>
    group.start(`The ${name}`, [MAIN, 'serve', '--json'], {
      ...bridgeSettings(name, {
        databaseUrl: bridgeDb.url,
        pbmsUrl: pbmsDb,
        registryUrl: registryDb,
        urlOf: (upstream) => urls[upstream],
        novuApiKey: NOVU_API_KEY,
        port: at,
      }),
      G2P_BRIDGE_LOG_LEVEL: 'error',
    });
  const onlooker = connect(bridgeDb.url, { max: 4, applicationName: 'chaos test' });
  const data = { bankUrl: bank.url, sparUrl: spar.url, pbmsUrl: pbmsDb, registryUrl: registryDb };
  await populate(group, data);
  const [api, worker] = await Promise.all([startBridge('api', port), startBridge('worker-1', workerPort)]);
  const world: World = {
    apiUrl,
    operatorToken,
    bankUrl: bank.url,
    novuUrl: novu.url,
    programs: PROGRAMS,
    beneficiaries: BENEFICIARIES,
    // Connections that stay: opening them takes longer than all the looking.
    openDatabase: () => ({ ...onlooker, close: async () => {} }),
    timeline: { note: () => {}, around: async () => [] },
  };
  const { run, complaints } = await runThrough(world);
  await worker.stop();
  const open = (url: string) => postgres(url, { max: 1, onnotice: () => {} });
  const [bridgeSql, bankSql, novuSql] = [open(bridgeDb.url), open(bankDb), open(novuDb)];
  return {
    run,
    complaints,
    bridge: bridgeSql,
    bank: bankSql,
    novu: novuSql,
    apiPid: api.pid,
    async close() {
      await Promise.all([bridgeSql.end(), bankSql.end(), novuSql.end(), onlooker.close()]);
      await group.stop();
      await Promise.all([bank.stop(), spar.stop(), novu.stop()]);
      await Promise.all([bridgeDb, ...others].map((database) => database.drop()));
    },
  };
}

async function runThrough(world: World): Promise<Pick<FinishedWorld, 'run' | 'complaints'>> {
  const feed = followFeed(world);
  const load = startLoad(world, {
    seed: SEED,
    envelopesAtOnce: ENVELOPES,
    envelopesMax: ENVELOPES,
    disbursementsPerEnvelope: DISBURSEMENTS_MAX,
  });
  await until(
    'all is submitted',
    () => load.progress.envelopes + load.violations.length === ENVELOPES,
    SETTLES_WITHIN_MS,
  );
  const submitted = await load.stop();
  const unsettled = await settle(world, submitted, SETTLES_WITHIN_MS);
  const complaints = [...load.violations, ...unsettled].map(({ found }) => found);
  return { run: { world, submitted, feed: await feed.stop() }, complaints };
}

async function giveToken(databaseUrl: string): Promise<string> {
  const token = randomBytes(16).toString('hex');
  const { sql, close } = connect(databaseUrl, { max: 1 });
  await sql`
    insert into operator_tokens (name, role, digest, created_at) values ('chaos', 'payer', ${digestOf(token)}, now())`;
  await close();
  return token;
}
