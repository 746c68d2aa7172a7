import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { post } from '../../src/cli/demo/http.ts';
import { startOutside } from '../../src/cli/demo/outside.ts';
import { ProcessGroup } from '../../src/cli/demo/process-group.ts';
import { type DemoProgram, programOf } from '../../src/cli/demo/programs.ts';
import { isComplete, progressOf } from '../../src/cli/demo/progress.ts';
import { planEnvelope, type Submission } from '../../src/cli/demo/submit.ts';
import { createPartnerClient } from '../../src/cli/partner-client.ts';
import { readSign } from '../../src/cli/sign-key.ts';
import { readBatches } from '../../src/cli/submit/batches.ts';
import { sendBatches } from '../../src/cli/submit/send.ts';
import { createEnvelope } from '../../src/cli/submit/server-state.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { roleNames } from '../../src/db/roles.ts';
import { BENEFIT_TYPES } from '../../src/machines/benefit-type.ts';
import { makeFolder, type Running, runCli, startCli } from '../cli/run.ts';
import { keyFile, PASSWORD } from '../connectors/trust.ts';
import { administer, createDatabase } from '../support/database.ts';
import { makeKey } from '../support/signing.ts';
import { startIdentity } from '../support/simulators.ts';
import { until } from '../support/wait.ts';
import { startEchoProxy } from './echo-proxy.ts';

/** People in each envelope. */
const PEOPLE = 12;
const SENDER = 'ministry';
const CONNECTOR = new URL('../../examples/acme-bank-connector/src/index.js', import.meta.url).pathname;

/** A text that stands nowhere by chance. */
const marked = (): string => randomBytes(15).toString('hex');

/** The whole system with least rights, on marked secrets, and with an outside that repeats what it is sent. */
export type FullRun = Awaited<ReturnType<typeof openFullRun>>;

/** Starts everything; {@link FullRun.run} takes an envelope of each benefit type to its end. */
export async function openFullRun() {
  const prefix = `run_${randomBytes(4).toString('hex')}`;
  const roles = roleNames(prefix);
  const run = randomBytes(4).toString('hex');
  const folder = await makeFolder();
  const bridge = await createDatabase('secure');
  const drops = [bridge.drop];
  const group = new ProcessGroup();
  const admin = postgres(bridge.url, { max: 2, onnotice: () => {} });
  const passwords = { owner: marked(), api: marked(), worker: marked(), readonly: marked() };
  const connectorKey = marked();
  const uploadToken = marked();
  const novuKey = marked();
  const clientSecret = marked();
  const redisPassword = marked();

  const urlAs = (user: string, password: string, of = bridge.url) => {
    const url = new URL(of);
    url.username = user;
    url.password = password;
    return url.href;
  };
  const as = (role: keyof typeof passwords) => urlAs(roles[role], passwords[role]);

  const makeRoles = async () => {
    const { stdout } = await runCli(['roles', '--role-prefix', prefix]);
    // Twice: it may be run again.
    for (let n = 0; n < 2; n += 1) await administer(bridge.url, (sql) => sql.unsafe(stdout));
    for (const [role, password] of Object.entries(passwords)) {
      await admin.unsafe(`alter role ${roles[role as keyof typeof passwords]} password '${password}'`);
    }
    return runCli(['migrate', '--roles', '--role-prefix', prefix, '--json'], { DATABASE_URL: as('owner') });
  };

  const programs = BENEFIT_TYPES.map((type) => programOf(run, type));
  const port = await freePort();
  const bridgeUrl = `http://127.0.0.1:${port}`;
  // The simulated bank has no token.
  const upload = await startEchoProxy(() => bridgeUrl, { authorization: `Bearer ${uploadToken}` });
  const server = {
    url: '',
    started: false,
    urlFor: () => '',
    async ensureDatabase() {
      const database = await createDatabase('outside');
      drops.push(database.drop);
      return database.url;
    },
    stop: async () => {},
  };
  const [migrated, outside, identity] = await Promise.all([
    makeRoles(),
    startOutside(server, group, upload.url, { people: { run, count: PEOPLE }, programs }),
    startIdentity({ clients: [{ client_id: 'bridge', client_secret: clientSecret }] }),
  ]);
  if (outside.inKind === null) throw new Error('Everything is given.');
  const { pbmsUrl, registryUrl } = outside.inKind;
  const readers = { pbms: marked(), registry: marked() };
  for (const [name, url] of [
    ['pbms', pbmsUrl],
    ['registry', registryUrl],
  ] as const) {
    await administer(url, (sql) =>
      sql.unsafe(`create role ${prefix}_${name} login password '${readers[name]}' in role pg_read_all_data`),
    );
  }
  await outside.filled;

  const bank = await startEchoProxy(() => outside.bank.url);
  const spar = await startEchoProxy(() => outside.spar.url);
  const novu = await startEchoProxy(() => outside.inKind?.novu.url ?? '', { authorization: 'ApiKey demo' });
  const oauth = await startEchoProxy(() => identity.url);
  const proxies = [bank, spar, novu, oauth];

  const partnerKey = makeKey('2026', 'ES256');
  const privateJwk = partnerKey.privateKey.export({ format: 'jwk' });
  const keysFile = join(folder.path, 'partners.json');
  writeFileSync(keysFile, JSON.stringify({ PARTNER_MINISTRY: { keys: [partnerKey.jwk] } }));
  const signFile = join(folder.path, 'sign.json');
  writeFileSync(signFile, JSON.stringify({ ...privateJwk, kid: '2026' }));

  const env = {
    G2P_BRIDGE_LOG_LEVEL: 'trace',
    G2P_BRIDGE_DB_DATASOURCE_PBMS: urlAs(`${prefix}_pbms`, readers.pbms, pbmsUrl),
    G2P_BRIDGE_DB_DATASOURCE_REGISTRY: urlAs(`${prefix}_registry`, readers.registry, registryUrl),
    G2P_BRIDGE_IN_KIND_ENABLED: 'true',
    G2P_BRIDGE_EXAMPLE_BANK_API_URL: bank.url,
    G2P_BRIDGE_BANK_CONNECTORS_IMPLS: JSON.stringify({
      'EXAMPLE-BANK': 'example-bank',
      ACME: { module: CONNECTOR, options: { apiKey: connectorKey, apiUrl: bank.url } },
    }),
    G2P_BRIDGE_MAPPER_API_URL: spar.url,
    G2P_BRIDGE_NOVU_API_URL: novu.url,
    G2P_BRIDGE_NOVU_API_KEY: novuKey,
    G2P_BRIDGE_OAUTH_URL: `${oauth.url}/token`,
    G2P_BRIDGE_OAUTH_CLIENT_ID: 'bridge',
    G2P_BRIDGE_OAUTH_CLIENT_SECRET: clientSecret,
    G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH: keyFile('rsa-openssl3.p12'),
    G2P_BRIDGE_CRYPTO_SIGNING_KEY_PASSWORD: PASSWORD,
    G2P_BRIDGE_SIGNATURE_VALIDATION_ENABLED: 'true',
    G2P_BRIDGE_PARTNER_JWKS_FILE: keysFile,
    G2P_BRIDGE_MT940_UPLOAD_TOKEN: uploadToken,
    G2P_BRIDGE_CELERY_BROKER_URL: `redis://:${redisPassword}@localhost:6379/0`,
    G2P_BRIDGE_CELERY_BACKEND_URL: `redis://:${redisPassword}@localhost:6379/1`,
    G2P_BRIDGE_RETRY_BACKOFF_BASE_SECONDS: '1',
    G2P_BRIDGE_RETRY_BACKOFF_MAX_SECONDS: '1',
    G2P_BRIDGE_CIRCUIT_PAUSE_SECONDS: '1',
    G2P_BRIDGE_CIRCUIT_PAUSE_MAX_SECONDS: '1',
  };
  const serve = (role: 'api' | 'worker', at: number): Running =>
    startCli(['serve', '--json'], {
      ...env,
      G2P_BRIDGE_ROLE: role,
      G2P_BRIDGE_DB_DATASOURCE_BRIDGE: as(role),
      G2P_BRIDGE_PORT: String(at),
    });

  const api = serve('api', port);
  const workerPort = await freePort();
  const worker = serve('worker', workerPort);
  const ready = (child: Running) => () => {
    if (child.child.exitCode !== null) throw new Error(`A process ended: ${child.stdout().slice(-2_000)}`);
    return child.stdout().includes('"ready":true');
  };
  await until('the api is ready', ready(api), 20_000);
  await until('the worker is ready', ready(worker), 20_000);
  const firstToken = /"first_operator_token":"([^"]+)"/.exec(api.stdout())?.[1] ?? '';

  const people = await markPeople(outside.spar.url, run, PEOPLE);
  return {
    roles,
    migrated,
    admin,
    as,
    api,
    worker,
    bridgeUrl,
    workerUrl: `http://127.0.0.1:${workerPort}`,
    proxies,
    programs,
    firstToken,
    uploadToken,
    signFile,
    /** What must stand nowhere, by what it is. */
    secrets: () =>
      new Map<string, string>([
        ...Object.entries(passwords).map(([role, password]) => [`password of ${role}`, password] as const),
        ['password of PBMS', readers.pbms],
        ['password of the registry', readers.registry],
        ['option of a connector', connectorKey],
        ['token of uploads', uploadToken],
        ['key at Novu', novuKey],
        ['secret at the OAuth server', clientSecret],
        ['password of the key file', PASSWORD],
        ['password of Redis', redisPassword],
        ["partner's private key", privateJwk.d ?? ''],
        ['first token', firstToken],
        ...[...spar.credentials].map((token, n) => [`token of the OAuth server, ${n}`, token] as const),
      ]),
    /** Names and numbers of people, which logs and metrics must not have. */
    people,
    /** Runs a statement as a role, in a transaction that is taken back. */
    tryAs: (role: keyof typeof passwords, statement: string) => tryAt(as(role), statement),
    /** The same as a user of the server who has no role. */
    tryAsStranger: (statement: string) => tryAt(urlAs(`${prefix}_pbms`, readers.pbms), statement),
    /**
     * Submits an envelope of each of some programs, signed.
     *
     * @param series tells the ids of one call from those of another
     */
    submit: async (some = programs, series = run): Promise<readonly Submission[]> => {
      const sent = await Promise.all(
        some.map((program) => plan(folder.path, { run, series }, program, people)),
      );
      const sign = await readSign({ signKey: signFile });
      const client = createPartnerClient({ url: bridgeUrl, sender: SENDER, sign, connectionsMax: 4 });
      const retry = { retryForMs: 30_000, signal: new AbortController().signal, onRetry: () => {} };
      for (const { file, plan } of sent) {
        await createEnvelope(client, plan, retry);
        const all = new Set(plan.batches.map(({ index }) => index));
        const batches = readBatches(file, plan, all, retry.signal);
        await sendBatches(client, batches, { concurrency: 2, retry, onSent: () => {} });
      }
      await client.close();
      return sent;
    },
    /** Waits until all envelopes are complete. */
    complete: async (sent: readonly Submission[]) => {
      await until(
        'every envelope is complete',
        async () => (await progressOf(admin, sent)).envelopes.every(isComplete),
        60_000,
      );
    },
    close: async () => {
      for (const child of [api, worker]) child.child.kill('SIGTERM');
      await Promise.all([api.ended, worker.ended]);
      await group.stop();
      await Promise.all([identity.stop(), upload.close(), ...proxies.map((proxy) => proxy.close())]);
      await admin.end();
      for (const drop of drops) await drop();
      await administer(new URL('/postgres', bridge.url).href, async (sql) => {
        const all = [...Object.values(roles), `${prefix}_pbms`, `${prefix}_registry`];
        for (const name of all) await sql.unsafe(`drop role if exists ${name}`);
      });
      await folder.remove();
    },
  };
}

async function tryAt(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe('begin');
    await sql.unsafe(statement);
    await sql.unsafe('rollback');
  } finally {
    await sql.end({ timeout: 1 });
  }
}

interface Person {
  readonly name: string;
  readonly account: string;
  readonly phone: string;
}

/** Gives people accounts and numbers that can be told from all else. */
async function markPeople(sparUrl: string, run: string, count: number): Promise<readonly Person[]> {
  const people = Array.from({ length: count }, (_, n) => ({
    name: `Zahra ${marked()}`,
    account: `77${run}${String(n).padStart(8, '0')}`,
    phone: `+99${BigInt(`0x${marked().slice(0, 12)}`)}`,
  }));
  const links = people.map(({ name, account, phone }, n) => {
    const who = { id: `BEN-${run}-${n}`, name };
    return n % 4 === 3
      ? {
          ...who,
          fa_type: 'MOBILE_WALLET',
          mobile_number: phone,
          wallet_provider_name: 'Pesa',
          wallet_provider_code: 'PESA',
        }
      : { ...who, fa_type: 'BANK', account_number: account, bank_code: 'EXAMPLE-BANK', branch_code: 'B1' };
  });
  await post(sparUrl, '/_admin/links', links);
  return people;
}

function plan(
  folder: string,
  { run, series }: { readonly run: string; readonly series: string },
  program: DemoProgram,
  people: readonly Person[],
) {
  const file = join(folder, `${series}-${program.benefitType}.csv`);
  const lines = people.map(
    ({ name }, n) =>
      `DISB-${series}-${program.benefitCodeId}-${n},BEN-${run}-${n},${name},${program.quantityOf(n)},July`,
  );
  const header = 'disbursement_id,beneficiary_id,beneficiary_name,disbursement_quantity,narrative';
  writeFileSync(file, `${[header, ...lines].join('\n')}\n`);
  return planEnvelope(program, file, 6, new AbortController().signal);
}
