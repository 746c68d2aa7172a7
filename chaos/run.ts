import { setTimeout as delay } from 'node:timers/promises';
import { CliError, EXIT } from '../src/cli/failure.ts';
import { calm, collapsesOf, giveEverythingBack } from './calm.ts';
import { checkAll } from './checks.ts';
import type { Checked, Finished, Violation } from './contract.ts';
import { strike } from './faults/strike.ts';
import type { Struck } from './faults/struck.ts';
import { followFeed } from './feed-follower.ts';
import { INVARIANTS } from './invariants/index.ts';
import { Limits } from './limits.ts';
import { startLoad } from './load/index.ts';
import { proofOf, provesNothing, type Trouble } from './proof.ts';
import type { Report } from './report.ts';
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

/** What the faults have come to. */
interface Tally {
  /** How often each kind has struck. */
  readonly struck: Map<FaultKind, number>;
  /** How often each process was killed. */
  readonly killed: Map<string, number>;
  /** Faults that could not be made to strike, or to end. */
  readonly troubles: Trouble[];
}

const PROGRESS_MS = 15_000;
/** What is left of the time to settle when it is given up: a look at what is left may take so long. */
const LAST_LOOK_MS = 15_000;
/** A fault that is over at once and finds nothing to strike, as a process that is just being started, is tried for so long. */
const STRIKE_WITHIN_MS = 3_000;
const STRIKE_INTERVAL_MS = 250;
const TROUBLES_MAX = 50;

/**
 * Starts a world, loads it, lets the faults of the schedule strike it, and when they are over waits until everything has
 * come to its end and checks what must hold. Ends within five minutes more than faults strike, and a minute for each hour
 * after the first.
 *
 * @param signal ends the run early
 * @throws the reason of `signal`, or what did not start; CliError PHASE_LATE or NOTHING_PROVEN; nothing of the run is left
 *   then but its folder, once this process has ended
 */
export async function runChaos(
  options: RunOptions,
  listener: RunListener,
  signal: AbortSignal,
): Promise<Report> {
  const started = performance.now();
  const limits = new Limits(options.minutes);
  listener.step('Starting PostgreSQL, the simulators and four processes of the bridge.');
  const { faults: kinds, timeline } = options;
  const world = await limits.given('start', signal, (given) =>
    startWorld({ ...options, disk: kinds.includes('disk') }, given),
  );
  try {
    for (const { why } of world.missing) listener.step(why);
    if (provesNothing(kinds, world.missing)) {
      const message = `Nothing was proven: no fault of the kinds asked for (${kinds.join(', ')}) can be had on this machine.`;
      throw new CliError('NOTHING_PROVEN', message, EXIT.refused);
    }
    return {
      ...(await faultsAndChecks(world, options, limits, listener, signal)),
      elapsedMs: performance.now() - started,
    };
  } finally {
    timeline.note('run', 'stop');
    const stopped = giveEverythingBack(world)
      .catch(() => {})
      .then(() => world.stop());
    await limits.within('stop', stopped).catch((error: unknown) => listener.step(String(error)));
  }
}

async function faultsAndChecks(
  world: StrikableWorld,
  { minutes, seed, faults: kinds, folder, timeline }: RunOptions,
  limits: Limits,
  listener: RunListener,
  signal: AbortSignal,
): Promise<Omit<Report, 'elapsedMs'>> {
  const schedule = makeSchedule(seed, minutes, kinds);
  listener.step(`${schedule.length} faults in ${minutes} min, seed ${seed}; logs and timeline in ${folder}.`);
  const load = startLoad(world, { seed });
  const feed = followFeed(world);
  const tally: Tally = { struck: new Map(), killed: new Map(), troubles: [] };
  let began = performance.now();
  const progress = setInterval(() => {
    const { envelopes, disbursements } = load.progress;
    const seconds = Math.round((performance.now() - began) / 1000);
    const struck = `${timeline.count('fault')} faults, ${tally.struck.get('kill') ?? 0} kills`;
    listener.step(
      `${seconds} s: ${struck}; ${envelopes} envelopes, ${disbursements} disbursements submitted.`,
    );
  }, PROGRESS_MS);
  try {
    await limits.within('start', feed.opened, signal);
    began = performance.now();
    timeline.note('run', 'faults begin', { seed, minutes, kinds });
    await limits.within('faults', unfold(world, schedule, began, tally, signal), signal);
    timeline.note('run', 'faults end');
    listener.step('The faults are over; waiting until everything has come to its end.');
    const back = await limits.within('calm', calm(world), signal);
    const submitted = await limits.within('load', load.stop(), signal);
    const settling = settle(world, submitted, limits.leftMs('settle') - LAST_LOOK_MS);
    const unsettled = await limits.within('settle', settling, signal);
    const journal = await limits.within('settle', journalOf(world), signal);
    const record = await limits.within('feed', feed.stop(journal.latestSeq), signal);
    listener.step('Checking what must hold.');
    const run = { world, submitted, feed: record };
    const invariants = await checkAll(INVARIANTS, run, limits, signal);
    const others = grouped([...back, ...collapsesOf(world), ...load.violations, ...unsettled]);
    const told = { seed, minutes, kinds, folder };
    return {
      ...told,
      ...reportOf(world, run, { ...told, schedule, tally, checked: [...invariants, ...others] }),
      transitions: journal.transitions,
    };
  } finally {
    clearInterval(progress);
  }
}

/** Lets every fault strike in its time, and counts them; resolves when all are given back. */
async function unfold(
  world: StrikableWorld,
  schedule: readonly Fault[],
  began: number,
  { struck: counts, killed, troubles }: Tally,
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
        const { struck, details, giveBack } = await strikeSoon(world, fault, signal);
        const told = { ...parameters, ...(forMs > 0 && { for_ms: forMs }), ...details };
        world.timeline.note(struck ? 'fault' : 'missed', `${kind} ${target}`, told);
        if (struck) counts.set(kind, (counts.get(kind) ?? 0) + 1);
        if (struck && kind === 'kill') killed.set(target, (killed.get(target) ?? 0) + 1);
        await until(atMs + forMs);
        if (!giveBack) return;
        await giveBack();
        world.timeline.note('over', `${kind} ${target}`);
      } catch (error) {
        world.timeline.note('trouble', `${kind} ${target}`, { error: String(error) });
        const found = `The fault ${kind} of ${target} could not strike or end: ${String(error)}`;
        if (troubles.length < TROUBLES_MAX) troubles.push({ at: new Date(), found });
      }
    }),
  );
}

/** Strikes, with a fault that is over at once until there is something to strike, for a moment. */
async function strikeSoon(world: StrikableWorld, fault: Fault, signal: AbortSignal): Promise<Struck> {
  const deadline = performance.now() + (fault.forMs === 0 ? STRIKE_WITHIN_MS : 0);
  for (;;) {
    const struck = await strike(world, fault);
    if (struck.struck || signal.aborted || performance.now() >= deadline) return struck;
    await delay(STRIKE_INTERVAL_MS);
  }
}

function reportOf(
  world: StrikableWorld,
  { submitted, feed }: Finished,
  told: {
    readonly kinds: readonly FaultKind[];
    readonly schedule: readonly Fault[];
    readonly tally: Tally;
    readonly checked: readonly Checked[];
  },
): Pick<
  Report,
  'missing' | 'faults' | 'trouble' | 'starts' | 'envelopes' | 'disbursements' | 'feedConnections' | 'checked'
> {
  const { kinds, schedule, tally, checked } = told;
  const byType = Map.groupBy(submitted, ({ program }) => program.benefitType);
  const disbursements = new Map(
    [...byType].map(([type, some]) => [type, some.reduce((sum, one) => sum + one.disbursements.size, 0)]),
  );
  const proof = proofOf({
    ...tally,
    kinds,
    missing: world.missing,
    scheduled: new Set(schedule.map(({ kind }) => kind)),
    starts: new Map([...world.processes].map(([name, { starts }]) => [name, starts])),
    benefitTypes: world.programs.map(({ benefitType }) => benefitType),
    disbursements,
    feedConnections: feed.connections,
  });
  return {
    missing: world.missing,
    faults: Object.fromEntries(kinds.map((kind) => [kind, tally.struck.get(kind) ?? 0])),
    trouble: tally.troubles.length,
    starts: world.timeline.count('start'),
    envelopes: submitted.length,
    disbursements: Object.fromEntries(disbursements),
    feedConnections: feed.connections,
    checked: [...checked, ...proof],
  };
}

/** What is found on the way rather than by a check afterwards, as if a check had found it. */
function grouped(violations: readonly Violation[]): readonly Checked[] {
  const byName = Map.groupBy(violations, ({ invariant }) => invariant);
  return [...byName].map(([name, some]) => ({ name, violations: some }));
}

/** How long the journal is, and its highest number; zeros when it cannot be asked, which the checks find out too. */
async function journalOf(world: StrikableWorld): Promise<{ transitions: number; latestSeq: number }> {
  const { sql, close } = world.openDatabase();
  try {
    const [row] = await sql<{ n: number; latest: string }[]>`
      select count(*)::int as n, coalesce(max(seq), 0) as latest from actor_transitions`;
    return { transitions: row?.n ?? 0, latestSeq: Number(row?.latest ?? 0) };
  } catch {
    return { transitions: 0, latestSeq: 0 };
  } finally {
    await close();
  }
}
