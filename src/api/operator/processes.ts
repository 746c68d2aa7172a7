import type { Queryable } from '../../db/connection.ts';
import { PROCESS_LOCK } from '../../runtime/processes.ts';
import { type Operations, processReport } from './wire/operations.ts';

export type ProcessOnWire = Operations['processes'][number];

interface ProcessRow extends Omit<ProcessOnWire, 'started_at' | 'reported_at'> {
  readonly started_at: Date;
  readonly reported_at: Date | null;
}

/** The processes that run the system, or ran until a moment ago, with what they last said of themselves. */
export async function processesOf(sql: Queryable): Promise<ProcessOnWire[]> {
  const rows = await sql<ProcessRow[]>`
    select p.number, p.role, p.host, p.pid, p.started_at, p.report, p.reported_at, exists (
      select from pg_locks l
      where l.locktype = 'advisory' and l.classid = ${PROCESS_LOCK} and l.objid = p.number and l.objsubid = 2
        and l.granted and l.database = (select oid from pg_database where datname = current_database())
    ) as alive
    from actor_processes p order by p.number limit 1000`;
  return rows.map(({ started_at: startedAt, reported_at: reportedAt, report, ...row }) => ({
    ...row,
    started_at: startedAt.toISOString(),
    reported_at: reportedAt?.toISOString() ?? null,
    // Another version may say other things.
    report: processReport.safeParse(report).data ?? null,
  }));
}

/** Whether a process does work, and not only answers. */
export const works = ({ alive, role }: ProcessOnWire): boolean => alive && role !== 'api';
