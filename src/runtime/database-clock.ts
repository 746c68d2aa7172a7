import type { Database } from '../db/connection.ts';
import type { Clock } from './clock.ts';

/** How often the database is asked again: a machine's time drifts, and stands still while the machine sleeps. */
const EVERY_MS = 10_000;
/** An answer that takes longer says too little: nobody knows when on its way the time was read. */
const ANSWERED_WITHIN_MS = 500;
/** How often the first question is asked for such an answer, before any is taken. */
const ASKED_FIRST_MAX = 5;

/** A clock that asks for the time now and then, until it is closed. */
export interface DatabaseClock extends Clock {
  close(): void;
}

/**
 * The time of the database, which all processes share. What one of them postpones for a second is due in a second for all
 * of them, whatever the clocks of their machines say, and however they are set: in between it goes by the time that has
 * passed, which no clock that is set changes.
 *
 * @param onTrouble told when the database does not answer a later question; it is asked again
 * @param elapsedMs milliseconds since some moment; never goes back
 * @throws what the database throws at the first question
 */
export async function openDatabaseClock(
  { sql }: Pick<Database, 'sql'>,
  onTrouble: (error: unknown) => void,
  elapsedMs: () => number = () => performance.now(),
): Promise<DatabaseClock> {
  const ask = async () => {
    const before = elapsedMs();
    const [row] = await sql<{ ms: string }[]>`select extract(epoch from clock_timestamp()) * 1000 as ms`;
    const after = elapsedMs();
    return { aheadMs: Number(row?.ms) - (before + after) / 2, isExact: after - before < ANSWERED_WITHIN_MS };
  };
  let answer = await ask();
  for (let asked = 1; !answer.isExact && asked < ASKED_FIRST_MAX; asked += 1) answer = await ask();
  let { aheadMs } = answer;
  let isAsking = false;
  const timer = setInterval(async () => {
    // One question at a time: the database may be away, and each waits for it.
    if (isAsking) return;
    isAsking = true;
    try {
      const next = await ask();
      if (next.isExact) aheadMs = next.aheadMs;
    } catch (error) {
      onTrouble(error);
    } finally {
      isAsking = false;
    }
  }, EVERY_MS).unref();
  return {
    now: () => new Date(Math.floor(elapsedMs() + aheadMs)),
    close: () => clearInterval(timer),
  };
}
