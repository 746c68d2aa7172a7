import { readdir, readFile, writeFile } from 'node:fs/promises';

/** What `/proc/PID/stat` counts in: USER_HZ, which is 100 on every architecture that Linux has for Node (man 5 proc). */
const TICKS_PER_SECOND = 100;

/** One process, as `/proc/PID/stat` has it (man 5 proc). */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** CPU time of its own, user and system, in ticks. */
  readonly ownTicks: number;
  /** CPU time of its children that have ended and been waited for, in ticks. */
  readonly endedChildrenTicks: number;
}

/**
 * Reads a line of `/proc/PID/stat`. The name of the program, in brackets, may hold anything, brackets and spaces too.
 *
 * @returns null when the text is no such line
 */
export function parseStat(text: string): ProcessStat | null {
  const pid = /^(\d+) \(/.exec(text)?.[1];
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // state, ppid, …; utime, stime, cutime and cstime are fields 14 to 17, counted from 1 at the pid.
  const [parent, ...times] = [fields[1], ...fields.slice(11, 15)].map(Number);
  if (pid === undefined || times.length < 4 || [parent, ...times].some((one) => !Number.isInteger(one)))
    return null;
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = times;
  return {
    pid: Number(pid),
    parent: parent ?? 0,
    ownTicks: user + system,
    endedChildrenTicks: childrenUser + childrenSystem,
  };
}

/** CPU seconds that a process and all of its descendants have used, those that have ended included. */
export function treeCpuSeconds(stats: readonly ProcessStat[], root: number): number {
  const children = Map.groupBy(stats, ({ parent }) => parent);
  const ticksOf = (stat: ProcessStat): number =>
    (children.get(stat.pid) ?? []).reduce(
      (sum, child) => sum + ticksOf(child),
      stat.ownTicks + stat.endedChildrenTicks,
    );
  const stat = stats.find(({ pid }) => pid === root);
  return stat ? ticksOf(stat) / TICKS_PER_SECOND : 0;
}

/** Kinds of processes that a benchmark tells apart, each with the processes at the root of it. */
export type Kinds<K extends string> = Readonly<Record<K, readonly number[]>>;

/** CPU seconds by kind since each process began; null where the system has no `/proc`. */
export async function cpuSeconds<K extends string>(kinds: Kinds<K>): Promise<Record<K, number> | null> {
  const names = await readdir('/proc').catch(() => []);
  const lines = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      // A process may have ended since it was listed.
      .map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')),
  );
  const stats = lines.map(parseStat).filter((stat) => stat !== null);
  if (stats.length === 0) return null;
  const sumOf = (roots: readonly number[]) =>
    roots.reduce((sum, root) => sum + treeCpuSeconds(stats, root), 0);
  return Object.fromEntries(
    Object.entries<readonly number[]>(kinds).map(([kind, roots]) => [kind, sumOf(roots)]),
  ) as Record<K, number>;
}

/** The parent of a process; null where the system has no `/proc`. */
export async function parentOf(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return parseStat(text)?.parent ?? null;
}

/** Lets the peak of a process's memory begin anew, so that it is that of one run; without `/proc` it stays as it is. */
export async function resetPeakMemory(pid: number): Promise<void> {
  // 5 resets VmHWM (man 5 proc, /proc/pid/clear_refs).
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {});
}
