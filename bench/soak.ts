import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type People, writeCsv } from '../src/cli/demo/beneficiaries.ts';
import { type DemoProgram, programOf } from '../src/cli/demo/programs.ts';
import { planEnvelope, sendEnvelope } from '../src/cli/demo/submit.ts';
import { startWorld, type World } from '../src/cli/demo/world.ts';
import { loadConfig } from '../src/config.ts';
import { connect } from '../src/db/connection.ts';
import { type Observer, silentObserver } from '../src/runtime/observer.ts';
import { Retention } from '../src/runtime/retention.ts';
import { ActorSystem } from '../src/runtime/system.ts';
import { ACTORS } from '../src/stages/actors.ts';
import { BOUNDED_TABLES, databaseBytes, type TableSize, tableSizes } from './support/table-sizes.ts';

/** Disbursements of one envelope, which comes in two batches. */
const ENVELOPE = 200;
const BATCH = 100;
/** Programs that pay in turn: the bank makes a statement of an account when that has rested. */
const PROGRAMS = 24;
/** Envelopes that are being sent at the same time at most; when more should be, the rate is not kept. */
const SENDING_MAX = 4;
const MINUTE_MS = 60_000;
const SETTLE_MAX_MS = 60_000;
/** Short enough that removing begins in the first minutes. */
const KEEP_MS = 45_000;
const REMOVE_EVERY_MS = 10_000;
const REPLAY_SECONDS = 45;
/** A disbursement late in the run may cost so many times the space of an early one. */
const GROWTH_RATIO_MAX = 1.2;
/** What must stop growing may be so many times as large at the end as after two thirds of the run. */
const BOUNDED_RATIO_MAX = 1.2;
/** Ended jobs are kept for a quarter of an hour: what is compared before then still grows, and rightly so. */
const BOUNDED_FROM_MINUTES = 17;

/** How things stand at a moment of the run. */
export interface SoakSample {
  readonly minutes: number;
  readonly sent: number;
  readonly reconciled: number;
  /** Entries of the journal that were removed until then. */
  readonly removed: number;
  readonly database_bytes: number;
  /** What the bridge's process holds in memory; null where the operating system does not tell. */
  readonly bridge_bytes: number | null;
  readonly tables: readonly TableSize[];
}

export interface SoakResult {
  readonly minutes: number;
  readonly disbursements_per_second: number;
  readonly samples: readonly SoakSample[];
  /** Bytes that the database grew by for each disbursement, in the first and the last third of the run. */
  readonly first_third_bytes: number;
  readonly last_third_bytes: number;
  readonly growth_ratio: number;
  /** Of the tables that must stop growing: their size at the end by that after two thirds. */
  readonly bounded_ratio: number;
  /** Whether the run was long enough for that to tell anything; only then is it part of `ok`. */
  readonly bounded_tells: boolean;
  readonly ok: boolean;
}

/**
 * Small envelopes of digital cash at a steady rate, with everything on this machine, and history kept for less than a
 * minute: whether what is removed keeps up with what is added.
 *
 * @param minutes how long, at least 3
 * @param rate disbursements per second
 * @param onSample told every minute
 * @throws what stopped a process
 */
export async function benchSoak(
  minutes: number,
  rate: number,
  onSample: (sample: SoakSample) => void,
): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), 'g2p-bench-'));
  // The server may run as another user than ours.
  await chmod(folder, 0o755);
  const people = { run: randomBytes(4).toString('hex'), count: ENVELOPE };
  const programs = programsOf(people.run);
  const env = {
    G2P_BRIDGE_REQUEST_REPLAY_WINDOW_SECONDS: String(REPLAY_SECONDS),
    G2P_BRIDGE_PARTNER_REQUESTS_PER_MINUTE: '0',
  };
  const config = loadConfig({ G2P_BRIDGE_DATA_DIR: folder });
  try {
    const world = await startWorld(config, { people, programs, fresh: false, env });
    try {
      return await soak({ world, people, programs, folder, minutes, rate, onSample });
    } finally {
      await world.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function programsOf(run: string): DemoProgram[] {
  const program = programOf(run, 'CASH_DIGITAL');
  return Array.from({ length: PROGRAMS }, (_, n) => ({
    ...program,
    id: program.id + n * 100,
    account: `${program.account}-${n}`,
  }));
}

interface Run {
  readonly world: World;
  readonly people: People;
  readonly programs: readonly DemoProgram[];
  readonly folder: string;
  readonly minutes: number;
  readonly rate: number;
  readonly onSample: (sample: SoakSample) => void;
}

async function soak(run: Run): Promise<SoakResult> {
  const { world, minutes } = run;
  const progress = { sent: 0, removed: 0 };
  const stopRemoving = await removeOld(world.database.url, (entries) => {
    progress.removed += entries;
  });
  const ended = new AbortController();
  const began = performance.now();
  const sending = Promise.all(
    Array.from({ length: SENDING_MAX }, (_, lane) => send(run, lane, began, progress, ended.signal)),
  );
  const samples: SoakSample[] = [];
  try {
    for (let minute = 0; minute <= minutes; minute += 1) {
      const restMs = began + minute * MINUTE_MS - performance.now();
      const brokenOrRefused = Promise.race([world.broken, sending]);
      await Promise.race([brokenOrRefused, delay(Math.max(0, restMs))]);
      const sample = await take(run, minute, progress);
      samples.push(sample);
      run.onSample(sample);
    }
    ended.abort();
    await sending;
    await settled(run, progress.sent);
    return resultOf(minutes, samples);
  } finally {
    ended.abort();
    await sending.catch(() => {});
    await stopRemoving();
  }
}

/**
 * The bridge keeps history for days; this process removes it sooner, in the same way. It takes no other part in the system:
 * it has no stages to dispatch.
 */
async function removeOld(url: string, onRemoved: (entries: number) => void): Promise<() => Promise<void>> {
  const database = connect(url, { max: 2, applicationName: 'g2p-bridge soak' });
  const observer: Observer = { ...silentObserver, pruned: ({ entries }) => onRemoved(entries) };
  const { store } = new ActorSystem({
    database,
    actors: ACTORS,
    stages: [],
    works: false,
    role: 'soak',
    observer,
  });
  const retention = new Retention(store, {
    keepMs: KEEP_MS,
    everyMs: REMOVE_EVERY_MS,
    firstMs: REMOVE_EVERY_MS,
  });
  await retention.start();
  return async () => {
    await retention.stop();
    await store.close();
    await database.close();
  };
}

/** Sends every {@link SENDING_MAX}th envelope when its time has come. */
async function send(
  { world, people, programs, folder, rate }: Run,
  lane: number,
  began: number,
  progress: { sent: number },
  signal: AbortSignal,
): Promise<void> {
  for (let n = lane; !signal.aborted; n += SENDING_MAX) {
    const waitMs = began + (n * ENVELOPE * 1_000) / rate - performance.now();
    await delay(Math.max(0, waitMs), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const program = programs[n % programs.length];
    if (!program) throw new Error('There is no program.');
    const file = join(folder, `${lane}.csv`);
    // The number of the benefit is part of the ids of its disbursements.
    await writeCsv(people, { ...program, benefitCodeId: n }, file);
    const one = { ...program, cycle: `${program.cycle}-${n}` };
    const envelope = await planEnvelope(one, file, BATCH, new AbortController().signal);
    await sendEnvelope(world.bridge.url, envelope, 1, new AbortController().signal);
    progress.sent += ENVELOPE;
  }
}

async function take(
  { world }: Run,
  minutes: number,
  { sent, removed }: { sent: number; removed: number },
): Promise<SoakSample> {
  return {
    minutes,
    sent,
    removed,
    reconciled: await reconciled(world),
    database_bytes: await databaseBytes(world.database),
    bridge_bytes: await residentBytes(world.bridge.pid),
    tables: await tableSizes(world.database),
  };
}

async function reconciled({ database: { sql } }: World): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select coalesce(sum(number_of_disbursements_reconciled), 0)::int as count from envelope_batch_status_for_cash`;
  return row.count;
}

async function residentBytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
}

/** @throws when not everything that was sent comes through */
async function settled({ world }: Run, sent: number): Promise<void> {
  const until = performance.now() + SETTLE_MAX_MS;
  while ((await reconciled(world)) < sent) {
    if (performance.now() > until) {
      throw new Error(`Not all of ${sent} disbursements were reconciled: ${await leftOf(world)}`);
    }
    await Promise.race([world.broken, delay(250)]);
  }
}

/** The first envelope that has not come through, as its columns have it. */
async function leftOf({ database: { sql } }: World): Promise<string> {
  const [row] = await sql<Record<string, unknown>[]>`
    select c.*, e.receipt_status, e.number_of_disbursements_received,
      (select json_agg(b) from disbursement_batch_control b
       where b.disbursement_envelope_id = c.disbursement_envelope_id) as batches
    from envelope_batch_status_for_cash c join envelope_control e using (disbursement_envelope_id)
    where c.number_of_disbursements_reconciled < ${ENVELOPE} limit 1`;
  return JSON.stringify(row);
}

/** What the samples of a run come to. @throws Error when there are too few of them */
export function resultOf(minutes: number, samples: readonly SoakSample[]): SoakResult {
  const third = Math.floor(samples.length / 3);
  const [start, early, late, end] = [0, third, samples.length - 1 - third, samples.length - 1].map(
    (n) => samples[n],
  );
  if (!start || !early || !late || !end) throw new Error('The run was too short for thirds.');
  const growth = (from: SoakSample, to: SoakSample) =>
    (to.database_bytes - from.database_bytes) / Math.max(1, to.reconciled - from.reconciled);
  const first = growth(start, early);
  const last = growth(late, end);
  const ratio = Math.round((last / first) * 100) / 100;
  const bounded = Math.round((boundedBytes(end) / boundedBytes(late)) * 100) / 100;
  const tells = late.minutes >= BOUNDED_FROM_MINUTES;
  return {
    minutes,
    disbursements_per_second: Math.round(end.reconciled / (minutes * 60)),
    samples,
    first_third_bytes: Math.round(first),
    last_third_bytes: Math.round(last),
    growth_ratio: ratio,
    bounded_ratio: bounded,
    bounded_tells: tells,
    ok: ratio <= GROWTH_RATIO_MAX && end.removed > 0 && (!tells || bounded <= BOUNDED_RATIO_MAX),
  };
}

const boundedBytes = ({ tables }: SoakSample): number =>
  tables
    .filter(({ table }) => (BOUNDED_TABLES as readonly string[]).includes(table))
    .reduce((sum, { bytes }) => sum + bytes, 0);
