import type { Sql, TransactionSql } from 'postgres';
import type { Answer } from '../shared/routes.ts';
import { fromHundredths, toHundredths } from './amounts.ts';
import type { Payment } from './requests.ts';
import type { Returns } from './returns.ts';
import { actOnce, type BookedRange, findSubmission, type Outcome, type Submission } from './submissions.ts';

/** What a list of payments takes out of one block. */
interface Draft {
  account: string;
  block: string;
  currency: string;
  currencyIndex: number;
  hundredths: bigint;
}

/** Carries a refusal out of the savepoint, so that what was written inside is rolled back. */
class ReusedReferenceError extends Error {}

/**
 * `/initiate_payment`: debits every payment of the list and takes the sums out of the blocks they name, or
 * does nothing at all.
 *
 * @param returns decides which payments to foreign banks will come back
 * @returns the answer, and the accounts that were debited
 */
export async function initiatePayments(
  sql: Sql,
  payments: readonly Payment[],
  submission: Submission | null,
  returns: Returns,
): Promise<{ answer: Answer; debitedAccounts: string[] }> {
  const outcome = await actOnce(sql, submission, (tx) => pay(tx, payments, returns));
  return { answer: outcome.answer, debitedAccounts: outcome.booked.map((range) => range.account_number) };
}

/** `/payment_status`: what became of the request that carried the key, and of each of its payments. */
export async function paymentStatus(sql: Sql, key: string): Promise<Answer> {
  const known = await findSubmission(sql, key);
  if (known === null) return { status: 200, body: { status: 'unknown', payments: [], error_message: null } };
  const payments = known.booked.length === 0 ? [] : await bookedPayments(sql, known.booked);
  const error_message = known.accepted ? null : (JSON.parse(known.answer).error_message ?? null);
  return { status: 200, body: { status: known.accepted ? 'accepted' : 'rejected', payments, error_message } };
}

async function pay(tx: TransactionSql, payments: readonly Payment[], returns: Returns): Promise<Outcome> {
  const drafts = draftsOf(payments);
  if ('problem' in drafts) return refused(200, drafts.problem);
  const refusal = await draftsProblem(tx, drafts.value);
  if (refusal !== null) return refused(refusal.status, refusal.message);
  try {
    const booked = await tx.savepoint(async (inner) => {
      const ranges = await bookDebits(inner, payments);
      await takeFunds(inner, drafts.value);
      await returns.plan(inner, payments);
      return ranges;
    });
    return {
      accepted: true,
      answer: { status: 200, body: { status: 'success', error_message: null } },
      booked,
    };
  } catch (error) {
    if (!(error instanceof ReusedReferenceError)) throw error;
    return refused(200, await reusedReferenceSentence(tx, payments));
  }
}

function refused(status: number, message: string): Outcome {
  return {
    accepted: false,
    answer: { status, body: { status: 'failed', error_message: message } },
    booked: [],
  };
}

/** Adds up the list by account and block; a reference or a currency that clashes within the list ends it. */
function draftsOf(payments: readonly Payment[]): { value: Draft[] } | { problem: string } {
  const drafts = new Map<string, Draft>();
  const references = new Set<string>();
  for (const [index, payment] of payments.entries()) {
    const { remitting_account: account, funds_blocked_reference_number: block } = payment;
    const reference = `${account} ${payment.payment_reference_number}`;
    if (references.has(reference)) {
      return { problem: `Payment reference ${payment.payment_reference_number} is in the list twice.` };
    }
    references.add(reference);
    const currency = payment.remitting_account_currency;
    const key = `${account} ${block} ${currency}`;
    const draft = drafts.get(key) ?? { account, block, currency, currencyIndex: index, hundredths: 0n };
    draft.hundredths += toHundredths(payment.payment_amount);
    drafts.set(key, draft);
  }
  return { value: [...drafts.values()] };
}

/** Locks the accounts, always in the same order, and says what stands in the way of the payments, if anything. */
async function draftsProblem(
  tx: TransactionSql,
  drafts: readonly Draft[],
): Promise<{ status: number; message: string } | null> {
  const accounts = await tx<{ account_number: string; currency: string }[]>`
    select account_number, currency from accounts
    where account_number = any(${drafts.map((draft) => draft.account)}) order by account_number for update`;
  const blocks = await tx<{ reference: string; account_number: string; remaining: string }[]>`
    select reference, account_number, remaining from blocks
    where reference = any(${drafts.map((draft) => draft.block)})`;
  const accountByNumber = new Map(accounts.map((account) => [account.account_number, account]));
  const blockByReference = new Map(blocks.map((block) => [block.reference, block]));
  for (const draft of drafts) {
    const account = accountByNumber.get(draft.account);
    const block = blockByReference.get(draft.block);
    if (account === undefined) return { status: 200, message: `There is no account ${draft.account}.` };
    if (account.currency !== draft.currency) {
      const field = `[${draft.currencyIndex}].remitting_account_currency`;
      return { status: 400, message: `${field}: account ${draft.account} is not held in ${draft.currency}` };
    }
    if (block?.account_number !== draft.account) {
      return { status: 200, message: `There is no block ${draft.block} on account ${draft.account}.` };
    }
    if (toHundredths(block.remaining) < draft.hundredths) {
      const sum = fromHundredths(draft.hundredths);
      return { status: 200, message: `Block ${draft.block} has ${block.remaining} left, less than ${sum}.` };
    }
  }
  return null;
}

async function bookDebits(tx: TransactionSql, payments: readonly Payment[]): Promise<BookedRange[]> {
  const rows = payments.map((payment) => ({
    a: payment.remitting_account,
    r: payment.payment_reference_number,
    m: payment.payment_amount,
    b: payment.beneficiary_account,
    c: payment.beneficiary_bank_code,
    n: narrativeOf(payment),
  }));
  const ranges = await tx<(BookedRange & { payments: number })[]>`
    with booked as (
      insert into ledger (account_number, mark, payment_reference_number, amount, beneficiary_account,
                          beneficiary_bank_code, narrative)
      select a, 'D', r, m, b, c, n
      from json_to_recordset(${JSON.stringify(rows)}::text::json)
        as payment (a text, r text, m numeric, b text, c text, n text)
      on conflict do nothing
      returning account_number, id
    )
    select account_number, min(id) as from_id, max(id) as through_id, count(*)::integer as payments
    from booked group by account_number`;
  const written = ranges.reduce((sum, range) => sum + range.payments, 0);
  if (written < payments.length) throw new ReusedReferenceError();
  return ranges.map(({ account_number, from_id, through_id }) => ({ account_number, from_id, through_id }));
}

/** Takes each draft's sum out of its block and its account's blocked and whole balance. */
async function takeFunds(tx: TransactionSql, drafts: readonly Draft[]): Promise<void> {
  const references = drafts.map((draft) => draft.block);
  const sums = drafts.map((draft) => fromHundredths(draft.hundredths));
  await tx`
    with taken as (
      select reference, sum from unnest(${references}::text[], ${sums}::numeric[]) as taken (reference, sum)
    ), used as (
      update blocks set remaining = remaining - taken.sum
      from taken where blocks.reference = taken.reference
      returning blocks.account_number, taken.sum
    ), totals as (
      select account_number, sum(sum) as total from used group by account_number
    )
    update accounts set balance = balance - total, blocked = blocked - total
    from totals where accounts.account_number = totals.account_number`;
}

async function reusedReferenceSentence(tx: TransactionSql, payments: readonly Payment[]): Promise<string> {
  const accounts = payments.map((payment) => payment.remitting_account);
  const references = payments.map((payment) => payment.payment_reference_number);
  const [reused] = await tx<{ account_number: string; payment_reference_number: string }[]>`
    select ledger.account_number, ledger.payment_reference_number
    from ledger join unnest(${accounts}::text[], ${references}::text[]) as payment (account, reference)
      on ledger.account_number = payment.account and ledger.payment_reference_number = payment.reference
    where mark = 'D' limit 1`;
  return `Payment reference ${reused?.payment_reference_number} was paid before from account ${reused?.account_number}.`;
}

async function bookedPayments(sql: Sql, booked: readonly BookedRange[]): Promise<object[]> {
  return await sql`
    select debit.payment_reference_number,
           case when back.id is null then 'paid' else 'returned' end as status
    from json_to_recordset(${JSON.stringify(booked)}::text::json)
      as range (account_number text, from_id bigint, through_id bigint)
    join ledger debit on debit.account_number = range.account_number
      and debit.id between range.from_id and range.through_id
    left join ledger back on back.account_number = debit.account_number
      and back.payment_reference_number = debit.payment_reference_number and back.mark = 'RD'
    where debit.mark = 'D'
    order by debit.account_number, debit.id`;
}

/** The narratives as lines, line n being narrative n; those missing at the end are left out. */
function narrativeOf(payment: Payment): string {
  const lines = [
    payment.narrative_1,
    payment.narrative_2,
    payment.narrative_3,
    payment.narrative_4,
    payment.narrative_5,
    payment.narrative_6,
  ];
  return lines
    .map((line) => line?.replaceAll('\n', ' ') ?? '')
    .join('\n')
    .replace(/\n+$/, '');
}
