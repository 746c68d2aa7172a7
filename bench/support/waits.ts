import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from '../../src/db/connection.ts';
import { rounded } from './figures.ts';

const SAMPLE_EVERY_MS = 50;
const SHOWN_MAX = 5;
/** Sessions of a benchmark itself are connected with this name, and left out. */
export const BENCH_APPLICATION = 'bench';

/** What the sessions of the system were doing, from samples of `pg_stat_activity`. */
export interface Waits {
  readonly samples: number;
  readonly connections_max: number;
  /** Sessions on average that ran a statement and waited for nothing: they had a processor or waited for one. */
  readonly running: number;
  /** Sessions on average in an open transaction that waited for their client. */
  readonly idle_in_transaction: number;
  /** Sessions on average that waited for a lock that another session held (wait event type `Lock`). */
  readonly lock: number;
  /** Sessions on average that waited for a lock inside the server (`LWLock`), the log's among them. */
  readonly lwlock: number;
  /** The most frequent wait events of running statements, each with the sessions on average that waited for it. */
  readonly top: readonly { readonly event: string; readonly sessions: number }[];
}

/** One state of sessions in one sample. */
export interface WaitSample {
  readonly state: string | null;
  readonly type: string | null;
  readonly event: string | null;
  readonly sessions: number;
}

/**
 * Samples what the sessions of a database wait for until it is told to stop; telling it again does nothing more.
 *
 * @param sql of another database of the server, so that the questions are not counted with what they are about
 */
export function watchWaits(sql: Sql, database: string): { stop(): Promise<Waits> } {
  const stopping = new AbortController();
  const samples: WaitSample[][] = [];
  const sampling = (async () => {
    while (!stopping.signal.aborted) {
      samples.push(await sample(sql, database));
      await delay(SAMPLE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await sampling;
      return waitsOf(samples);
    },
  };
}

function sample(sql: Sql, database: string): Promise<WaitSample[]> {
  return sql<WaitSample[]>`
    select state, wait_event_type as type, wait_event as event, count(*)::int as sessions
    from pg_stat_activity
    where datname = ${database} and backend_type = 'client backend' and application_name <> ${BENCH_APPLICATION}
    group by 1, 2, 3`;
}

/** Averages of samples. */
export function waitsOf(samples: readonly (readonly WaitSample[])[]): Waits {
  const all = samples.flat();
  const mean = (which: (one: WaitSample) => boolean) =>
    rounded(
      all.filter(which).reduce((sum, { sessions }) => sum + sessions, 0) / Math.max(1, samples.length),
      2,
    );
  const active = all.filter(({ state, type }) => state === 'active' && type !== null);
  const events = new Set(active.map(({ type, event }) => `${type}:${event}`));
  const top = [...events]
    .map((name) => ({
      event: name,
      sessions: mean(({ state, type, event }) => state === 'active' && `${type}:${event}` === name),
    }))
    .toSorted((a, b) => b.sessions - a.sessions)
    .slice(0, SHOWN_MAX);
  return {
    samples: samples.length,
    connections_max: Math.max(
      0,
      ...samples.map((rows) => rows.reduce((sum, { sessions }) => sum + sessions, 0)),
    ),
    running: mean(({ state, type }) => state === 'active' && type === null),
    idle_in_transaction: mean(({ state }) => state?.startsWith('idle in transaction') === true),
    lock: mean(({ state, type }) => state === 'active' && type === 'Lock'),
    lwlock: mean(({ state, type }) => state === 'active' && type === 'LWLock'),
    top,
  };
}
