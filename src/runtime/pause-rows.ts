import type { Queryable, Tx } from '../db/connection.ts';
import { codeOf, PausedError } from './errors.ts';
import type { Who } from './who.ts';

/** Tells every process that something was paused or resumed. */
export const PAUSE_CHANNEL = 'actor_pauses';

/** First part of the keys of the locks on pauses, one for each stage. */
const PAUSES = 7_240_944;
/** How long somebody who pauses waits for those who were told just now that nothing is paused, in milliseconds. */
export const PAUSE_WAIT_MS = 500;
/** How long somebody who resumes waits for those who were told that it is paused, in milliseconds. */
export const RESUME_WAIT_MS = 30_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** A stage that does no work until somebody resumes it. */
export interface Pause {
  readonly since: Date;
  readonly by: string;
  readonly reason: string;
}

/** All pauses there are, by the name of their stage. */
export async function readPauses(sql: Queryable): Promise<ReadonlyMap<string, Pause>> {
  const rows = await sql<{ stage: string; paused_at: Date; by: string; reason: string }[]>`
    select stage, paused_at, by, reason from actor_pauses`;
  return new Map(rows.map(({ stage, paused_at: since, by, reason }) => [stage, { since, by, reason }]));
}

/** Which of some stages are paused. */
export async function pausedAmong(sql: Queryable, stages: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql<{ stage: string }[]>`
    select stage from actor_pauses where stage = any(${stages as string[]})`;
  return new Set(rows.map(({ stage }) => stage));
}

/**
 * Which of some stages are paused, and keeps it so until the transaction ends: who pauses or resumes one of them waits.
 * To be asked late in the transaction. The locks are taken by a statement of their own: one that also looked would look
 * at what there was before it waited.
 */
export async function heldPauses(tx: Tx, stages: readonly string[]): Promise<ReadonlySet<string>> {
  await tx`
    select pg_advisory_xact_lock_shared(${PAUSES}, key)
    from (select distinct hashtext(name) as key from unnest(${stages as string[]}::text[]) name order by key) keys`;
  return pausedAmong(tx, stages);
}

/**
 * Waits until every transaction has ended that was told how the stage stands ({@link heldPauses}); those who ask later
 * wait until this transaction has ended. Somebody who hangs in the middle of his must not hold up an emergency stop, so
 * after half a second it goes on without him; therefore what must not begin at all is asked for once more after its commit.
 * A resumption waits longer: what is withheld and not stored yet would be overlooked by the sweep that follows.
 *
 * @param waitMs after which it goes on without those who hang
 */
export async function lockPause(tx: Tx, stage: string, waitMs: number): Promise<void> {
  await tx`savepoint locking`;
  try {
    await tx`select set_config('lock_timeout', ${`${waitMs}ms`}, true)`;
    await tx`select pg_advisory_xact_lock(${PAUSES}, hashtext(${stage}))`;
  } catch (error) {
    if (codeOf(error, '') !== LOCK_NOT_AVAILABLE) throw error;
    await tx`rollback to savepoint locking`;
  }
}

/** Stores a pause. @returns false when the stage is paused already; that pause stays as it is */
export async function storePause(tx: Tx, stage: string, at: Date, { by, reason }: Who): Promise<boolean> {
  const { count } = await tx`
    insert into actor_pauses (stage, paused_at, by, reason) values (${stage}, ${at}, ${by}, ${reason})
    on conflict (stage) do nothing`;
  return count > 0;
}

/** Removes a pause. @returns false when there is none */
export async function deletePause(tx: Tx, stage: string): Promise<boolean> {
  const { count } = await tx`delete from actor_pauses where stage = ${stage}`;
  return count > 0;
}

/** Tells every process, by the commit, that a stage was paused or resumed. */
export async function announcePause(tx: Tx, stage: string): Promise<void> {
  await tx`select pg_notify(${PAUSE_CHANNEL}, ${stage})`;
}

/** @throws PausedError when the stage is paused */
export async function requireRunning(
  storage: { pausedAmong(sql: Queryable, stages: readonly string[]): Promise<ReadonlySet<string>> },
  sql: Queryable,
  stage: string,
): Promise<void> {
  if ((await storage.pausedAmong(sql, [stage])).size > 0) throw new PausedError(stage);
}
