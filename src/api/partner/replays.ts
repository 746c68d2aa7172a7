import { createHash } from 'node:crypto';
import type { Queryable } from '../../db/connection.ts';
import type { ActorTransaction } from '../../runtime/transaction.ts';
import { jsonNumber } from '../json.ts';
import type { PartnerContext } from '../options.ts';
import { type Answer, type Message, Refusal } from './message.ts';

/**
 * Requests that were answered, so that one that comes again within a window gets its first answer, whatever has happened
 * since: a partner that repeats after a lost answer, or somebody who replays what he has listened to.
 */

/** Forgotten for every request that is remembered, at most: more than one, so that the table shrinks to the window. */
const FORGOTTEN_AT_ONCE = 10;

/** What tells a repetition: the same partner, path, id and body. Another body under an id is another request. */
export interface RequestKey {
  readonly sender: string;
  readonly path: string;
  readonly requestId: string;
  /** SHA-256 of the body, hexadecimal. */
  readonly digest: string;
}

/** Another request of the same key was answered first, so what this one did must be undone. */
export class AlreadyAnsweredError extends Error {
  override readonly name = 'AlreadyAnsweredError';
}

/** The key of a request that has passed its schema. */
export function requestKey(
  path: string,
  { request_header: header, request_body: body }: Message,
): RequestKey {
  return {
    sender: header.sender_app_mnemonic,
    path,
    requestId: header.request_id,
    digest: createHash('sha256').update(JSON.stringify(body)).digest('hex'),
  };
}

/** What an operation remembers its answer with, in the transaction that does what was asked. */
export interface Remembering {
  /**
   * @returns the answer
   * @throws AlreadyAnsweredError when the same request was answered meanwhile
   */
  remember<A extends Answer | Refusal>(tx: ActorTransaction, answer: A): Promise<A>;
}

/** For operations that come to the same answer when they are asked again. */
export const NOTHING_REMEMBERED: Remembering = { remember: async (_tx, answer) => answer };

/**
 * Does what a request asks for unless it was answered before, in which case it is answered the same again.
 *
 * @param perform throws a Refusal when nothing was done; that is not remembered, since asking again does no harm
 */
export async function answerOnce<A extends Answer | Refusal>(
  { database: { sql }, clock, replayWindowMs }: PartnerContext,
  key: RequestKey,
  perform: (remembering: Remembering) => Promise<A>,
): Promise<Answer | Refusal> {
  const since = new Date(clock.now().getTime() - replayWindowMs);
  const first = await firstAnswer(sql, key, since);
  if (first) return first;
  try {
    return await perform({
      async remember(tx, answer) {
        await store(tx, key, since, answer);
        return answer;
      },
    });
  } catch (error) {
    if (!(error instanceof AlreadyAnsweredError || error instanceof Refusal)) throw error;
    // What stood in the way may have been this very request.
    const meanwhile = await firstAnswer(sql, key, since);
    if (meanwhile) return meanwhile;
    throw error;
  }
}

/** What is kept of an answer; with a code it is an ERROR that nevertheless changed something. */
interface Kept {
  readonly answer: Answer;
  readonly code?: string;
  readonly message?: string;
}

async function firstAnswer(sql: Queryable, key: RequestKey, since: Date): Promise<Answer | Refusal | null> {
  const [row] = await sql<{ answer: string }[]>`
    select answer from partner_requests
    where sender = ${key.sender} and path = ${key.path} and request_id = ${key.requestId}
      and digest = ${key.digest} and answered_at >= ${since}`;
  if (!row) return null;
  const { answer, code, message = '' }: Kept = JSON.parse(row.answer, keepDigits);
  return code === undefined ? answer : new Refusal(code, message, answer);
}

async function store(
  { sql, now }: ActorTransaction,
  key: RequestKey,
  since: Date,
  answer: Answer | Refusal,
): Promise<void> {
  const kept: Kept =
    answer instanceof Refusal
      ? { answer: answer.answer, code: answer.code, message: answer.message }
      : { answer };
  const stored = await sql`
    insert into partner_requests (sender, path, request_id, digest, answer, answered_at)
    values (${key.sender}, ${key.path}, ${key.requestId}, ${key.digest}, ${JSON.stringify(kept)}, ${now})
    on conflict (sender, path, request_id, digest) do update
      set answer = excluded.answer, answered_at = excluded.answered_at
      where partner_requests.answered_at < ${since}`;
  if (stored.count === 0) throw new AlreadyAnsweredError('The request has been answered before.');
  await sql`
    delete from partner_requests where ctid = any(array(
      select ctid from partner_requests where answered_at < ${since}
      order by answered_at limit ${FORGOTTEN_AT_ONCE} for update skip locked))`;
}

/** Numbers go out again as they went in. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? jsonNumber(context.source) : value;
}
