import type { Queryable } from '../db/connection.ts';

/**
 * The text of an uploaded statement, piece by piece as it was stored, so that it is never in memory as a whole.
 */
export async function* storedStatement(sql: Queryable, statementId: string): AsyncGenerator<string> {
  for (let part = 0; ; part += 1) {
    const [row] = await sql<{ statement_lob: string }[]>`
      select statement_lob from account_statement_lobs where statement_id = ${statementId} and part = ${part}`;
    if (!row) return;
    yield row.statement_lob;
  }
}
