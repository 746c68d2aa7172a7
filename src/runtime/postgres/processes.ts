import { hostname } from 'node:os';
import type { Queryable, Sql, Tx } from '../../db/connection.ts';
import { RuntimeError } from '../errors.ts';
import type { Session } from '../session.ts';

/** Advisory locks (this number, process number) tell who lives: a lock goes with the connection that holds it. */
export const PROCESS_LOCK = 7_240_942;

/** Enters this process in the list, and takes its lock. */
export async function register({ sql }: Session, role: string, startedAt: Date): Promise<number> {
  await sql`begin`;
  const [row] = await sql<{ number: number }[]>`
    insert into actor_processes (role, host, pid, started_at)
    values (${role}, ${hostname()}, ${process.pid}, ${startedAt})
    returning number`;
  if (!row) throw new RuntimeError('NO_NUMBER', 'The list of processes gave this one no number.');
  // Locked before the row can be seen, so that nobody takes a newcomer for dead.
  await sql`select pg_advisory_lock(${PROCESS_LOCK}, ${row.number})`;
  await sql`commit`;
  return row.number;
}

/** Numbers of those that are in the list or have claims, and do not live. */
export async function deadProcesses(sql: Sql): Promise<number[]> {
  const rows = await sql<{ number: number }[]>`
    select number from (
      select number from actor_processes union select process from actor_claims
    ) p
    where not exists (
      select from pg_locks l
      where l.locktype = 'advisory' and l.classid = ${PROCESS_LOCK} and l.objid = p.number and l.objsubid = 2
        and l.database = (select oid from pg_database where datname = current_database())
    )`;
  return rows.map(({ number }) => number);
}

/** @returns how many were in the list */
export async function removeProcesses(sql: Queryable, numbers: readonly number[]): Promise<number> {
  const { count } = await sql`delete from actor_processes where number = any(${numbers as number[]})`;
  return count;
}

/** A process has got a new number: what was noted under the old one is its. */
export async function renumberProcess(tx: Tx, before: number | null, now: number | null): Promise<void> {
  await tx`update actor_claims set process = ${now} where process = ${before}`;
  await tx`
    update actor_processes p set report = b.report, reported_at = b.reported_at
    from actor_processes b where p.number = ${now} and b.number = ${before}`;
  await tx`delete from actor_processes where number = ${before}`;
}

/** Keeps what a process says of itself. */
export async function report(sql: Sql, process: number, text: string, at: Date): Promise<void> {
  await sql`
    update actor_processes set report = ${text}::text::jsonb, reported_at = ${at} where number = ${process}`;
}
