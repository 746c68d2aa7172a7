import { fallsTooMuch, type GrowthFigures, type ProcessesFigures, type ScaleResult } from './scale.ts';
import type { RunFigures } from './support/scale-run.ts';

const NOT_MEASURED = 'not measured';

const whole = (value: number): string => value.toLocaleString('en');
const column = (value: string, width: number): string => value.padStart(width);
const memory = (values: readonly (number | null)[]): string =>
  values.map((value) => (value === null ? NOT_MEASURED : String(value))).join(' + ');

/** The lines that people read. */
export function scaleLines(result: ScaleResult): string[] {
  const layout =
    result.layout === 'all'
      ? 'processes that do everything, requests spread over all of them'
      : 'one process that answers partners, and so many workers';
  return [
    ...section(`Bank and mapper that answer at once; ${layout}:`, result.processes.flatMap(processLines)),
    ...section('Bank and mapper that are slow; more processes wait for more answers at once:', [
      ...result.slow_outside.flatMap(processLines),
    ]),
    ...section('The same run on a database that grows, one process:', [
      ...growthLines(result.growth),
      ...(result.growth_fall_percent === null
        ? []
        : [
            `  throughput of the same run falls by ${result.growth_fall_percent} % from the smallest to the largest size`,
          ]),
    ]),
    result.ok ? 'OK: every disbursement paid once and reconciled' : `NOT OK: ${problems(result).join('; ')}`,
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines, ''];

const problems = ({
  processes,
  slow_outside: slow,
  growth,
  growth_fall_percent: fall,
}: ScaleResult): string[] => [
  ...[...processes, ...slow, ...growth.flatMap(({ fill, probe }) => [fill, probe])].flatMap(
    ({ differences }) => differences,
  ),
  ...(fallsTooMuch(fall, growth[0]?.probe.disbursements ?? 0)
    ? [`throughput falls by ${fall} % as the database grows, which is too much`]
    : []),
];

function processLines(run: ProcessesFigures): string[] {
  const paid =
    run.paid_per_second === null ? '' : `, paid ${whole(run.paid_per_second)} per second in the middle`;
  const times = [
    `${run.times_first ?? '?'} times the first`,
    ...(run.paid_times_first === null ? [] : [`${run.paid_times_first} in the middle`]),
  ].join(', ');
  return [
    `  ${column(String(run.processes), 2)} process(es): ${whole(run.disbursements)} in ` +
      `${(run.elapsed_ms / 1000).toFixed(1)} s, ${whole(run.disbursements_per_second)} per second${paid} (${times})`,
    ...costLines(run, run.cost_times_first),
  ];
}

function costLines(run: RunFigures, timesFirst: number | null): string[] {
  const { cpu_seconds_per_thousand: cpu, waits } = run;
  const compared = timesFirst === null ? '' : `; bridge and postgres: ${timesFirst} times the first`;
  const top = waits.top.map(({ event, sessions }) => `${event} ${sessions}`).join(', ') || 'none';
  return [
    cpu
      ? `     CPU s per 1,000: bridge ${cpu.bridge}, postgres ${cpu.postgres}, simulators ${cpu.outside}, ` +
        `submitter ${cpu.submitter} (${run.cores_busy} cores busy${compared})`
      : `     CPU ${NOT_MEASURED}`,
    `     sessions on average: running ${waits.running}, waiting for a lock of another ${waits.lock}, inside the ` +
      `server ${waits.lwlock}, idle in transaction ${waits.idle_in_transaction}; most frequent: ${top}`,
    `     deadlocks ${run.deadlocks}, rollbacks ${run.rollbacks}, connections ${waits.connections_max}, ` +
      `memory ${memory(run.peak_memory_mb)} MB`,
    `     per 1,000: commits ${whole(run.commits_per_thousand)}, log syncs ${whole(run.wal_syncs_per_thousand)}; ` +
      `each: log ${whole(run.wal_bytes_per_disbursement)} bytes, stored ${whole(run.stored_bytes_per_disbursement)} bytes`,
    `     COPY of the same rows: ${(run.copy_ms / 1000).toFixed(1)} s (the run takes ${run.times_copy ?? '?'} times as long)`,
  ];
}

function growthLines(growth: readonly GrowthFigures[]): string[] {
  return growth.flatMap(({ stored, fill, probe }) => [
    `  ${whole(stored)} stored: ${whole(probe.disbursements)} more at ${whole(probe.disbursements_per_second)} per second ` +
      `(the ${whole(fill.disbursements)} that made it grow: ${whole(fill.disbursements_per_second)}), ` +
      `memory ${memory(probe.peak_memory_mb)} MB (${memory(fill.peak_memory_mb)})`,
    ...costLines(probe, null),
  ]);
}

/** The constants of `docs/scaling.md`, as its table has them: from the first run with processes, or the last of the growth. */
export function scaleMarkdown(result: ScaleResult): string[] {
  const run = result.processes[0] ?? result.growth.at(-1)?.probe;
  if (!run) return [];
  const { cpu_seconds_per_thousand: cpu } = run;
  const rows: [symbol: string, what: string, name: string, value: string][] = [
    ['R', 'disbursements per second, one process', 'throughput', whole(run.disbursements_per_second)],
    ['Cb', 'CPU s of the bridge per 1,000', 'cpu-bridge', String(cpu?.bridge ?? NOT_MEASURED)],
    ['Cp', 'CPU s of PostgreSQL per 1,000', 'cpu-postgres', String(cpu?.postgres ?? NOT_MEASURED)],
    [
      'N',
      'connections of one process',
      'connections',
      String(Math.ceil(run.waits.connections_max / run.peak_memory_mb.length)),
    ],
    ['M', 'MB of one process at most', 'memory', memory(run.peak_memory_mb.slice(0, 1))],
    ['S', 'bytes stored per disbursement', 'stored', whole(run.stored_bytes_per_disbursement)],
    ['W', 'bytes of log per disbursement', 'log', whole(run.wal_bytes_per_disbursement)],
    ['F', 'syncs of the log per 1,000', 'syncs', whole(run.wal_syncs_per_thousand)],
    ...(result.growth_fall_percent === null
      ? []
      : [growthRow(result.growth_fall_percent, result.growth.at(-1)?.stored ?? 0)]),
  ];
  return [
    '| | constant | value |',
    '| --- | --- | --- |',
    ...rows.map(
      ([symbol, what, name, value]) => `| ${symbol} | ${what} | ${value} <!-- measured: ${name} --> |`,
    ),
  ];
}

const growthRow = (fall: number, stored: number): [string, string, string, string] => [
  'G',
  `percent slower with ${whole(stored)} stored`,
  'growth',
  String(fall),
];
