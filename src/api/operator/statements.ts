import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import { atOneMoment } from './one-moment.ts';
import { ProblemError } from './problem.ts';
import { line } from './wire/common.ts';
import {
  type StatementDetail,
  type Statements,
  statementDetail,
  statements,
  statementsQuery,
} from './wire/statements.ts';

/** Discrepancies of one statement that a summary counts at most. */
const DISCREPANCIES_COUNTED_MAX = 1_000;

interface SummaryRow {
  readonly id: string;
  readonly uploaded_at: Date;
  readonly account_number: string | null;
  readonly reference_number: string | null;
  readonly statement_number: string | null;
  readonly sequence_number: string | null;
  readonly statement_date: string | null;
  readonly number_of_entries: number;
  readonly state: string;
  readonly error_code: string | null;
  readonly discrepancies: number;
}

/** `GET /operator/statements`: the newest first. */
export const readStatements = endpoint({
  method: 'GET',
  path: '/operator/statements',
  summary: 'Bank statements, the newest first',
  role: 'viewer',
  query: statementsQuery as z.ZodType<z.output<typeof statementsQuery>>,
  answer: statements,
  refusals: { CURSOR_INVALID: 400 },
  async handle({ database: { sql } }, { query: { state, cursor, limit } }): Promise<Statements> {
    const before = decodeCursor(cursor, ['moment', 'text']);
    const rows = await sql<SummaryRow[]>`
      select ${summaryColumns(sql)} from account_statements s
      where true
        ${state === undefined ? sql`` : sql`and s.statement_process_status = ${state}`}
        ${
          before === null
            ? sql``
            : sql`and (s.statement_upload_timestamp, s.statement_id) < (${before[0]}::timestamptz, ${before[1]})`
        }
      order by s.statement_upload_timestamp desc, s.statement_id desc limit ${limit + 1}`;
    const these = rows.slice(0, limit);
    const last = rows.length > limit ? these.at(-1) : undefined;
    return {
      statements: these.map(summaryOf),
      next_cursor: last ? encodeCursor([last.uploaded_at.toISOString(), last.id]) : null,
    };
  },
});

/** `GET /operator/statements/{id}`: one statement and what came of its entries. */
export const readStatement = endpoint({
  method: 'GET',
  path: '/operator/statements/{id}',
  summary: 'One bank statement and what came of its entries',
  role: 'viewer',
  params: z.object({ id: line(200).min(1) }),
  answer: statementDetail,
  refusals: { STATEMENT_UNKNOWN: 404 },
  handle({ database }, { params: { id } }): Promise<StatementDetail> {
    return atOneMoment(database, async (sql) => {
      const [row] = await sql<SummaryRow[]>`
        select ${summaryColumns(sql)} from account_statements s where s.statement_id = ${id}`;
      if (!row) throw new ProblemError(404, 'STATEMENT_UNKNOWN', `There is no statement ${id}.`);
      const [matched] = await sql<Sum[]>`
        select count(*)::int as count, coalesce(sum(remittance_amount), 0) as quantity
        from disbursement_recons where remittance_statement_id = ${id}`;
      const [reversed] = await sql<Sum[]>`
        select count(*)::int as count, coalesce(sum(remittance_amount), 0) as quantity
        from disbursement_recons where reversal_found and reversal_statement_id = ${id}`;
      const byReason = await sql<(Sum & { kind: string })[]>`
        select error_reason as kind, count(*)::int as count, sum(entry_amount) as quantity
        from disbursement_error_recons where statement_id = ${id} group by 1 order by 2 desc, 1`;
      return {
        ...summaryOf(row),
        reference_number: row.reference_number,
        error_message: row.error_code === null ? null : await messageOfError(sql, id, row.error_code),
        matched: matched ?? NOTHING,
        reversed: reversed ?? NOTHING,
        by_reason: byReason,
      };
    });
  },
});

interface Sum {
  readonly count: number;
  readonly quantity: string;
}
const NOTHING: Sum = { count: 0, quantity: '0' };

const summaryColumns = (sql: Queryable) => sql`
  s.statement_id as id, s.statement_upload_timestamp as uploaded_at, s.account_number, s.reference_number,
  s.statement_number, s.sequence_number, s.statement_date::text as statement_date, s.number_of_entries,
  s.statement_process_status as state, s.statement_process_latest_error_code as error_code, (
    select count(*)::int from (
      select from disbursement_error_recons x where x.statement_id = s.statement_id
      limit ${DISCREPANCIES_COUNTED_MAX}) counted) as discrepancies`;

const summaryOf = ({ uploaded_at, reference_number: _, ...row }: SummaryRow) => ({
  ...row,
  uploaded_at: uploaded_at.toISOString(),
});

async function messageOfError(sql: Queryable, id: string, code: string): Promise<string | null> {
  const [entry] = await sql<{ message: string }[]>`
    select error_message as message from actor_transitions
    where machine = 'statement' and actor_id = ${id} and error_code = ${code} and error_message is not null
    order by seq desc limit 1`;
  return entry?.message ?? null;
}
