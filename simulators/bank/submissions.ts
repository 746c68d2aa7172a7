import { hash } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import type { Answer } from '../shared/routes.ts';
import { failure } from '../shared/server.ts';

/** One request that must not act twice: its `Idempotency-Key` and the hash of its body. */
export interface Submission {
  key: string;
  bodyHash: string;
}

/** The ledger rows of one account that a submission wrote. Nobody else writes to the account meanwhile. */
export interface BookedRange {
  account_number: string;
  from_id: string;
  through_id: string;
}

/** What acting on a request came to. */
export interface Outcome {
  accepted: boolean;
  answer: Answer;
  booked: readonly BookedRange[];
}

/** What the bank knows about a key. */
export interface KnownSubmission {
  accepted: boolean;
  answer: string;
  booked: readonly BookedRange[];
}

/**
 * The identity of a body: the checked values with a fixed order of fields and amounts in one notation, so
 * that spacing, order of fields and `100` against `"100.00"` make no difference.
 */
export function hashOf(path: string, checkedBody: unknown): string {
  return hash('sha256', `${path}\n${JSON.stringify(checkedBody)}`);
}

/**
 * Acts at most once for a key, whatever happens in between: the key is written in the transaction that
 * acts, and a second request with the same key waits here until the first one is decided.
 *
 * @param submission null when the request carried no key; it is then acted upon as it comes
 * @param act what to do, in the transaction; its refusals are remembered like its successes
 * @returns the outcome of acting, now or the first time; 409 for a key that had another body
 */
export async function actOnce(
  sql: Sql,
  submission: Submission | null,
  act: (tx: TransactionSql) => Promise<Outcome>,
): Promise<Outcome> {
  return await sql.begin(async (tx): Promise<Outcome> => {
    if (submission === null) return act(tx);
    await tx`select pg_advisory_xact_lock(hashtextextended(${submission.key}, 0))`;
    const first = await earlierOutcome(tx, submission);
    if (first !== null) return first;
    const outcome = await act(tx);
    await tx`
      insert into submissions (idempotency_key, body_hash, accepted, http_status, answer, booked)
      values (${submission.key}, ${submission.bodyHash}, ${outcome.accepted}, ${outcome.answer.status},
              ${JSON.stringify(outcome.answer.body)}, ${JSON.stringify(outcome.booked)}::text::json)`;
    return outcome;
  });
}

/** What is known about a key. Waits for a request with that key that is being acted upon right now. */
export async function findSubmission(sql: Sql, key: string): Promise<KnownSubmission | null> {
  return await sql.begin(async (tx): Promise<KnownSubmission | null> => {
    await tx`select pg_advisory_xact_lock_shared(hashtextextended(${key}, 0))`;
    const [known] = await tx<KnownSubmission[]>`
      select accepted, answer, booked from submissions where idempotency_key = ${key}`;
    return known ?? null;
  });
}

async function earlierOutcome(tx: TransactionSql, submission: Submission): Promise<Outcome | null> {
  const [earlier] = await tx<(KnownSubmission & { body_hash: string; http_status: number })[]>`
    select body_hash, accepted, http_status, answer, booked
    from submissions where idempotency_key = ${submission.key}`;
  if (earlier === undefined) return null;
  if (earlier.body_hash !== submission.bodyHash) {
    const message = 'Idempotency-Key: was used before with another body';
    return { accepted: false, answer: { status: 409, body: failure(message) }, booked: [] };
  }
  const answer = { status: earlier.http_status, body: JSON.parse(earlier.answer) };
  return { accepted: earlier.accepted, answer, booked: earlier.booked };
}
