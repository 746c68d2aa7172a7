import { v7 as uuidv7 } from 'uuid';
import type { Mt940Summary } from '../../connectors/mt940/digest.ts';
import { insertRows } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import { accountStatementLobs, accountStatements } from '../../db/schema/index.ts';
import { statementActor } from '../../stages/actors.ts';
import type { PartnerContext } from '../options.ts';
import { isUniqueViolation } from './faults.ts';
import type { StatementFile } from './statement-file.ts';

/** A statement that is stored. */
export interface StoredStatement {
  readonly id: string;
  readonly uploadedAt: Date;
  /** False when it was there already. */
  readonly isNew: boolean;
}

/**
 * Stores a statement with its text and sets it on its way, unless the same statement is there already.
 *
 * @param summary of the whole file; the row describes its first statement
 * @param file its text
 */
export async function storeStatement(
  context: PartnerContext,
  summary: Mt940Summary,
  file: StatementFile,
): Promise<StoredStatement> {
  const earlier = await statementByDigest(context.database.sql, summary.digest);
  if (earlier) return earlier;
  try {
    return await insertStatement(context, summary, file);
  } catch (error) {
    // The same statement may have been stored meanwhile.
    const meanwhile = isUniqueViolation(error)
      ? await statementByDigest(context.database.sql, summary.digest)
      : null;
    if (meanwhile) return meanwhile;
    throw error;
  }
}

async function statementByDigest(sql: Queryable, digest: string): Promise<StoredStatement | null> {
  const [row] = await sql<{ id: string; uploadedAt: Date }[]>`
    select statement_id as id, statement_upload_timestamp as "uploadedAt"
    from account_statements where content_digest = ${digest}`;
  return row ? { ...row, isNew: false } : null;
}

function insertStatement(
  { system }: PartnerContext,
  { digest, statements: [first], entries }: Mt940Summary,
  file: StatementFile,
): Promise<StoredStatement> {
  const id = uuidv7();
  return system.transact(async (tx) => {
    await insertRows(tx.sql, accountStatements, [
      {
        statement_id: id,
        statement_date: first?.closing.date ?? null,
        account_number: first?.account ?? null,
        reference_number: first?.reference ?? null,
        statement_number: first?.statementNumber ?? null,
        sequence_number: first?.sequenceNumber ?? null,
        statement_upload_timestamp: tx.now,
        number_of_entries: entries,
        content_digest: digest,
      },
    ]);
    let part = 0;
    for (const piece of file.pieces()) {
      await insertRows(tx.sql, accountStatementLobs, [{ statement_id: id, part, statement_lob: piece }]);
      part += 1;
    }
    await tx.send(statementActor, [{ id, event: { type: 'uploaded', at: tx.now } }]);
    return { id, uploadedAt: tx.now, isNew: true };
  });
}
