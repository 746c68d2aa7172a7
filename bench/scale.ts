import { fallPercent, ratioOf } from './support/figures.ts';
import { type RunFigures, runLoad } from './support/scale-run.ts';
import { type Role, type Servers, startScaleWorld, withServers } from './support/scale-world.ts';

/** How processes share the work: all of them do everything, or one answers partners and the others work. */
export type Layout = 'all' | 'split';

/** The parts of the benchmark. */
export const PARTS = ['processes', 'outside', 'growth'] as const;
export type Part = (typeof PARTS)[number];

export interface ScaleOptions {
  readonly parts: readonly Part[];
  readonly layout: Layout;
  /** How many processes, in one world after the other; the first is what the others are compared with. */
  readonly processes: readonly number[];
  /** Disbursements that bring new processes to their pace before anything is measured; 0: none. */
  readonly warmUp: number;
  readonly disbursements: number;
  readonly batchSize: number;
  /** What a bank and a mapper that are slow take for every answer, in milliseconds. */
  readonly outsideMs: number;
  readonly outsideDisbursements: number;
  readonly outsideBatchSize: number;
  /** How many disbursements are stored when the growth is looked at, ascending. */
  readonly sizes: readonly number[];
  /** Disbursements of the run that is the same at every size. */
  readonly probe: number;
}

/** The same run on the largest database may be slower by so much than on the smallest. */
const FALL_MAX_PERCENT = 20;
/** A run of fewer disbursements takes too short a time to be compared with another. */
const FALL_TELLS_FROM = 5_000;

/** Whether the same run has fallen by more than it may, as far as a run of its size can tell. */
export const fallsTooMuch = (fallPercent: number | null, probe: number): boolean =>
  fallPercent !== null && probe >= FALL_TELLS_FROM && fallPercent > FALL_MAX_PERCENT;

/** A run with so many processes, beside the first of its row. */
export interface ProcessesFigures extends RunFigures {
  readonly processes: number;
  readonly roles: readonly Role[];
  /** Throughput, as many times that of the first. */
  readonly times_first: number | null;
  /** Payments per second in the middle of the run, as many times those of the first. */
  readonly paid_times_first: number | null;
  /** CPU of the system and its database for a disbursement, as many times that of the first. */
  readonly cost_times_first: number | null;
}

/** A database that has grown to a size, and the same run on it as on every other size. */
export interface GrowthFigures {
  readonly stored: number;
  /** The run that made it grow. */
  readonly fill: RunFigures;
  readonly probe: RunFigures;
}

export interface ScaleResult {
  readonly layout: Layout;
  readonly processes: readonly ProcessesFigures[];
  readonly slow_outside: readonly ProcessesFigures[];
  readonly growth: readonly GrowthFigures[];
  /** By how much the throughput of the same run falls from the smallest to the largest size, in percent. */
  readonly growth_fall_percent: number | null;
  /** Every disbursement was paid once and reconciled, and throughput falls by no more than it may as the database grows. */
  readonly ok: boolean;
}

/**
 * What more processes on one database bring and cost, with simulators that answer at once and with slow ones, and
 * whether what is stored already slows down what is new. The system's database server is apart from the simulators'.
 *
 * @param onStep told what is being done, in one line
 */
export function benchScale(options: ScaleOptions, onStep: (line: string) => void): Promise<ScaleResult> {
  const has = (part: Part) => options.parts.includes(part);
  return withServers(async (servers) => {
    const fast: ProcessesFigures[] = [];
    const slow: ProcessesFigures[] = [];
    for (const processes of has('processes') || has('outside') ? options.processes : []) {
      onStep(`${processes} process(es)`);
      const runs = await withProcesses(servers, options, processes);
      if (runs.fast) fast.push(besideFirst(runs.fast, fast[0]));
      if (runs.slow) slow.push(besideFirst(runs.slow, slow[0]));
    }
    const growth = has('growth') ? await grown(servers, options, onStep) : [];
    const all = [...fast, ...slow, ...growth.flatMap(({ fill, probe }) => [fill, probe])];
    const fall = growth.length > 1 ? fallPercent(growth.map(probedPerSecond)) : null;
    return {
      layout: options.layout,
      processes: fast,
      slow_outside: slow,
      growth,
      growth_fall_percent: fall,
      ok: all.every(({ differences }) => differences.length === 0) && !fallsTooMuch(fall, options.probe),
    };
  });
}

const probedPerSecond = ({ probe }: GrowthFigures): number => probe.disbursements_per_second;

type Alone = RunFigures & Pick<ProcessesFigures, 'processes' | 'roles'>;

/** The same runs with some number of processes, on a database of their own. */
async function withProcesses(servers: Servers, options: ScaleOptions, processes: number) {
  const { parts, disbursements, outsideDisbursements } = options;
  const roles = rolesOf(options.layout, processes);
  const world = await startScaleWorld(servers, roles, [options.warmUp, disbursements, outsideDisbursements]);
  try {
    const [first, second, third] = world.loads;
    if (!first || !second || !third) throw new Error('A world has all of its loads.');
    const run = async (load: typeof first, batchSize: number): Promise<Alone> => ({
      ...(await runLoad(world, await world.prepare(load, batchSize))),
      processes,
      roles,
    });
    if (options.warmUp > 0) await run(first, Math.ceil(options.warmUp / (4 * processes)));
    const fast = parts.includes('processes') ? await run(second, options.batchSize) : null;
    if (!parts.includes('outside')) return { fast, slow: null };
    await world.delayOutside(options.outsideMs);
    return { fast, slow: await run(third, options.outsideBatchSize) };
  } finally {
    await world.stop();
  }
}

function rolesOf(layout: Layout, processes: number): Role[] {
  if (layout === 'all') return Array.from({ length: processes }, () => 'all');
  return ['api', ...Array.from({ length: processes }, (): Role => 'worker')];
}

function besideFirst(run: Alone, first: Alone = run): ProcessesFigures {
  return {
    ...run,
    times_first: ratioOf(run.disbursements_per_second, first.disbursements_per_second),
    paid_times_first:
      run.paid_per_second === null ? null : ratioOf(run.paid_per_second, first.paid_per_second ?? 0),
    cost_times_first: ratioOf(costOf(run) ?? 0, costOf(first) ?? 0),
  };
}

/** CPU seconds of the system and its database per 1,000 disbursements; null where they cannot be measured. */
export function costOf({ cpu_seconds_per_thousand: cpu }: RunFigures): number | null {
  return cpu && cpu.bridge + cpu.postgres;
}

/** One process whose database grows from size to size; at each the same run is made. */
async function grown(
  servers: Servers,
  { sizes, probe, batchSize, warmUp }: ScaleOptions,
  onStep: (line: string) => void,
): Promise<GrowthFigures[]> {
  const counts = fillsOf(sizes, probe, warmUp);
  const world = await startScaleWorld(servers, ['all'], [warmUp, ...counts.flatMap((fill) => [fill, probe])]);
  const figures: GrowthFigures[] = [];
  try {
    const [first, ...loads] = world.loads;
    if (first && warmUp > 0) await runLoad(world, await world.prepare(first, batchSize));
    for (const [index, stored] of sizes.entries()) {
      const [fill, same] = loads.slice(index * 2, index * 2 + 2);
      if (!fill || !same) throw new Error('A world has all of its loads.');
      onStep(`growing to ${stored.toLocaleString('en')} disbursements`);
      const filled = await runLoad(world, await world.prepare(fill, batchSize));
      await world.database.sql`analyze`;
      figures.push({
        stored,
        fill: filled,
        probe: await runLoad(world, await world.prepare(same, batchSize)),
      });
    }
    return figures;
  } finally {
    await world.stop();
  }
}

/** How many disbursements bring a database to each size, when the same run is made in between. */
export function fillsOf(sizes: readonly number[], probe: number, stored: number): number[] {
  let before = stored;
  return sizes.map((size) => {
    const fill = Math.max(1, size - before);
    before += fill + probe;
    return fill;
  });
}
