import { afterEach, beforeEach, expect, it } from 'vitest';
import { connect, type Database } from '../../src/db/connection.ts';
import { runCli } from '../cli/run.ts';
import { type Bridge, openTown, type Town, tell } from '../support/bridge.ts';
import { ledgerOf, prepareSubmission } from '../support/submission.ts';
import { until } from '../support/wait.ts';

const BATCHES = 40;
const PER_BATCH = 10;
/** How long the bank takes for every payment request; what is under way at the stop takes no longer. */
const BANK_DELAY_MS = 400;
/** Within which an emergency stop is promised to take effect. */
const PROMISED_MS = 1_000;
/** For so long nothing must happen, however much there is to do; several polls of every worker. */
const QUIET_MS = 2_000;

let town: Town;
let database: Database;
beforeEach(async () => {
  town = await openTown({
    G2P_BRIDGE_OPERATOR_ACCESS: 'loopback',
    G2P_BRIDGE_WORKER_CONCURRENCY: '2',
  });
  database = connect(town.databaseUrl, { max: 2 });
});
afterEach(async () => {
  await database.close();
  await town.close();
});

const worker = (): Promise<Bridge> => town.startBridge({ G2P_BRIDGE_ROLE: 'worker', G2P_BRIDGE_PORT: '0' });

/** Requests to pay that have reached the bank. */
async function paymentRequests(): Promise<number> {
  const stats = (await tell(town.bank.url, '/_admin/stats')) as { requests: Record<string, number> };
  return stats.requests['/initiate_payment'] ?? 0;
}

async function inState(...states: readonly string[]): Promise<number> {
  const [row] = await database.sql<{ n: number }[]>`
    select count(*)::int as n from disbursement_batch_control
    where sponsor_bank_dispatch_status = any(${states as string[]})`;
  return row?.n ?? 0;
}

/** Payments that a worker has in hand; those that wait for one do not count. */
async function underWay(): Promise<number> {
  const [row] = await database.sql<{ n: number }[]>`
    select count(*)::int as n from pgboss.job
    where name = 'disburse_funds_from_bank_worker' and state = 'active'`;
  return row?.n ?? 0;
}

/** Looks again and again for a while. @returns the largest value seen */
async function mostWithin(ms: number, look: () => Promise<number>): Promise<number> {
  const end = Date.now() + ms;
  let most = 0;
  await until('the time is over', async () => {
    most = Math.max(most, await look());
    return Date.now() >= end;
  });
  return most;
}

const operate = async (...args: readonly string[]) => {
  const ended = await runCli([...args, '--url', town.bridgeUrl]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return ended;
};

it('an emergency stop holds all payments, through restarts, until they are resumed, and all are paid once', {
  timeout: 180_000,
}, async () => {
  await town.startBridge({ G2P_BRIDGE_ROLE: 'api' });
  const [first] = [await worker(), await worker()];
  await tell(town.bank.url, '/_control', {
    faults: [{ path: '/initiate_payment', kind: 'delay', delay_ms: BANK_DELAY_MS }],
  });
  const submission = await prepareSubmission(town, BATCHES * PER_BATCH, PER_BATCH);
  await submission.send();
  await until('batches are being paid', async () => (await paymentRequests()) >= 4, 60_000);

  await operate('stop-payments', '--reason', 'the list is wrong');
  const stoppedAt = Date.now();
  await until('the promised second is over', () => Date.now() - stoppedAt >= PROMISED_MS);
  const atStop = await paymentRequests();
  expect(atStop).toBeLessThan(BATCHES);
  expect(await mostWithin(QUIET_MS, paymentRequests)).toBe(atStop);
  expect(await underWay()).toBe(0);
  expect(await inState('PENDING', 'PROCESSING')).toBeGreaterThan(BATCHES / 2);

  await first.kill();
  await worker();
  expect(await mostWithin(QUIET_MS, paymentRequests)).toBe(atStop);
  const { stdout } = await operate('stages');
  expect(stdout).toMatch(/\ndisburse_funds_from_bank .*: the list is wrong/);

  await operate('resume', 'disburse_funds_from_bank', '--reason', 'the list was right');
  await until('all batches are paid', async () => (await inState('PROCESSED')) === BATCHES, 90_000);
  expect(await ledgerOf(town)).toMatchObject({ debits: BATCHES * PER_BATCH, duplicate_references: 0 });
  expect(await inState('ERROR')).toBe(0);
  await submission.client.close();
});
