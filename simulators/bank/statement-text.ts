import type { Sql } from 'postgres';
import { type StatementEntry, streamMt940, toNarrativeLine, toReference } from './mt940-writer.ts';
import { statementId } from './statements.ts';

const rowsPerRead = 1_000;
const narrativeLinesMax = 6;

interface StatementRow {
  id: string;
  account_number: string;
  currency: string;
  statement_number: number;
  after_ledger_id: string;
  through_ledger_id: string;
  opened_on: string;
  closed_on: string;
  opening_balance: string;
  closing_balance: string;
}

interface Movement {
  id: string;
  mark: 'D' | 'C' | 'RD';
  payment_reference_number: string | null;
  amount: string;
  narrative: string;
  booked_on: string;
}

/**
 * The MT940 text of a statement, in chunks. The same statement gives the same text every time; at most a
 * thousand movements are in memory.
 *
 * @param id the statement's row
 * @throws Error when there is no such statement
 */
export async function* statementText(sql: Sql, id: string): AsyncGenerator<string, void, undefined> {
  const [statement] = await sql<StatementRow[]>`
    select id, statements.account_number, currency, statement_number, after_ledger_id, through_ledger_id,
           opened_on::text, closed_on::text, opening_balance, closing_balance
    from statements join accounts using (account_number) where id = ${id}`;
  if (statement === undefined) throw new Error(`There is no statement ${id}.`);
  yield* streamMt940({
    reference: statementId(statement.id),
    account: statement.account_number,
    statementNumber: String(statement.statement_number),
    sequenceNumber: '1',
    currency: statement.currency,
    opening: { mark: 'C', date: statement.opened_on, amount: statement.opening_balance },
    entries: entries(sql, statement),
    closing: { mark: 'C', date: statement.closed_on, amount: statement.closing_balance },
  });
}

async function* entries(sql: Sql, statement: StatementRow): AsyncGenerator<StatementEntry, void, undefined> {
  const pages = sql<Movement[]>`
    select id, mark, payment_reference_number, amount, narrative, booked_at::date::text as booked_on
    from ledger
    where account_number = ${statement.account_number}
      and id > ${statement.after_ledger_id} and id <= ${statement.through_ledger_id}
    order by id`.cursor(rowsPerRead);
  for await (const page of pages) {
    for (const movement of page) yield toEntry(movement);
  }
}

function toEntry(movement: Movement): StatementEntry {
  const lines = movement.narrative === '' ? [] : movement.narrative.split('\n').slice(0, narrativeLinesMax);
  return {
    valueDate: movement.booked_on,
    entryDate: movement.booked_on,
    mark: movement.mark,
    amount: movement.amount,
    transactionType: 'NTRF',
    customerReference: toReference(movement.payment_reference_number ?? ''),
    bankReference: `EB${movement.id.padStart(12, '0')}`,
    narrative: lines.map((line) => toNarrativeLine(line)),
  };
}
