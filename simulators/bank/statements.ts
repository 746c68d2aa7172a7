import type { Sql, TransactionSql } from 'postgres';
import type { Answer } from '../shared/routes.ts';
import { bookReturns } from './returns.ts';

interface ReportedAccount {
  reported_through_id: string;
  reported_balance: string;
  reported_on: string;
  statements_made: number;
}

/** What making statements came to. */
export interface MadeStatements {
  /** `:20:` references, oldest first; empty when there is no such account. */
  ids: string[];
  /** Payments that came back after these statements, to be reported by the next one. */
  returns: number;
}

/** The id a statement has outside: it is its `:20:` reference, which has room for 16 characters. */
export function statementId(id: string): string {
  return `STMT${id.padStart(10, '0')}`;
}

/** `/generate_account_statement`. The statement is uploaded by itself afterwards. */
export async function generateStatement(
  sql: Sql,
  accountNumber: string,
  entriesMax: number,
): Promise<{ answer: Answer; made: MadeStatements }> {
  const made = await makeStatements(sql, accountNumber, { entriesMax, emptyToo: true });
  const [id] = made.ids;
  const body =
    id === undefined
      ? {
          status: 'failed',
          account_statement_id: null,
          error_message: `There is no account ${accountNumber}.`,
        }
      : { status: 'success', account_statement_id: id, error_message: null };
  return { answer: { status: 200, body }, made };
}

/**
 * Makes a statement of everything on the account that none has reported yet; several when there are more
 * than `entriesMax` movements. Their text is written when they are uploaded: a statement is a range of
 * ledger rows, which never change.
 *
 * @param options `emptyToo`: without movements, one statement without entries rather than none
 */
export async function makeStatements(
  sql: Sql,
  accountNumber: string,
  options: { entriesMax: number; emptyToo: boolean },
): Promise<MadeStatements> {
  return await sql.begin(async (tx): Promise<MadeStatements> => {
    const [account] = await tx<ReportedAccount[]>`
      select reported_through_id, reported_balance, reported_on::text, statements_made
      from accounts where account_number = ${accountNumber} for update`;
    if (account === undefined) return { ids: [], returns: 0 };
    const made = await insertStatements(tx, accountNumber, account, options);
    const last = made.at(-1);
    if (last === undefined) return { ids: [], returns: 0 };
    await tx`
      update accounts
      set reported_through_id = ${last.through_ledger_id}, reported_balance = ${last.closing_balance},
          reported_on = ${last.closed_on}, statements_made = statements_made + ${made.length}
      where account_number = ${accountNumber}`;
    const returns = await bookReturns(tx, accountNumber, last.through_ledger_id);
    return { ids: made.map(({ id }) => statementId(id)), returns };
  });
}

/** Accounts with movements that no statement has reported. */
export async function accountsToReport(sql: Sql): Promise<string[]> {
  const rows = await sql<{ account_number: string }[]>`
    select account_number from accounts
    where exists (select from ledger where ledger.account_number = accounts.account_number
                  and ledger.id > accounts.reported_through_id)`;
  return rows.map((row) => row.account_number);
}

interface InsertedStatement {
  id: string;
  through_ledger_id: string;
  closing_balance: string;
  closed_on: string;
}

/** Cuts the unreported movements into parts of `entriesMax`. */
async function insertStatements(
  tx: TransactionSql,
  accountNumber: string,
  account: ReportedAccount,
  options: { entriesMax: number; emptyToo: boolean },
): Promise<InsertedStatement[]> {
  return await tx<InsertedStatement[]>`
    with movements as (
      select id, mark, amount, booked_at, (row_number() over (order by id) - 1) / ${options.entriesMax}::bigint as part
      from ledger where account_number = ${accountNumber} and id > ${account.reported_through_id}
    ), parts as (
      select part, max(id) as through_id, max(booked_at)::date as closed_on,
             count(*) filter (where mark = 'D') as debits,
             coalesce(sum(amount) filter (where mark = 'D'), 0) as debited_sum,
             count(*) filter (where mark = 'RD') as reversed,
             coalesce(sum(amount) filter (where mark = 'RD'), 0) as reversed_sum,
             count(*) filter (where mark = 'C') as credits,
             coalesce(sum(amount) filter (where mark = 'C'), 0) as credited_sum
      from movements group by part
      union all
      select 0, ${account.reported_through_id}::bigint, current_date, 0, 0, 0, 0, 0, 0
      where ${options.emptyToo} and not exists (select from movements)
    ), balances as (
      select *, reversed_sum + credited_sum - debited_sum as movement,
             ${account.reported_balance}::numeric
               + sum(reversed_sum + credited_sum - debited_sum) over (order by part) as closing_balance,
             lag(through_id, 1, ${account.reported_through_id}::bigint) over (order by part) as after_id,
             lag(closed_on, 1, ${account.reported_on}::date) over (order by part) as opened_on,
             row_number() over (order by part) as position
      from parts
    )
    insert into statements (account_number, statement_number, after_ledger_id, through_ledger_id, opened_on,
                            closed_on, opening_balance, closing_balance, debits, debited_sum, reversed,
                            reversed_sum, credits, credited_sum)
    select ${accountNumber}, ${account.statements_made} + position, after_id, through_id, opened_on, closed_on,
           closing_balance - movement, closing_balance, debits, debited_sum, reversed, reversed_sum, credits,
           credited_sum
    from balances order by part
    returning id, through_ledger_id, closing_balance, closed_on::text`;
}
