import type { Checked, Timeline, TimelineEntry } from './contract.ts';
import type { Missing } from './proof.ts';
import type { FaultKind } from './schedule.ts';

/** What a run has come to. */
export interface Report {
  readonly seed: number;
  readonly minutes: number;
  readonly kinds: readonly FaultKind[];
  /** Where data, logs and the timeline are, or were. */
  readonly folder: string;
  /** Faults that were asked for and cannot be had on this machine. */
  readonly missing: readonly Missing[];
  /** How often each kind has struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** Faults that could not be made to strike, or to end. */
  readonly trouble: number;
  /** How often a process was started. */
  readonly starts: number;
  readonly envelopes: number;
  /** By benefit type. */
  readonly disbursements: Readonly<Record<string, number>>;
  readonly transitions: number;
  readonly feedConnections: number;
  readonly checked: readonly Checked[];
  readonly elapsedMs: number;
}

/** Violations shown of one invariant. */
const SHOWN_MAX = 10;
const AROUND_MS = { before: 20_000, after: 5_000 };
const ENTRIES_MAX = 120;
/** What happens all the time and would hide the rest; the file has it. */
const ROUTINE = new Set(['submitted', 'repeated', 'refused']);

const NAMES: Readonly<Record<FaultKind, string>> = {
  kill: 'processes killed',
  stop: 'processes stopped for a while',
  postgres: 'PostgreSQL crashes',
  disconnect: 'connections cut',
  refuse: 'connections refused for a while',
  stall: 'connections stalled for a while',
  outside: 'times that the outside misbehaved',
  clock: 'clock jumps',
  disk: "times that the journal's disk was full",
};

/** Whether everything was proven that can be on this machine. */
export const holds = ({ checked }: Report): boolean =>
  checked.length > 0 && checked.every(({ violations }) => violations.length === 0);

/** The command that runs the same schedule again. */
export const commandOf = ({ seed, minutes, kinds }: Pick<Report, 'seed' | 'minutes' | 'kinds'>): string =>
  `npm run chaos -- --minutes ${minutes} --seed ${seed} --faults ${kinds.join(',')}`;

/** The report for people. */
export function reportLines(report: Report): string[] {
  const number = (value: number) => value.toLocaleString('en').padStart(10);
  const all = Object.values(report.disbursements).reduce((sum, count) => sum + count, 0);
  return [
    '',
    ...report.kinds
      .filter((kind) => !report.missing.some((one) => one.kind === kind))
      .map((kind) => `${number(report.faults[kind] ?? 0)}  ${NAMES[kind]}`),
    ...report.missing.map(({ why }) => `         -  ${why}`),
    ...(report.trouble > 0 ? [`${number(report.trouble)}  faults that did not work as planned`] : []),
    `${number(report.starts)}  starts of processes`,
    '',
    `${number(report.envelopes)}  envelopes`,
    `${number(all)}  disbursements`,
    ...Object.entries(report.disbursements).map(([type, count]) => `${number(count)}    ${type}`),
    `${number(report.transitions)}  transitions`,
    `${number(report.feedConnections)}  connections of the feed's client`,
    '',
    ...report.checked.flatMap(({ name, violations }) => [
      `${violations.length === 0 ? 'OK       ' : 'VIOLATED '} ${name}`,
      ...violations
        .slice(0, SHOWN_MAX)
        .map(({ found, at }) => `            ${found}${at ? ` (${at.toISOString()})` : ''}`),
      ...(violations.length > SHOWN_MAX ? [`            … ${violations.length} in all`] : []),
    ]),
    '',
    ...report.missing.map(({ kind }) => `Nothing was proven about ${kind}.`),
    `${holds(report) ? 'OK' : 'NOT OK'}: seed ${report.seed}, ${Math.round(report.elapsedMs / 1000)} s`,
  ];
}

/** How to repeat a run that has not held or not ended, and where everything of it is. */
export const againLines = (run: Pick<Report, 'seed' | 'minutes' | 'kinds' | 'folder'>): string[] => [
  `Again:    ${commandOf(run)}`,
  `Kept:     ${run.folder} (logs/, timeline.jsonl, postgres/)`,
];

/** What helps to find the cause: what happened around the first violation. */
export async function failureLines(report: Report, timeline: Timeline): Promise<string[]> {
  const violations = report.checked.flatMap((one) => one.violations);
  const dated = violations.flatMap(({ at, found }) => (at ? [{ at, found }] : []));
  const first = dated.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
  if (!first) return [];
  const entries = await timeline.around(first.at, AROUND_MS.before, AROUND_MS.after).catch(() => null);
  if (entries === null) return ['The timeline cannot be read.'];
  const near = entries.filter(({ kind }) => !ROUTINE.has(kind)).slice(-ENTRIES_MAX);
  return [`Timeline around ${first.at.toISOString()} (${first.found}):`, ...near.map(entryLine)];
}

function entryLine({ at, kind, about, details }: TimelineEntry): string {
  const more = Object.entries(details).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `  ${at.toISOString().slice(11, 23)}  ${kind.padEnd(9)} ${about.padEnd(20)} ${more.join(' ')}`;
}
