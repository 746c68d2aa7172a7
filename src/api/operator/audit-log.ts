import type { Queryable } from '../../db/connection.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Operator } from './wire/common.ts';

/** What operators can do; and what is done to their tokens. */
export type ActionName =
  | 'retry'
  | 'release'
  | 'dispatch'
  | 'cancel'
  | 'tick'
  | 'pause'
  | 'resume'
  | 'upload'
  | 'token_created'
  | 'token_revoked';

/** Something that an operator does, or wants to. */
export interface OperatorAction {
  readonly operator: Operator;
  readonly action: ActionName;
  /** What it is done to, as the request named it. */
  readonly target: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

/** Records that did it, and records that could not. */
export interface Outcome {
  readonly accepted: number;
  readonly refused: number;
}

export const NOTHING_YET: Outcome = { accepted: 0, refused: 0 };

/** The problem of an action that is announced and not at its end: it goes on, or its process has died. */
export const UNFINISHED = 'UNFINISHED';

/**
 * Writes an action into the audit log: in the transaction that does it, so that neither is there without the other.
 *
 * @param problem the code with which the whole of it is refused; null when it is done
 * @returns the number of the entry, for {@link addToAction}
 */
export async function recordAction(
  sql: Queryable,
  clock: Clock,
  { operator, action, target, reason }: OperatorAction,
  { accepted, refused }: Outcome,
  problem: string | null = null,
): Promise<number> {
  const rows = await sql<{ id: string }[]>`
    insert into operator_actions
      (at, operator_id, operator_name, role, action, target, reason, accepted, refused, problem)
    values (${clock.now()}, ${operator.id}, ${operator.name}, ${operator.role}, ${action},
      ${JSON.stringify(target)}::text::jsonb, ${reason}, ${accepted}, ${refused}, ${problem})
    returning id`;
  return Number(rows[0]?.id);
}

/** Adds what a further transaction of the same action did, within that transaction. */
export async function addToAction(sql: Queryable, id: number, { accepted, refused }: Outcome): Promise<void> {
  await sql`
    update operator_actions set accepted = accepted + ${accepted}, refused = refused + ${refused}
    where id = ${id}`;
}

/** Says of an action that was announced as {@link UNFINISHED} what came of it. */
export async function finishAction(
  sql: Queryable,
  id: number,
  { accepted, refused }: Outcome,
): Promise<void> {
  await sql`
    update operator_actions set accepted = ${accepted}, refused = ${refused}, problem = null where id = ${id}`;
}

/** Says of an action that was announced why nothing came of it. */
export async function failAction(sql: Queryable, id: number, problem: string): Promise<void> {
  await sql`update operator_actions set problem = ${problem} where id = ${id}`;
}
