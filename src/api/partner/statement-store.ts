import { v7 as uuidv7 } from 'uuid';
import type { Mt940StatementSummary, Mt940Summary } from '../../connectors/mt940/digest.ts';
import { insertRows } from '../../db/bulk.ts';
import type { Database, Queryable, Tx } from '../../db/connection.ts';
import { accountStatementLobs, accountStatements } from '../../db/schema/index.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { statementActor } from '../../stages/actors.ts';
import type { StatementFile, StatementPiece } from './statement-file.ts';

/** Text that is sent to the database at once, characters. */
const INSERT_CHARACTERS = 64 * 1024;

/** A statement that is stored. */
export interface StoredStatement {
  readonly id: string;
  readonly uploadedAt: Date;
  /** False when it was there already, or stands in the file a second time. */
  readonly isNew: boolean;
  readonly summary: Mt940StatementSummary;
}

/** What an upload adds to its storing. */
export interface Uploader {
  /** The operator who uploads, for the journal; left out: a bank does. */
  readonly by?: string;
  /** Why, in their own words, for the journal too. */
  readonly reason?: string;
  /** Writes more, in the same transaction where there is one: where all is there already, there is nothing to store. */
  also?(sql: Queryable, stored: readonly StoredStatement[]): Promise<void>;
}

interface Found {
  readonly id: string;
  readonly uploadedAt: Date;
  readonly digest: string;
}

/**
 * Stores the statements of a file with their texts and sets them on their way, all or none; those that are there
 * already are left alone.
 *
 * @param file its text
 * @param uploader who uploads, and what they write with it
 * @returns one for each statement of the file, in its order
 */
export async function storeStatements(
  { system, database }: { readonly system: ActorSystem; readonly database: Database },
  { statements }: Mt940Summary,
  file: StatementFile,
  { by, reason, also }: Uploader = {},
): Promise<StoredStatement[]> {
  const digests = [...new Set(statements.map(({ digest }) => digest))];
  const earlier = await findStatements(database.sql, digests);
  if (earlier.size === digests.length) {
    const known = describe(statements, earlier, new Set());
    await also?.(database.sql, known);
    return known;
  }
  return system.transact(async (tx) => {
    const ids = await insertStatements(tx.sql, statements, tx.now);
    // Another upload may have stored some of them meanwhile.
    const found = await findStatements(tx.sql, digests);
    const added = new Set([...found.values()].map(({ id }) => id).filter((id) => ids.has(id)));
    const describing = describe(statements, found, added);
    await insertTexts(tx.sql, describing, file);
    const who = { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
    const event = { type: 'uploaded', at: tx.now, ...who } as const;
    await tx.send(
      statementActor,
      [...added].map((id) => ({ id, event })),
    );
    await also?.(tx.sql, describing);
    return describing;
  });
}

async function findStatements(sql: Queryable, digests: readonly string[]): Promise<Map<string, Found>> {
  const rows = await sql<Found[]>`
    select statement_id as id, statement_upload_timestamp as "uploadedAt", content_digest as digest
    from account_statements where content_digest = any(${[...digests]}::text[])`;
  return new Map(rows.map((row) => [row.digest, row]));
}

/**
 * Inserts those that are not there. In the order of their digests, so that two uploads of the same statements wait for
 * each other and never crosswise.
 *
 * @returns the ids that have been given out, also those that were not needed
 */
async function insertStatements(
  sql: Tx,
  statements: readonly Mt940StatementSummary[],
  at: Date,
): Promise<Set<string>> {
  const distinct = new Map(statements.toReversed().map((one) => [one.digest, one]));
  const rows = [...distinct.values()]
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    .map((one) => ({
      statement_id: uuidv7(),
      statement_date: one.closing.date,
      account_number: one.account,
      reference_number: one.reference,
      statement_number: one.statementNumber,
      sequence_number: one.sequenceNumber,
      statement_upload_timestamp: at,
      number_of_entries: one.entries,
      content_digest: one.digest,
    }));
  await insertRows(sql, accountStatements, rows, 'ignore');
  return new Set(rows.map(({ statement_id }) => statement_id));
}

/** @throws Error when a statement is not among those found */
function describe(
  statements: readonly Mt940StatementSummary[],
  found: ReadonlyMap<string, Found>,
  added: ReadonlySet<string>,
): StoredStatement[] {
  const named = new Set<string>();
  return statements.map((summary) => {
    const row = found.get(summary.digest);
    if (!row) throw new Error(`The statement of line ${summary.line} has not been stored.`);
    const isNew = added.has(row.id) && !named.has(row.id);
    named.add(row.id);
    return { id: row.id, uploadedAt: row.uploadedAt, isNew, summary };
  });
}

async function insertTexts(sql: Tx, stored: readonly StoredStatement[], file: StatementFile): Promise<void> {
  const parts = new Map<number, number>();
  let rows: Record<string, unknown>[] = [];
  let characters = 0;
  const flush = async () => {
    await insertRows(sql, accountStatementLobs, rows);
    rows = [];
    characters = 0;
  };
  for (const piece of file.pieces(stored.map(({ summary }) => summary.start))) {
    const row = rowOf(piece, stored, parts);
    if (!row) continue;
    rows.push(row);
    characters += piece.text.length;
    if (characters >= INSERT_CHARACTERS) await flush();
  }
  await flush();
}

/** @param parts how many pieces there have been of each statement */
function rowOf(
  { statement, text }: StatementPiece,
  stored: readonly StoredStatement[],
  parts: Map<number, number>,
): Record<string, unknown> | null {
  const { id, isNew } = stored[statement] ?? {};
  if (!isNew) return null;
  const part = parts.get(statement) ?? 0;
  parts.set(statement, part + 1);
  return { statement_id: id, part, statement_lob: text };
}
