import { setTimeout as delay } from 'node:timers/promises';
import { moneyDifferences, moneyOf } from '../../src/cli/demo/money.ts';
import type { Submission } from '../../src/cli/demo/submit.ts';
import { createPartnerClient } from '../../src/cli/partner-client.ts';
import { readBatches } from '../../src/cli/submit/batches.ts';
import { sendBatches } from '../../src/cli/submit/send.ts';
import { createEnvelope } from '../../src/cli/submit/server-state.ts';
import type { Sql } from '../../src/db/connection.ts';
import { copyTables, DIGITAL_CASH } from '../copy-baseline.ts';
import { cpuSeconds, resetPeakMemory } from './cpu.ts';
import { growth, perThousand, ratioOf, rounded } from './figures.ts';
import type { Kind, ScaleWorld } from './scale-world.ts';
import { type Waits, watchWaits } from './waits.ts';

/** Requests under way at once, to each process that takes them. */
const REQUESTS_AT_ONCE = 2;
const RETRY_FOR_MS = 60_000;
const LOOK_EVERY_MS = 25;
/** Without any progress for so long a run is given up. */
const STUCK_AFTER_MS = 300_000;

/** What one envelope of digital cash cost, from the first request until the last disbursement was reconciled. */
export interface RunFigures {
  readonly disbursements: number;
  /** Disbursements that the database had before. */
  readonly stored_before: number;
  readonly elapsed_ms: number;
  readonly disbursements_per_second: number;
  /** Payments per second between the first tenth and the last tenth of the batches; null when there were too few. */
  readonly paid_per_second: number | null;
  /** CPU seconds per 1,000 disbursements; null where they cannot be measured. */
  readonly cpu_seconds_per_thousand: Readonly<Record<Kind | 'submitter', number>> | null;
  /** Processors that all of it kept busy on average. */
  readonly cores_busy: number | null;
  readonly peak_memory_mb: readonly (number | null)[];
  readonly waits: Waits;
  readonly deadlocks: number;
  /** Transactions rolled back, for whatever reason: a serialization failure or a deadlock would be among them. */
  readonly rollbacks: number;
  readonly commits_per_thousand: number;
  readonly wal_syncs_per_thousand: number;
  readonly wal_bytes_per_disbursement: number;
  /** By how much the database grew, indexes, journal and jobs included. */
  readonly stored_bytes_per_disbursement: number;
  /** What COPY takes for the same rows into tables that are as full. */
  readonly copy_ms: number;
  readonly times_copy: number | null;
  /** What is not as it must be. */
  readonly differences: readonly string[];
}

/** Sends one envelope through every entry at once, waits until all of it is reconciled, and says what that cost. */
export async function runLoad(world: ScaleWorld, submission: Submission): Promise<RunFigures> {
  const { disbursements } = submission;
  const { sql, url } = world.database;
  const storedBefore = await storedIn(sql);
  await Promise.all(world.bridges.map(({ pid }) => resetPeakMemory(pid)));
  const before = await readings(world);
  const waiting = watchWaits(world.observer, databaseOf(url));
  const started = performance.now();
  const looks = await untilReconciled(world, submission).finally(() => waiting.stop().catch(() => {}));
  const elapsedMs = performance.now() - started;
  const waits = await waiting.stop();
  const after = await readings(world);
  const peaks = await Promise.all(world.bridges.map((bridge) => bridge.peakMemoryBytes()));
  const counted = growth(before.counters, after.counters);
  const cpu = before.cpu && after.cpu && growth(before.cpu, after.cpu);
  const money = await moneyOf(sql, world.bank.url, submission, submission.program.account ?? '');
  const copies = await copyTables(url, world.copyUrl, DIGITAL_CASH, submission.id);
  const copyMs = copies.reduce((sum, { inMs }) => sum + inMs, 0);
  return {
    disbursements,
    stored_before: storedBefore,
    elapsed_ms: Math.round(elapsedMs),
    disbursements_per_second: Math.round(disbursements / (elapsedMs / 1000)),
    paid_per_second: await paidPerSecond(sql, submission),
    cpu_seconds_per_thousand: cpu && {
      bridge: perThousand(cpu.bridge, disbursements),
      postgres: perThousand(cpu.postgres, disbursements),
      outside: perThousand(cpu.outside, disbursements),
      submitter: perThousand(cpu.submitter, disbursements),
    },
    cores_busy: cpu && rounded(Object.values(cpu).reduce((sum, one) => sum + one, 0) / (elapsedMs / 1000), 2),
    peak_memory_mb: peaks.map((bytes) => (bytes === null ? null : Math.round(bytes / 1024 ** 2))),
    waits,
    deadlocks: counted.deadlocks,
    rollbacks: counted.rollbacks,
    commits_per_thousand: Math.max(0, Math.round(perThousand(counted.commits - looks, disbursements))),
    wal_syncs_per_thousand: Math.round(perThousand(counted.wal_syncs, disbursements)),
    wal_bytes_per_disbursement: Math.round(counted.wal_bytes / disbursements),
    stored_bytes_per_disbursement: Math.round(counted.stored_bytes / disbursements),
    copy_ms: Math.round(copyMs),
    times_copy: ratioOf(elapsedMs, copyMs),
    differences: moneyDifferences(money, submission),
  };
}

/** Sends an envelope and its batches, each batch to whichever entry has room for it. */
export async function sendLoad(
  world: ScaleWorld,
  { file, plan }: Submission,
  signal: AbortSignal,
): Promise<void> {
  const clients = world.entries.map(({ url }) =>
    createPartnerClient({ url, sender: 'bench', connectionsMax: REQUESTS_AT_ONCE }),
  );
  const retry = { retryForMs: RETRY_FOR_MS, signal, onRetry: () => {} };
  try {
    const [first] = clients;
    if (!first) throw new Error('No process takes requests.');
    await createEnvelope(first, plan, retry);
    const batches = readBatches(file, plan, new Set(plan.batches.map(({ index }) => index)), signal);
    const options = { concurrency: REQUESTS_AT_ONCE, retry, onSent: () => {} };
    await Promise.all(clients.map((client) => sendBatches(client, batches, options)));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** @returns how often the database was asked */
async function untilReconciled(world: ScaleWorld, submission: Submission): Promise<number> {
  const ended = new AbortController();
  try {
    const sent = sendLoad(world, submission, ended.signal);
    const { sql } = world.database;
    const done = untilCount(submission.disbursements, ended.signal, async () => {
      const [row] = await sql<{ n: number; errors: string | null }[]>`
        select number_of_disbursements_reconciled as n, (
          select min(coalesce(fa_resolution_latest_error_code, sponsor_bank_dispatch_latest_error_code))
          from disbursement_batch_control b
          where b.disbursement_envelope_id = s.disbursement_envelope_id
            and 'ERROR' in (b.fa_resolution_status, b.sponsor_bank_dispatch_status)) as errors
        from envelope_batch_status_for_cash s where disbursement_envelope_id = ${submission.id}`;
      if (row?.errors) throw new Error(`A batch of envelope ${submission.id} stopped with ${row.errors}.`);
      return row?.n ?? 0;
    });
    const [looks] = await Promise.race([world.broken, Promise.all([done, sent])]);
    return looks;
  } finally {
    ended.abort();
  }
}

/**
 * Looks until there are as many as there must be.
 *
 * @returns how often it looked
 * @throws Error when there are no more of them for minutes
 */
export async function untilCount(
  wanted: number,
  signal: AbortSignal,
  count: () => Promise<number>,
): Promise<number> {
  let movedAt = performance.now();
  for (let looks = 1, before = -1; ; looks += 1) {
    signal.throwIfAborted();
    const now = await count();
    if (now >= wanted) return looks;
    if (now !== before) movedAt = performance.now();
    before = now;
    if (performance.now() - movedAt > STUCK_AFTER_MS)
      throw new Error(`Nothing has moved for ${STUCK_AFTER_MS / 1000} s: ${now} of ${wanted}.`);
    await delay(LOOK_EVERY_MS);
  }
}

/** CPU seconds by kind, what submits included; null where they cannot be measured. */
export async function cpuNow({ kinds }: ScaleWorld): Promise<Record<Kind | 'submitter', number> | null> {
  const used = await cpuSeconds(kinds);
  const { user, system } = process.cpuUsage();
  return used && { ...used, submitter: (user + system) / 1e6 };
}

/**
 * What the server has counted so far. Its sessions report their transactions a second late when they rest, so counts of
 * runs of a few seconds are too low.
 */
async function readings(world: ScaleWorld) {
  const [row] = await world.observer<[Record<Counter, number>]>`
    select xact_commit::float8 as commits, xact_rollback::float8 as rollbacks, deadlocks::float8,
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal_bytes,
      pg_database_size(datname)::float8 as stored_bytes,
      (select coalesce(sum(fsyncs), 0)::float8 from pg_stat_io where object = 'wal') as wal_syncs
    from pg_stat_database where datname = ${databaseOf(world.database.url)}`;
  return { counters: { ...row }, cpu: await cpuNow(world) };
}

type Counter = 'commits' | 'rollbacks' | 'deadlocks' | 'wal_bytes' | 'stored_bytes' | 'wal_syncs';

const databaseOf = (url: string): string => new URL(url).pathname.slice(1);

async function storedIn(sql: Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select coalesce(sum(number_of_disbursements_received), 0)::int as n from envelope_control`;
  return row?.n ?? 0;
}

/** Fewer batches have no middle: some of them end in the same instant. */
const BATCHES_MIN = 40;

/** From the journal, without the first and the last tenth of the batches, while not all processes are at it. */
async function paidPerSecond(sql: Sql, { id, disbursements, plan }: Submission): Promise<number | null> {
  if (plan.batches.length < BATCHES_MIN) return null;
  const [row] = await sql<{ seconds: number | null }[]>`
    select extract(epoch from
      percentile_disc(0.9) within group (order by at) - percentile_disc(0.1) within group (order by at))::float8 as seconds
    from actor_transitions
    where correlation_id = ${id} and region = 'sponsor_bank_dispatch' and event = 'succeeded'`;
  return row?.seconds ? Math.round((disbursements * 0.8) / row.seconds) : null;
}
