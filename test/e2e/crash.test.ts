import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Database } from '../../src/db/connection.ts';
import { openTown, type Town, tell } from '../support/bridge.ts';
import { ledgerOf, prepareSubmission } from '../support/submission.ts';
import { until } from '../support/wait.ts';

/** The moments are random but the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** More of them take longer; `.ci/run` has twenty. */
const KILLS = Number(process.env.KILLS ?? 4);

describe('money moves once', () => {
  let town: Town;
  let database: Database;
  beforeEach(async () => {
    // More attempts than usual: a test that makes a third of all calls fail must not end for want of attempts.
    const attempts = [
      'MAPPER_RESOLUTION',
      'CHECK_FUNDS_WITH_BANK',
      'BLOCK_FUNDS_WITH_BANK',
      'DISBURSE_FUNDS_WITH_BANK',
    ];
    town = await openTown(
      Object.fromEntries(attempts.map((name) => [`G2P_BRIDGE_${name}_MAX_ATTEMPTS`, '20'])),
    );
    database = connect(town.databaseUrl, { max: 2 });
  });
  afterEach(async () => {
    await database.close();
    await town.close();
  });

  async function reconciled(): Promise<number> {
    const [row] = await database.sql<{ n: number }[]>`
      select number_of_disbursements_reconciled as n from envelope_batch_status_for_cash`.catch(() => []);
    return row?.n ?? 0;
  }

  async function expectPaidOnce(disbursements: number): Promise<void> {
    await until('everything is reconciled', async () => (await reconciled()) === disbursements, 90_000);
    expect(await ledgerOf(town)).toMatchObject({ debits: disbursements, duplicate_references: 0 });
    const [errors] = await database.sql<
      { n: number }[]
    >`select count(*)::int as n from disbursement_error_recons`;
    expect(errors?.n).toBe(0);
    const [recons] = await database.sql<{ n: number; sum: string }[]>`
      select count(*)::int as n, trim_scale(sum(remittance_amount))::text as sum from disbursement_recons`;
    expect(recons).toMatchObject({ n: disbursements, sum: String(disbursements * 10) });
  }

  it(`when our process is killed at ${KILLS} random moments of a run`, { timeout: 180_000 }, async () => {
    const random = randomFrom(20);
    const submission = await prepareSubmission(town, 2_000, 100);
    let bridge = await town.startBridge();
    const sending = submission.send();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(random() * 400);
      await bridge.kill();
      bridge = await town.startBridge();
    }
    await sending;
    await expectPaidOnce(2_000);
    await submission.client.close();
  });

  it('when the bank drops the connection after acting on 30 % of calls', { timeout: 120_000 }, async () => {
    await tell(town.bank.url, '/_control', {
      seed: 7,
      faults: [{ path: '*', kind: 'drop_after', probability: 0.3 }],
    });
    const submission = await prepareSubmission(town, 2_000, 100);
    await town.startBridge();
    await submission.send();
    await expectPaidOnce(2_000);
    await submission.client.close();
  });

  it('when the bank answers 500 before or after acting, and when two bridges share the work', {
    timeout: 120_000,
  }, async () => {
    await tell(town.bank.url, '/_control', {
      seed: 11,
      faults: [
        { path: '*', kind: 'error_after', probability: 0.2 },
        { path: '*', kind: 'error_before', probability: 0.2 },
      ],
    });
    const submission = await prepareSubmission(town, 1_000, 50);
    await town.startBridge();
    await town.startBridge({ G2P_BRIDGE_ROLE: 'worker', G2P_BRIDGE_PORT: '0' });
    await submission.send();
    await expectPaidOnce(1_000);
    await submission.client.close();
  });
});
