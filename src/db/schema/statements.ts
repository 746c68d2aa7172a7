import { sql } from 'drizzle-orm';
import { date, index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { stageColumns, stageConstraints, utc } from './stage-columns.ts';

/** A bank statement file as it was uploaded, and what came of it. */
export const accountStatements = pgTable(
  'account_statements',
  {
    statement_id: text().primaryKey(),
    statement_date: date({ mode: 'string' }),
    account_number: text(),
    reference_number: text(),
    statement_number: text(),
    sequence_number: text(),
    statement_upload_timestamp: utc().notNull(),
    number_of_entries: integer().notNull(),
    /** Digest of the parsed content: the same statement again is recognised however its file is laid out. */
    content_digest: text().notNull(),
    ...stageColumns('statement_process'),
  },
  (t) => [
    uniqueIndex('account_statements_content').on(t.content_digest),
    index('account_statements_account').on(t.account_number),
    index('account_statements_uploaded').on(t.statement_upload_timestamp, t.statement_id),
    ...stageConstraints(t, 'statement_process'),
  ],
);

/** The file itself, in pieces of bounded size so that it is written and read as a stream. */
export const accountStatementLobs = pgTable(
  'account_statement_lobs',
  {
    statement_id: text()
      .notNull()
      .references(() => accountStatements.statement_id),
    part: integer().notNull().default(sql`0`),
    statement_lob: text().notNull(),
  },
  (t) => [uniqueIndex('account_statement_lobs_part').on(t.statement_id, t.part)],
);
