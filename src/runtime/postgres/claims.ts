import type { Queryable, Sql, Tx } from '../../db/connection.ts';
import type { Claim, QueuedClaim } from '../jobs.ts';
import type { Claims } from '../storage.ts';

/** Notes that a process performs jobs. */
export async function claim(
  sql: Sql,
  { queue, claims, process, at }: Parameters<Claims['claim']>[1],
): Promise<void> {
  const rows = claims.map(({ id, delivery }) => ({ id, delivery }));
  await sql`
    insert into actor_claims (job_id, queue, delivery, process, claimed_at)
    select v.id, ${queue}, v.delivery, ${process}, ${at}
    from json_to_recordset(${JSON.stringify(rows)}::json) as v(id text, delivery int)
    on conflict (job_id) do update
    set delivery = excluded.delivery, process = excluded.process, claimed_at = excluded.claimed_at
    -- A process that was slow to note its claim must not hide who has the job by now.
    where actor_claims.delivery <= excluded.delivery`;
}

/** All claims of a process. */
export async function claimsOf(sql: Sql, process: number | null): Promise<readonly QueuedClaim[]> {
  return sql<QueuedClaim[]>`
    select job_id as id, queue, delivery from actor_claims where process = ${process}`;
}

/** Removes claims of a process, unless the jobs were handed out again meanwhile. */
export async function unclaim(
  sql: Queryable,
  claims: readonly Claim[],
  process: number | null,
): Promise<void> {
  await sql`
    delete from actor_claims a using json_to_recordset(${JSON.stringify(claims)}::json) as c(id text, delivery int)
    where a.job_id = c.id and a.delivery = c.delivery and a.process = ${process}`;
}

/** Removes claims of jobs that have ended, whoever made them. */
export async function endClaims(tx: Tx, jobs: readonly string[]): Promise<void> {
  await tx`delete from actor_claims where job_id = any(${jobs as string[]})`;
}

/** Removes and returns all claims of some processes. */
export async function takeClaims(tx: Tx, processes: readonly number[]): Promise<readonly QueuedClaim[]> {
  return tx<QueuedClaim[]>`
    delete from actor_claims where process = any(${processes as number[]})
    returning job_id as id, queue, delivery`;
}
