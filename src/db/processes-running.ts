import { setTimeout as delay } from 'node:timers/promises';
import type { Queryable } from './connection.ts';

/** What every process that runs the system, of whatever version, calls the session by which it is known to live. */
const SESSION_OF_PROCESSES = 'actor process';
const LOOK_MS = 100;
/** A process that was just told to stop, or killed, is gone by then, in milliseconds. */
export const PROCESSES_END_WITHIN_MS = 5_000;

/**
 * Waits until no process works on the database.
 *
 * @param withinMs how long to wait
 * @returns how many still do after that time
 */
export async function processesRunning(sql: Queryable, withinMs: number): Promise<number> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    // A transaction sees the same activity for as long as it goes on, unless it asks anew.
    await sql`select pg_stat_clear_snapshot()`;
    const [row] = await sql<{ n: number }[]>`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and application_name = ${SESSION_OF_PROCESSES}`;
    const running = row?.n ?? 0;
    if (running === 0 || performance.now() > deadline) return running;
    await delay(LOOK_MS);
  }
}
