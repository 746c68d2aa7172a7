import type { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import {
  envelopeStateOf,
  envelopeTables,
  type SummaryRow,
  summaryColumns,
  summaryOf,
} from './envelope-rows.ts';
import { atOneMoment } from './one-moment.ts';
import { envelopes, envelopesQuery } from './wire/envelopes.ts';

/** `GET /operator/envelopes`: page by page, the newest first. */
export const envelopesEndpoint = endpoint({
  method: 'GET',
  path: '/operator/envelopes',
  summary: 'Envelopes, the newest first',
  role: 'viewer',
  query: envelopesQuery as z.ZodType<z.output<typeof envelopesQuery>>,
  answer: envelopes,
  refusals: { CURSOR_INVALID: 400 },
  async handle({ database }, { query }) {
    const { search, state, benefit_type: type, limit } = query;
    const after = decodeCursor(query.cursor, ['moment', 'text']);
    const like = `%${(search ?? '').replaceAll(/[\\%_]/g, '\\$&')}%`;
    const rows = await atOneMoment(
      database,
      (sql) => sql<SummaryRow[]>`
        select ${summaryColumns(sql)} from ${envelopeTables(sql)}
        where true
          ${after ? sql`and (e.receipt_time_stamp, e.id) < (${after[0]}::timestamptz, ${after[1]})` : sql``}
          ${type === undefined ? sql`` : sql`and e.benefit_type = ${type}`}
          ${
            search
              ? sql`and (e.id ilike ${like} or e.benefit_program_mnemonic ilike ${like}
                  or e.benefit_code_mnemonic ilike ${like} or e.cycle_code_mnemonic ilike ${like})`
              : sql``
          }
          ${state === undefined ? sql`` : sql`and ${envelopeStateOf(sql)} = ${state}`}
        order by e.receipt_time_stamp desc, e.id desc limit ${limit + 1}`,
    );
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      envelopes: page.map(summaryOf),
      next_cursor: last ? encodeCursor([last.receipt_time_stamp.toISOString(), last.id]) : null,
    };
  },
});
