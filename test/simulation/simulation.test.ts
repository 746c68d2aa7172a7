import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FOUND } from './found.ts';
import { run } from './run.ts';
import { type Schedule, schedules } from './schedule.ts';

/** `npm run simulate` tries 10,000. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 300);
/** The same seed tries the same schedules; without one they are others each time. */
const SEED = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

/** Runs a schedule; what does not hold is told with everything that happened. */
async function holds(schedule: Schedule): Promise<void> {
  const { violations } = await run(schedule);
  if (violations.length === 0) return;
  const { trace } = await run(schedule, {}, true);
  throw new Error(`${violations.join('\n')}\n\n${trace.join('\n')}\n\n${JSON.stringify(schedule)}`);
}

it(
  `nothing is lost, done twice or left undone in ${SCHEDULES} schedules of faults`,
  async () => {
    await fc.assert(fc.asyncProperty(schedules, holds), {
      numRuns: SCHEDULES,
      ...(SEED === undefined ? {} : { seed: SEED }),
      examples: FOUND.map((schedule): [Schedule] => [schedule]),
    });
  },
  SCHEDULES * 100 + 60_000,
);

it('the same schedule gives the same run', async () => {
  for (const schedule of fc.sample(schedules, 20)) {
    const [one, other] = [await run(schedule, {}, true), await run(schedule, {}, true)];
    expect(other.trace).toEqual(one.trace);
    expect(other.fingerprint).toBe(one.fingerprint);
  }
});
