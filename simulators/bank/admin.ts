import type { FastifyInstance } from 'fastify';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { failure } from '../shared/server.ts';
import { type Checked, check, listOf } from '../shared/validation.ts';
import { amountSchema } from './amounts.ts';
import { accountNumberSchema, currencySchema, phoneSchema } from './requests.ts';
import { statementId } from './statements.ts';

const accountsMax = 50_000;
const statementsShownMax = 1_000;
const debitsShownMax = 10_000;

const accountSchema = z.strictObject({
  account_number: accountNumberSchema,
  currency: currencySchema,
  balance: amountSchema,
  name: z.string().max(256).nullish(),
  phone: phoneSchema.nullish(),
});

type Account = z.infer<typeof accountSchema>;

const accountsSchema = listOf(accountSchema, accountsMax);

const querySchema = z.strictObject({ account: accountNumberSchema });

const debitsSchema = querySchema.extend({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(debitsShownMax).default(debitsShownMax),
});

/** What a change behind the bank's counter concerns. */
export interface AdminEvents {
  /** These accounts have moved. */
  moved: (accountNumbers: readonly string[]) => void;
  /** Everything was removed. */
  reset: () => void;
}

/** Adds the paths for setting the bank up and for looking into its books. */
export function mountAdmin(app: FastifyInstance, sql: Sql, events: AdminEvents): void {
  app.post('/_admin/accounts', async (request, reply) => {
    const checked = check(accountsSchema, request.body);
    if ('problem' in checked) return reply.code(400).send(failure(checked.problem));
    const moved = await putAccounts(sql, checked.value);
    if ('problem' in moved) return reply.code(400).send(failure(moved.problem));
    events.moved(moved.value);
    return { status: 'success', accounts: checked.value.length };
  });
  app.get('/_admin/ledger', async (request, reply) => {
    const query = check(querySchema, request.query);
    if ('problem' in query) return reply.code(400).send(failure(query.problem));
    const ledger = await ledgerSummary(sql, query.value.account);
    return ledger ?? reply.code(404).send(failure(`There is no account ${query.value.account}.`));
  });
  app.get('/_admin/debits', async (request, reply) => {
    const query = check(debitsSchema, request.query);
    if ('problem' in query) return reply.code(400).send(failure(query.problem));
    return await listDebits(sql, query.value);
  });
  app.get('/_admin/statements', async (request, reply) => {
    const query = check(querySchema, request.query);
    if ('problem' in query) return reply.code(400).send(failure(query.problem));
    return await listStatements(sql, query.value.account);
  });
  app.post('/_admin/reset', async () => {
    await sql`
      truncate accounts, blocks, ledger, pending_returns, submissions, statements restart identity`;
    events.reset();
    return { status: 'success' };
  });
}

/**
 * Creates accounts, or sets them to what is given. A balance that differs from what an account has is booked
 * as a credit or a debit, so that its statements still add up.
 *
 * @returns the accounts that moved, or what stands in the way; then nothing is changed
 */
async function putAccounts(sql: Sql, accounts: readonly Account[]): Promise<Checked<string[]>> {
  const numbers = accounts.map((account) => account.account_number);
  if (new Set(numbers).size < numbers.length) return { problem: 'body: names an account twice' };
  const rows = JSON.stringify(accounts.map((account, index) => ({ ...account, index })));
  return await sql.begin(async (tx): Promise<Checked<string[]>> => {
    const given = tx`
      json_to_recordset(${rows}::text::json)
        as given (index integer, account_number text, currency text, balance numeric, name text, phone text)`;
    const existing = await tx<{ index: number; wrong_currency: boolean; too_low: boolean }[]>`
      select given.index, given.currency <> accounts.currency as wrong_currency,
             given.balance < accounts.blocked as too_low
      from ${given} join accounts on accounts.account_number = given.account_number
      order by accounts.account_number for update of accounts`;
    for (const { index, wrong_currency, too_low } of existing) {
      if (wrong_currency) return { problem: `[${index}].currency: the account is held in another currency` };
      if (too_low) return { problem: `[${index}].balance: is less than what is blocked` };
    }
    const moved = await tx<{ account_number: string }[]>`
      insert into ledger (account_number, mark, amount, narrative)
      select accounts.account_number, case when given.balance > accounts.balance then 'C' else 'D' end,
             abs(given.balance - accounts.balance), 'BALANCE ADJUSTMENT'
      from ${given} join accounts on accounts.account_number = given.account_number
      where given.balance <> accounts.balance
      returning account_number`;
    await tx`
      insert into accounts (account_number, currency, balance, reported_balance, name, phone)
      select account_number, currency, balance, balance, name, phone from ${given}
      on conflict (account_number)
      do update set balance = excluded.balance, name = excluded.name, phone = excluded.phone`;
    return { value: moved.map((row) => row.account_number) };
  });
}

async function ledgerSummary(sql: Sql, accountNumber: string): Promise<object | undefined> {
  const [summary] = await sql`
    select account_number as account, currency, balance, blocked, balance - blocked as available,
           booked.debits, booked.debited_sum, booked.reversed, booked.reversed_sum,
           (select count(*)::integer from (
              select from ledger where account_number = accounts.account_number and mark = 'D'
                and payment_reference_number is not null
              group by payment_reference_number having count(*) > 1) as twice) as duplicate_references
    from accounts, lateral (
      select count(*) filter (where mark = 'D')::integer as debits,
             coalesce(sum(amount) filter (where mark = 'D'), 0)::numeric(20, 2) as debited_sum,
             count(*) filter (where mark = 'RD')::integer as reversed,
             coalesce(sum(amount) filter (where mark = 'RD'), 0)::numeric(20, 2) as reversed_sum
      from ledger
      where ledger.account_number = accounts.account_number and payment_reference_number is not null
    ) as booked
    where account_number = ${accountNumber}`;
  return summary;
}

/** Payments in the order in which they were booked, those after the ledger's number `after`. */
async function listDebits(
  sql: Sql,
  { account, after, limit }: z.infer<typeof debitsSchema>,
): Promise<object[]> {
  return await sql`
    select id::float8 as id, payment_reference_number as reference, amount, booked_at
    from ledger
    where account_number = ${account} and mark = 'D' and payment_reference_number is not null and id > ${after}
    order by id limit ${limit}`;
}

async function listStatements(sql: Sql, accountNumber: string): Promise<object[]> {
  const rows = await sql<{ id: string; account_statement_id?: string }[]>`
    select id, statement_number, opening_balance, closing_balance, debits, debited_sum, reversed, reversed_sum,
           credits, credited_sum, created_at, uploaded_at, upload_attempts, upload_answer
    from statements where account_number = ${accountNumber}
    order by statement_number limit ${statementsShownMax}`;
  return rows.map(({ id, ...statement }) => ({ account_statement_id: statementId(id), ...statement }));
}
