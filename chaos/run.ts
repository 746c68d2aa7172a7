import { setTimeout as delay } from 'node:timers/promises';
import { calm, collapsesOf, giveEverythingBack } from './calm.ts';
import type { FeedRecord, Submitted, Violation } from './contract.ts';
import { strike } from './faults/strike.ts';
import { followFeed } from './feed-follower.ts';
import { INVARIANTS } from './invariants/index.ts';
import { startLoad } from './load/index.ts';
import type { Checked, Report } from './report.ts';
import { type Fault, type FaultKind, makeSchedule } from './schedule.ts';
import { settle } from './settle.ts';
import type { FileTimeline } from './timeline.ts';
import { type StrikableWorld, startWorld } from './world.ts';

export interface RunOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  /** Names the run; letters, digits and hyphens. */
  readonly run: string;
  /** Absolute path; for data, logs and the timeline. */
  readonly folder: string;
  readonly timeline: FileTimeline;
}

/** Told how the run goes. */
export interface RunListener {
  /** What is being done now, in one line. */
  step(line: string): void;
}

/** How often each kind of fault has struck. */
type FaultCounts = Map<FaultKind, number>;

const PROGRESS_MS = 15_000;
/** As long as the backlog of an outage at the very end may take, on a slow machine too. */
const SETTLE_TIMEOUT_MS = 300_000;

/**
 * Starts a world, loads it, lets the faults of the schedule strike it, and when they are over waits until everything has
 * come to its end and checks what must hold.
 *
 * @param signal ends the run early
 * @throws the reason of `signal`, or what did not start; nothing of the run is left then but its folder
 */
export async function runChaos(
  options: RunOptions,
  listener: RunListener,
  signal: AbortSignal,
): Promise<Report> {
  const started = performance.now();
  listener.step('Starting PostgreSQL, the simulators and four processes of the bridge.');
  const { faults: kinds, timeline } = options;
  const world = await startWorld({ ...options, disk: kinds.includes('disk') });
  try {
    for (const sentence of world.missing) listener.step(sentence);
    signal.throwIfAborted();
    return {
      ...(await faultsAndChecks(world, options, listener, signal)),
      elapsedMs: performance.now() - started,
    };
  } finally {
    timeline.note('run', 'stop');
    await giveEverythingBack(world).catch(() => {});
    await world.stop();
  }
}

async function faultsAndChecks(
  world: StrikableWorld,
  { minutes, seed, faults: kinds, folder, timeline }: RunOptions,
  listener: RunListener,
  signal: AbortSignal,
): Promise<Omit<Report, 'elapsedMs'>> {
  const schedule = makeSchedule(seed, minutes, kinds);
  listener.step(`${schedule.length} faults in ${minutes} min, seed ${seed}; logs and timeline in ${folder}.`);
  const load = startLoad(world, { seed });
  const feed = followFeed(world);
  const began = performance.now();
  const counts: FaultCounts = new Map();
  const progress = setInterval(() => {
    const { envelopes, disbursements } = load.progress;
    const seconds = Math.round((performance.now() - began) / 1000);
    const struck = `${timeline.count('fault')} faults, ${counts.get('kill') ?? 0} kills`;
    listener.step(
      `${seconds} s: ${struck}; ${envelopes} envelopes, ${disbursements} disbursements submitted.`,
    );
  }, PROGRESS_MS);
  try {
    timeline.note('run', 'faults begin', { seed, minutes, kinds });
    await unfold(world, schedule, began, counts, signal);
    signal.throwIfAborted();
    timeline.note('run', 'faults end');
    listener.step('The faults are over; waiting until everything has come to its end.');
    const back = await calm(world);
    const submitted = await load.stop();
    signal.throwIfAborted();
    const unsettled = await settle(world, submitted, SETTLE_TIMEOUT_MS);
    const record = await feed.stop();
    signal.throwIfAborted();
    listener.step('Checking what must hold.');
    const others = [...back, ...collapsesOf(world), ...load.violations, ...unsettled];
    return await reportOf(world, { minutes, seed, kinds, folder, submitted, record, counts, others });
  } finally {
    clearInterval(progress);
  }
}

/** Lets every fault strike in its time, and counts them; resolves when all are given back. */
async function unfold(
  world: StrikableWorld,
  schedule: readonly Fault[],
  began: number,
  counts: FaultCounts,
  signal: AbortSignal,
): Promise<void> {
  const until = (atMs: number) =>
    delay(Math.max(0, began + atMs - performance.now()), undefined, { signal }).catch(() => {});
  await Promise.all(
    schedule.map(async (fault) => {
      const { atMs, forMs, kind, target, ...parameters } = fault;
      await until(atMs);
      if (signal.aborted) return;
      try {
        const { struck, details, giveBack } = await strike(world, fault);
        const told = { ...parameters, ...(forMs > 0 && { for_ms: forMs }), ...details };
        world.timeline.note(struck ? 'fault' : 'missed', `${kind} ${target}`, told);
        if (struck) counts.set(kind, (counts.get(kind) ?? 0) + 1);
        await until(atMs + forMs);
        if (!giveBack) return;
        await giveBack();
        world.timeline.note('over', `${kind} ${target}`);
      } catch (error) {
        world.timeline.note('trouble', `${kind} ${target}`, { error: String(error) });
      }
    }),
  );
}

async function reportOf(
  world: StrikableWorld,
  run: {
    readonly minutes: number;
    readonly seed: number;
    readonly kinds: readonly FaultKind[];
    readonly folder: string;
    readonly submitted: readonly Submitted[];
    readonly record: FeedRecord;
    readonly counts: FaultCounts;
    readonly others: readonly Violation[];
  },
): Promise<Omit<Report, 'elapsedMs'>> {
  const { minutes, seed, kinds, folder, submitted, record, counts, others } = run;
  const checked: Checked[] = [];
  for (const { name, check } of INVARIANTS) {
    checked.push({ name, violations: await check({ world, submitted, feed: record }) });
  }
  const byType = Map.groupBy(submitted, ({ program }) => program.benefitType);
  return {
    seed,
    minutes,
    kinds,
    folder,
    missing: world.missing,
    faults: Object.fromEntries(kinds.map((kind) => [kind, counts.get(kind) ?? 0])),
    trouble: world.timeline.count('trouble'),
    starts: world.timeline.count('start'),
    envelopes: submitted.length,
    disbursements: Object.fromEntries(
      [...byType].map(([type, some]) => [type, some.reduce((sum, one) => sum + one.disbursements.size, 0)]),
    ),
    transitions: await transitionsOf(world),
    feedConnections: record.connections,
    checked: [...checked, ...grouped(others)],
  };
}

/** What is found on the way rather than by a check afterwards, as if a check had found it. */
function grouped(violations: readonly Violation[]): readonly Checked[] {
  const byName = Map.groupBy(violations, ({ invariant }) => invariant);
  return [...byName].map(([name, some]) => ({ name, violations: some }));
}

async function transitionsOf(world: StrikableWorld): Promise<number> {
  const { sql, close } = world.openDatabase();
  try {
    const [row] = await sql<{ n: number }[]>`select count(*)::int as n from actor_transitions`;
    return row?.n ?? 0;
  } finally {
    await close();
  }
}
