import type { Database } from '../db/connection.ts';
import type { Clock } from './clock.ts';
import { realTiming, type Timing } from './timing.ts';

/** How often is looked whether the database should be asked again. */
const LOOK_MS = 1_000;
/** Every so many looks it is: a machine's time drifts. */
const LOOKS_MAX = 10;
/**
 * It is at the next look when the machine's clock and the time that has passed have come apart by more than this since it
 * was asked: the machine has slept, and what has passed stood still, or somebody has set the clock.
 */
const APART_MS = 1_000;
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
 * passed, which no clock that is set changes. After the machine has slept it is behind until the database has answered.
 *
 * @param onTrouble told when the database does not answer a later question; it is asked again
 * @throws what the database throws at the first question
 */
export async function openDatabaseClock(
  { sql }: Pick<Database, 'sql'>,
  onTrouble: (error: unknown) => void,
  { elapsedMs, wallMs }: Pick<Timing, 'elapsedMs' | 'wallMs'> = realTiming,
): Promise<DatabaseClock> {
  const ask = async () => {
    const before = elapsedMs();
    // Before the question: the machine may sleep until it is answered.
    const wallAheadMs = wallMs() - before;
    const [row] = await sql<{ ms: string }[]>`select extract(epoch from clock_timestamp()) * 1000 as ms`;
    const after = elapsedMs();
    return {
      aheadMs: Number(row?.ms) - (before + after) / 2,
      wallAheadMs,
      isExact: after - before < ANSWERED_WITHIN_MS,
    };
  };
  let answer = await ask();
  for (let asked = 1; !answer.isExact && asked < ASKED_FIRST_MAX; asked += 1) answer = await ask();
  let looks = 0;
  let isAsking = false;
  const timer = setInterval(async () => {
    looks += 1;
    const isApart = Math.abs(wallMs() - elapsedMs() - answer.wallAheadMs) > APART_MS;
    // One question at a time: the database may be away, and each waits for it.
    if (isAsking || (looks < LOOKS_MAX && !isApart)) return;
    looks = 0;
    isAsking = true;
    try {
      const next = await ask();
      if (next.isExact) answer = next;
    } catch (error) {
      onTrouble(error);
    } finally {
      isAsking = false;
    }
  }, LOOK_MS).unref();
  return {
    now: () => new Date(Math.floor(elapsedMs() + answer.aheadMs)),
    close: () => clearInterval(timer),
  };
}
