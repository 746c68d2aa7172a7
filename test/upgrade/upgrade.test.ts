import { afterEach, describe, expect, it } from 'vitest';
import { tell } from '../support/bridge.ts';
import { administer, type TestDatabase } from '../support/database.ts';
import { type Deployment, openDeployment } from './deployment.ts';
import { factsOf, restoreFixture } from './fixture.ts';

const WITHIN_MS = 60_000;

const databases: TestDatabase[] = [];
let deployment: Deployment | null = null;
afterEach(async () => {
  await deployment?.close();
  deployment = null;
  await Promise.all(databases.splice(0).map((database) => database.drop()));
});

/** The simulated bank refuses a reference that it has seen. This one does not, so that its ledger shows who is paid twice. */
const takesRepeatedReferences = (url: string) =>
  administer(url, (sql) =>
    sql
      .unsafe(`drop index ledger_by_reference;
      create index ledger_by_reference on ledger (account_number, payment_reference_number, mark)`)
      .simple(),
  );

describe.each(['0002-partner-api', '0003-operators'])('a database of release %s', (fixture) => {
  it('with work of every kind under way is migrated, and all of it ends as if nothing had happened', {
    timeout: WITHIN_MS,
  }, async () => {
    const facts = await factsOf(fixture);
    const urls = await restoreFixture(fixture, databases);
    await takesRepeatedReferences(urls.bank);
    deployment = await openDeployment(urls);
    const { sql } = deployment.database;
    const queued = await sql<{ id: string }[]>`
      select id from pgboss.job where state in ('created', 'retry', 'active') and name like '%\\_worker'`;
    expect(queued.length).toBeGreaterThan(5);
    const [claims] = await sql<{ n: number }[]>`select count(*)::int as n from actor_claims`;
    expect(claims?.n).toBeGreaterThan(0);

    const migrated = JSON.parse(await deployment.cli('migrate', '--json'));
    expect(migrated.applied).toBeGreaterThan(0);
    await deployment.startBridge();

    const [failed] = await sql<{ status: string; code: string }[]>`
      select fa_resolution_status as status, fa_resolution_latest_error_code as code
      from disbursement_batch_control where id = ${facts.failedBatch}`;
    expect(failed).toEqual({ status: 'ERROR', code: 'FA_UNRESOLVED' });
    await tell(deployment.sparUrl, '/_admin/links', [
      { id: facts.unknownBeneficiary, name: 'A B', fa_type: 'BANK', account_number: '1', bank_code: 'B' },
    ]);
    if (facts.pausedStage !== null) {
      const path = `/operator/stages/${facts.pausedStage}/resume`;
      expect(await deployment.operator.post(path, { reason: 'Upgraded.' })).toMatchObject({ status: 200 });
    }
    // The ministry sends all again of which it does not know whether it has arrived.
    const all = [...facts.complete, ...facts.underWay];
    for (const envelope of all) await deployment.send(envelope);

    expect(await deployment.violations(all)).toEqual([]);
    const undone = await sql`
      select id, name, state from pgboss.job
      where id = any(${queued.map(({ id }) => id)}::uuid[]) and state <> 'completed'`;
    expect(undone).toEqual([]);
    const [journal] = await sql<{ first: string; older: number; newer: number }[]>`
      select min(seq) as first, count(*) filter (where seq <= ${facts.lastSeq})::int as older,
        count(*) filter (where seq > ${facts.lastSeq})::int as newer
      from actor_transitions`;
    expect(journal).toMatchObject({ first: '1' });
    expect(journal?.older).toBeGreaterThan(100);
    expect(journal?.newer).toBeGreaterThan(100);
  });
});
