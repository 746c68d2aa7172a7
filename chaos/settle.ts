import { setTimeout as delay } from 'node:timers/promises';
import { workActionAnswer } from '../src/api/operator/wire/actions.ts';
import { errors as errorsAnswer } from '../src/api/operator/wire/errors.ts';
import { createOperatorClient } from '../src/cli/operator-client.ts';
import type { Sql } from '../src/db/connection.ts';
import type { Submitted, Violation, World } from './contract.ts';
import { actorsLeft, countsLeft, envelopesLeft, jobsLeft, type Left, mailLeft } from './what-is-left.ts';

const SETTLES = 'Everything comes to its end when the faults have stopped.';
const LOOK_MS = 500;
/** Work that stops in ERROR for want of attempts is retried; what has stopped for good stops again. */
const RETRIES_MAX = 3;
const REQUEST_TIMEOUT_MS = 10_000;
const LISTED_MAX = 20;

/**
 * Waits until everything that was submitted is at its end: no work open or in a queue, no mail, all cash on statements.
 * Work in ERROR counts as ended, but its cause was an outage, which is over: an operator retries it, all codes alike. That
 * includes payments whose outcome is unknown, for a retry asks the bank before anything is sent; a bank that takes
 * repeated references shows if it does not.
 *
 * @param timeoutMs for the whole of it
 * @returns what has not settled in time, and what is in ERROR after the retries
 */
export async function settle(
  world: World,
  submitted: readonly Submitted[],
  timeoutMs: number,
): Promise<readonly Violation[]> {
  const deadline = performance.now() + timeoutMs;
  const database = world.openDatabase();
  try {
    for (let retries = 0; ; ) {
      const left = await whatIsLeft(world, database.sql, submitted);
      const isOver = performance.now() > deadline;
      if (!('errors' in left)) {
        if (isOver) return notSettled(left, timeoutMs);
      } else {
        if (left.errors.length === 0) return [];
        if (retries === RETRIES_MAX || isOver) return left.errors.map(stopped);
        if (await retry(world, left.errors)) retries += 1;
      }
      await delay(LOOK_MS);
    }
  } finally {
    await database.close();
  }
}

/** What must go away; when there is nothing of it, what is in ERROR, as operators see it. */
async function whatIsLeft(
  world: World,
  sql: Sql,
  submitted: readonly Submitted[],
): Promise<readonly Left[] | { readonly errors: readonly ErrorGroup[] }> {
  try {
    const looks = [actorsLeft, mailLeft, jobsLeft, (one: Sql) => envelopesLeft(one, submitted), countsLeft];
    const left: Left[] = [];
    for (const look of looks) left.push(...(await look(sql)));
    return left.length > 0 ? left : { errors: await errorsOf(world) };
  } catch (error) {
    // The last fault may be a moment ago.
    return [{ found: `What is left cannot be asked for: ${String(error)}`, at: new Date() }];
  }
}

function notSettled(left: readonly Left[], timeoutMs: number): readonly Violation[] {
  const listed = left.slice(0, LISTED_MAX);
  const rest = left.length - listed.length;
  return [
    ...listed.map(({ found, at }) => ({ invariant: SETTLES, found, at })),
    ...(rest > 0
      ? [{ invariant: SETTLES, found: `${rest} more have not settled in ${timeoutMs} ms.`, at: null }]
      : []),
  ];
}

const stopped = ({ stage, code, count }: ErrorGroup): Violation => ({
  invariant: SETTLES,
  found: `${count} records of ${stage} are in ERROR with ${code} although their cause is gone and they were retried.`,
  at: null,
});

type ErrorGroup = { readonly stage: string; readonly code: string; readonly count: number };

/** As an operator sees them. */
async function errorsOf(world: World): Promise<readonly ErrorGroup[]> {
  return asOperator(world, async (client, signal) => {
    const answer = await client.get('/operator/errors', errorsAnswer, signal);
    if (answer.kind === 'success') return answer.payload.groups;
    throw new Error(`The errors could not be listed: ${answer.message}`);
  });
}

/** @returns whether all of it was taken */
async function retry(world: World, errors: readonly ErrorGroup[]): Promise<boolean> {
  return asOperator(world, async (client, signal) => {
    for (const { stage, code, count } of errors) {
      const body = { target: { stage, code }, reason: 'The outage is over.' };
      const options = { repeatable: true, signal };
      const answer = await client.post('/operator/actions/retry', body, workActionAnswer, options);
      world.timeline.note('retried', stage, { code, count, answer: answer.kind });
      if (answer.kind !== 'success') return false;
    }
    return true;
  });
}

async function asOperator<T>(
  { apiUrl: url, operatorToken: token }: World,
  act: (client: ReturnType<typeof createOperatorClient>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const client = createOperatorClient({ url, token, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  try {
    return await act(client, AbortSignal.timeout(REQUEST_TIMEOUT_MS * 3));
  } finally {
    await client.close();
  }
}
