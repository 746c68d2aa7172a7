import { PROCESS_LOCK } from '../../src/runtime/processes.ts';
import { jobsLeft, mailLeft } from '../what-is-left.ts';
import { invariant } from './with-database.ts';

/** A job that nobody waits for would be done for nothing, one that is active for ever hides that nobody does it. */
export const nothingInQueues = invariant(
  'No job, claim or message is left, and no actor is parked.',
  async function* (sql) {
    yield* await jobsLeft(sql);
    yield* await mailLeft(sql);
  },
);

/** A process that is gone holds no lock; the living must have noticed. */
export const processesLive = invariant('Every process that is listed lives.', async function* (sql) {
  const dead = await sql<{ number: number; role: string; pid: number; at: Date }[]>`
    select number, role, pid, coalesce(reported_at, started_at) as at from actor_processes p
    where not exists (
      select from pg_locks l
      where l.locktype = 'advisory' and l.classid = ${PROCESS_LOCK} and l.objid = p.number and l.objsubid = 2
        and l.database = (select oid from pg_database where datname = current_database()))`;
  for (const { number, role, pid, at } of dead) {
    yield { found: `Process ${number} (${role}, pid ${pid}) holds no lock and is listed.`, at };
  }
});
