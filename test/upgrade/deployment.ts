import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finished, Program, Submitted, Violation, World } from '../../chaos/contract.ts';
import { followFeed } from '../../chaos/feed-follower.ts';
import { INVARIANTS } from '../../chaos/invariants/index.ts';
import { settle } from '../../chaos/settle.ts';
import { digestOf } from '../../src/api/operator/access/secrets.ts';
import { type Child, startChild } from '../../src/cli/demo/child.ts';
import { createPartnerClient, type PartnerClient } from '../../src/cli/partner-client.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { clientOf, type OperatorClient } from '../support/operators.ts';
import { bridgeSettings, type DatabaseUrls, type PlannedEnvelope } from './scenario.ts';

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const TOKEN = 'g2p_of-the-deployment';
const NOVU_API_KEY = 'demo';
const AUTO_STATEMENT_MS = 300;

/** The bridge and everything around it, each as a process, on databases that exist. */
export interface Deployment {
  readonly bankUrl: string;
  readonly sparUrl: string;
  readonly novuUrl: string;
  readonly partner: PartnerClient;
  readonly operator: OperatorClient;
  /** The bridge's database. */
  readonly database: Database;
  /** Starts a bridge process; one at a time. @param env where settings differ */
  startBridge(env?: Readonly<Record<string, string>>): Promise<void>;
  /** SIGKILL. */
  killBridge(): Promise<void>;
  /** Runs the command line to its end. @returns what it wrote on standard output */
  cli(...args: readonly string[]): Promise<string>;
  /** The same with another database, as after a restore; nothing may be running. */
  switchTo(url: string): Promise<void>;
  /** Sends an envelope and its batches, but for some. @throws Error when something is not accepted */
  send(planned: PlannedEnvelope, without?: ReadonlySet<string>): Promise<void>;
  /** Waits until everything has come to its end, retrying what is in ERROR, and looks for what must not be. */
  violations(planned: readonly PlannedEnvelope[]): Promise<readonly Violation[]>;
  close(): Promise<void>;
}

/**
 * Starts the simulators; the bridge is for the test to start. The bank takes a payment reference as often as it comes, so
 * that its ledger shows who is paid twice.
 *
 * @param databases as they are; those of the simulators may be empty
 */
export async function openDeployment(databases: DatabaseUrls): Promise<Deployment> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const simulator = (name: 'bank' | 'spar' | 'novu', ...args: readonly string[]) => {
    const main = path(`simulators/${name}/main.ts`);
    return startChild(name, [main, '--database-url', databases[name], ...args], {}, () => {});
  };
  const bankArgs = ['--statement-upload-url', `${url}/upload_mt940`, '--take-repeated-references'];
  const [bank, spar, novu] = await Promise.all([
    simulator('bank', ...bankArgs, '--auto-statement-ms', String(AUTO_STATEMENT_MS)),
    simulator('spar'),
    simulator('novu', '--api-key', NOVU_API_KEY),
  ]);
  const outside = { bank: bank.url, spar: spar.url, novu: novu.url, novuApiKey: NOVU_API_KEY };
  const partner = createPartnerClient({ url, sender: 'ministry' });
  const bearer = { authorization: `Bearer ${TOKEN}` };
  let bridgeUrl = databases.bridge;
  let database = connect(bridgeUrl, { max: 2 });
  let bridge: Child | null = null;
  const settings = () => ({
    ...bridgeSettings({ ...databases, bridge: bridgeUrl }, outside, port),
    G2P_BRIDGE_RETRY_BACKOFF_BASE_SECONDS: '1',
    G2P_BRIDGE_CIRCUIT_PAUSE_SECONDS: '1',
    G2P_BRIDGE_CIRCUIT_PAUSE_MAX_SECONDS: '1',
  });
  const deployment: Deployment = {
    bankUrl: bank.url,
    sparUrl: spar.url,
    novuUrl: novu.url,
    partner,
    operator: clientOf(url, { id: 'deployment', name: 'deployment', role: 'payer' }, bearer),
    get database() {
      return database;
    },
    async startBridge(env = {}) {
      const args = [path('src/cli/main.ts'), 'serve', '--json'];
      bridge = await startChild('The bridge', args, { ...settings(), ...env }, () => {});
      await database.sql`
        insert into operator_tokens (name, role, digest, created_at)
        values ('deployment', 'payer', ${digestOf(TOKEN)}, now()) on conflict do nothing`;
    },
    async killBridge() {
      await bridge?.kill();
      bridge = null;
    },
    cli: (...args) => runCli(args, settings()),
    async switchTo(other) {
      await database.close();
      bridgeUrl = other;
      database = connect(bridgeUrl, { max: 2 });
    },
    async send({ envelope, batches }, without = new Set()) {
      const answers = [await partner.createEnvelopes([envelope])];
      for (const { id, disbursements } of batches)
        if (!without.has(id)) answers.push(await partner.createDisbursements(id, disbursements));
      const refused = answers.find(({ kind }) => kind !== 'success');
      if (refused) throw new Error(`Not accepted: ${JSON.stringify(refused)}`);
    },
    violations: (planned) =>
      violations(planned, {
        apiUrl: url,
        operatorToken: TOKEN,
        bankUrl: bank.url,
        novuUrl: novu.url,
        programs: programsOf(planned),
        beneficiaries: [],
        openDatabase: () => connect(bridgeUrl, { max: 2 }),
        timeline: { note: () => {}, around: async () => [] },
      }),
    async close() {
      await bridge?.stop();
      await Promise.all([bank.stop(), spar.stop(), novu.stop(), partner.close(), database.close()]);
    },
  };
  return deployment;
}

const SETTLES_WITHIN_MS = 40_000;

async function violations(planned: readonly PlannedEnvelope[], world: World): Promise<readonly Violation[]> {
  const submitted = planned.map(submittedOf);
  const following = followFeed(world);
  const found = [...(await settle(world, submitted, SETTLES_WITHIN_MS))];
  const run: Finished = { world, submitted, feed: await following.stop() };
  for (const invariant of INVARIANTS) found.push(...(await invariant.check(run)));
  return found;
}

function programOf({ envelope, account }: PlannedEnvelope): Program {
  return {
    benefitType: envelope.benefit_type as Program['benefitType'],
    id: String(envelope.benefit_program_id),
    mnemonic: envelope.benefit_program_mnemonic,
    benefitCodeId: String(envelope.benefit_code_id),
    benefitCodeMnemonic: envelope.benefit_code_mnemonic,
    account,
  };
}

const programsOf = (planned: readonly PlannedEnvelope[]): Program[] => [
  ...new Map(planned.map((one) => [one.envelope.benefit_program_id, programOf(one)])).values(),
];

const submittedOf = (planned: PlannedEnvelope): Submitted => ({
  envelopeId: planned.envelope.id,
  program: programOf(planned),
  cycle: planned.envelope.cycle_code_mnemonic,
  disbursements: new Map(
    planned.batches
      .flatMap(({ disbursements }) => disbursements)
      .map((one) => [
        one.disbursement_id,
        { beneficiary: one.beneficiary_id, quantity: one.disbursement_quantity },
      ]),
  ),
  cancelled: new Set(),
  cancellation: 'no',
});

async function runCli(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [path('src/cli/main.ts'), ...args], {
    env: { ...process.env, ...env },
  });
  return stdout;
}
