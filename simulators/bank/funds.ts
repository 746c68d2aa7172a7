import { randomUUID } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import type { Answer } from '../shared/routes.ts';
import { failure } from '../shared/server.ts';
import type { BlockFunds, CheckFunds, ReleaseFunds } from './requests.ts';
import { actOnce, type Outcome, type Submission } from './submissions.ts';

interface Funds {
  currency: string;
  sufficient: boolean;
}

/** `/check_funds`: whether the account has so much that is not blocked. Changes nothing. */
export async function checkFunds(sql: Sql, request: CheckFunds): Promise<Answer> {
  const [funds] = await sql<Funds[]>`
    select currency, balance - blocked >= ${request.total_funds_needed}::numeric as sufficient
    from accounts where account_number = ${request.account_number}`;
  const problem = accountProblem(funds, request.account_number, 'account_currency', request.account_currency);
  const sufficient = problem === null && funds !== undefined && funds.sufficient;
  return {
    status: problem?.status ?? 200,
    body: {
      status: problem === null ? 'success' : 'failed',
      account_number: request.account_number,
      has_sufficient_funds: sufficient,
      error_message: problem?.message ?? (sufficient ? null : 'The available funds are not sufficient.'),
    },
  };
}

/** `/block_funds`: sets an amount of the available funds aside, for payments that name the block. */
export async function blockFunds(
  sql: Sql,
  request: BlockFunds,
  submission: Submission | null,
): Promise<Answer> {
  const outcome = await actOnce(sql, submission, (tx) => block(tx, request));
  return outcome.answer;
}

async function block(tx: TransactionSql, request: BlockFunds): Promise<Outcome> {
  const [funds] = await tx<Funds[]>`
    select currency, balance - blocked >= ${request.amount}::numeric as sufficient
    from accounts where account_number = ${request.account_number} for update`;
  const problem = accountProblem(funds, request.account_number, 'currency', request.currency);
  if (problem !== null) return blockAnswer(problem.status, null, problem.message);
  if (!funds?.sufficient) return blockAnswer(200, null, 'The available funds are not sufficient.');

  const reference = `BLK-${randomUUID()}`;
  await tx`
    with aside as (
      update accounts set blocked = blocked + ${request.amount}::numeric
      where account_number = ${request.account_number}
    )
    insert into blocks (reference, account_number, amount, remaining)
    values (${reference}, ${request.account_number}, ${request.amount}, ${request.amount})`;
  return blockAnswer(200, reference, null);
}

/** `/release_funds`: frees what is left of a block; one that has nothing left is freed already. */
export async function releaseFunds(
  sql: Sql,
  request: ReleaseFunds,
  submission: Submission | null,
): Promise<Answer> {
  const outcome = await actOnce(sql, submission, (tx) => release(tx, request));
  return outcome.answer;
}

async function release(
  tx: TransactionSql,
  { account_number: account, block_reference_no: reference }: ReleaseFunds,
): Promise<Outcome> {
  await tx`select from accounts where account_number = ${account} for update`;
  const [block] = await tx<{ remaining: string }[]>`
    select remaining from blocks where reference = ${reference} and account_number = ${account} for update`;
  if (block === undefined) {
    const message = `There is no block ${reference} on this account.`;
    return { accepted: false, answer: { status: 200, body: failure(message) }, booked: [] };
  }
  await tx`update blocks set remaining = 0 where reference = ${reference}`;
  await tx`
    update accounts set blocked = blocked - ${block.remaining}::numeric where account_number = ${account}`;
  return {
    accepted: true,
    answer: { status: 200, body: { status: 'success', error_message: null } },
    booked: [],
  };
}

function blockAnswer(httpStatus: number, reference: string | null, message: string | null): Outcome {
  const accepted = reference !== null;
  const body = {
    status: accepted ? 'success' : 'failed',
    block_reference_no: reference,
    error_message: message,
  };
  return { accepted, answer: { status: httpStatus, body }, booked: [] };
}

/** An account that is not there is an answer of the business; a currency it does not have, a wrong request. */
function accountProblem(
  funds: Funds | undefined,
  accountNumber: string,
  currencyField: string,
  currency: string,
): { status: number; message: string } | null {
  if (funds === undefined) return { status: 200, message: `There is no account ${accountNumber}.` };
  if (funds.currency === currency) return null;
  return { status: 400, message: `${currencyField}: account ${accountNumber} is not held in ${currency}` };
}
