import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkAll } from '../../src/cli/demo/beneficiaries.ts';
import { fillInKind, openAccounts } from '../../src/cli/demo/outside.ts';
import { ProcessGroup } from '../../src/cli/demo/process-group.ts';
import { programOf } from '../../src/cli/demo/programs.ts';
import { HELD_AFTER_RESTORE } from '../../src/db/restores.ts';
import { BENEFIT_TYPES } from '../../src/machines/benefit-type.ts';
import { tell } from '../support/bridge.ts';
import { findSystemPostgres, type SystemServer, startSystemServer } from '../support/system-postgres.ts';
import { until } from '../support/wait.ts';
import { type Deployment, openDeployment } from '../upgrade/deployment.ts';
import {
  DATABASES,
  type DatabaseUrls,
  OPEN_BEFORE_PAYMENT,
  OPEN_WORK,
  type PlannedEnvelope,
  planned,
} from '../upgrade/scenario.ts';

const system = await findSystemPostgres();
if (system === null && process.env.BACKUP_TESTS === 'required')
  throw new Error(
    'BACKUP_TESTS=required, and no PostgreSQL with pg_dump and pg_restore is installed on this machine.',
  );

const RUN = '0b000001';
const PEOPLE = { run: RUN, count: 12 };
const BATCH = 6;
const WITHIN_MS = 60_000;
const programs = BENEFIT_TYPES.filter((type) => type !== 'COMBINATION').map((type) => programOf(RUN, type));
const people = Array.from({ length: PEOPLE.count }, (_, n) => `BEN-${RUN}-${n}`);
const envelopes = (name: string) => programs.map((program) => planned(program, name, people, BATCH));
const accounts = programs.flatMap(({ account }) => account ?? []);

/** What the ministry has sent: before the backup, when it was made, and after it. */
const sent = [envelopes('early'), envelopes('meanwhile'), envelopes('late'), envelopes('lost')];
const [early = [], meanwhile = [], late = [], lost = []] = sent;

describe.skipIf(system === null)('a backup made with pg_dump amid the work', () => {
  let server: SystemServer;
  let urls: DatabaseUrls;
  let bank: postgres.Sql;
  let deployment: Deployment;
  let backup: string;

  beforeAll(async () => {
    if (system === null) return;
    server = await startSystemServer(system);
    const created = DATABASES.map(async (name) => [name, await server.createDatabase(name)] as const);
    urls = Object.fromEntries(await Promise.all(created)) as DatabaseUrls;
    bank = postgres(urls.bank, { max: 1, onnotice: () => {} });
    deployment = await openDeployment(urls);
    await openAccounts(deployment.bankUrl, programs);
    await linkAll(PEOPLE, deployment.sparUrl);
    await fillInKind(
      new ProcessGroup(),
      { pbmsUrl: urls.pbms, registryUrl: urls.registry },
      PEOPLE,
      programs,
    );
    await deployment.startBridge();
    backup = await loseWhatFollowsABackup();
  }, WITHIN_MS);
  afterAll(async () => {
    await deployment?.close();
    await bank?.end();
    await server?.stop();
  });

  const open = async (query: string) => (await deployment.database.sql.unsafe<{ n: number }[]>(query))[0]?.n;
  const sendAll = async (list: readonly PlannedEnvelope[]) => {
    for (const one of list) await deployment.send(one);
  };

  /** @returns a backup of a moment after which everything went on to its end, and was lost */
  async function loseWhatFollowsABackup(): Promise<string> {
    const faults = (list: readonly object[]) => tell(deployment.bankUrl, '/_control', { faults: list });
    await sendAll(early);
    await until('what came early is complete', async () => (await open(OPEN_WORK)) === 0, WITHIN_MS);
    await faults([{ path: '/initiate_payment', kind: 'delay', delay_ms: 1_500 }]);
    await sendAll(meanwhile);
    await until('payments are under way', () =>
      deployment.database.sql`select from disbursement_batch_control
        where sponsor_bank_dispatch_submitted_at is not null and sponsor_bank_dispatch_status = 'PROCESSING'`.then(
        ({ count }) => count > 0,
      ),
    );
    const [dumped] = await Promise.all([server.backup(urls.bridge), sendAll(late)]);
    await faults([]);
    await sendAll(lost);
    await until('everything is complete', async () => (await open(OPEN_WORK)) === 0, WITHIN_MS);
    await deployment.killBridge();
    return dumped;
  }

  /** Restores the backup and starts the bridge on it; the ministry sends all again that it has sent. */
  async function startAgain(name: string, resent = sent.flat()): Promise<void> {
    await deployment.killBridge();
    const restored = await server.createDatabase(name);
    await server.restore(backup, restored);
    await deployment.switchTo(restored);
    await deployment.startBridge();
    const { sql } = deployment.database;
    const pauses = await sql<{ stage: string }[]>`select stage from actor_pauses where by = 'g2p-bridge'`;
    expect(pauses.map(({ stage }) => stage).toSorted()).toEqual([...HELD_AFTER_RESTORE].toSorted());
    const before = await paid();
    await sendAll(resent);
    await until('all waits to be paid', async () => (await open(OPEN_BEFORE_PAYMENT)) === 0, WITHIN_MS);
    expect(await paid()).toEqual(before);
  }

  /** Every debit there is, by reference. */
  const paid = async () => [
    ...(await bank`select payment_reference_number, amount, id from ledger where mark = 'D' order by id`),
  ];

  /** The bank sends all of its statements again. */
  async function sendStatementsAgain(): Promise<void> {
    await bank`update statements set uploaded_at = null`;
    for (const program_account_number of accounts)
      await tell(deployment.bankUrl, '/generate_account_statement', { program_account_number });
    await until('the bank has sent its statements', async () => {
      const { count } = await bank`select from statements where uploaded_at is null`;
      return count === 0;
    });
  }

  async function resume(stages: readonly string[]): Promise<void> {
    for (const stage of stages) {
      const path = `/operator/stages/${stage}/resume`;
      expect(await deployment.operator.post(path, { reason: 'Compared with the bank.' })).toMatchObject({
        status: 200,
      });
    }
  }

  it('is restored elsewhere: what was paid since is found out from the bank, and nothing is paid twice', {
    timeout: WITHIN_MS,
  }, async () => {
    const before = await paid();
    await startAgain('asked');
    const statements = new Set(['mt940_processor']);
    await resume(HELD_AFTER_RESTORE.filter((stage) => !statements.has(stage)));
    await until('all is known to be paid', async () => {
      const { count } = await deployment.database.sql`
        select from disbursement_batch_control where sponsor_bank_dispatch_status in ('PENDING', 'PROCESSING')`;
      return count === 0;
    });
    expect(await paid()).toEqual(before);
    const resumed = await deployment.database.sql`
      select from database_restores where blocks_resumed_at > noted_at and payments_resumed_at > noted_at`;
    expect(resumed.count).toBe(1);
    await sendStatementsAgain();
    await resume([...statements]);
    expect(await deployment.violations(sent.flat())).toEqual([]);
    expect(await paid()).toEqual(before);
  });

  it('is restored elsewhere: what is on statements counts as paid, also where the ministry names its batches otherwise', {
    timeout: WITHIN_MS,
  }, async () => {
    const before = await paid();
    const renamed = lost.map((one) =>
      one.type !== 'CASH_DIGITAL'
        ? one
        : { ...one, batches: one.batches.map((batch) => ({ ...batch, id: `${batch.id}-again` })) },
    );
    await startAgain('on_statements', [...early, ...meanwhile, ...late, ...renamed]);
    await sendStatementsAgain();
    await resume(['mt940_processor']);
    await until('all statements are processed', async () => {
      const { count } = await deployment.database.sql`
        select from account_statements where statement_process_status <> 'PROCESSED'`;
      return count === 0;
    });
    const others = HELD_AFTER_RESTORE.filter((stage) => stage !== 'mt940_processor');
    await resume(others);
    expect(await deployment.violations(sent.flat())).toEqual([]);
    expect(await paid()).toEqual(before);
  });
});
