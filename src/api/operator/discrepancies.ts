import type { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import type { OperatorContext } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { ENTRY_KINDS, KIND_TITLES, MISSING, REVERSED } from './discrepancy-kinds.ts';
import { type DiscrepancyFilter, type Place, type Placed, SECTIONS } from './discrepancy-rows.ts';
import { endpoint } from './endpoint.ts';
import { countMissing, type MissingBatches, missingBatches } from './missing-batches.ts';
import { atOneMoment } from './one-moment.ts';
import { ProblemError } from './problem.ts';
import { moment } from './wire/common.ts';
import { type Discrepancies, discrepancies, discrepanciesQuery } from './wire/statements.ts';

/** Of each kind so many are counted at most. */
const COUNTED_MAX = 10_000;

const CURSOR = ['number', 'text', 'text', 'text'] as const;

/** `GET /operator/discrepancies`: what does not agree between payments and statements. */
export const readDiscrepancies = endpoint({
  method: 'GET',
  path: '/operator/discrepancies',
  summary: 'What does not agree between payments and statements',
  role: 'viewer',
  query: discrepanciesQuery as z.ZodType<z.output<typeof discrepanciesQuery>>,
  answer: discrepancies,
  refusals: { KIND_UNKNOWN: 400, CURSOR_INVALID: 400 },
  async handle(context, { query }): Promise<Discrepancies> {
    const { kind, statement, envelope, limit } = query;
    if (kind !== undefined && !Object.hasOwn(KIND_TITLES, kind))
      throw new ProblemError(400, 'KIND_UNKNOWN', `There is no kind of discrepancy ${kind}.`);
    const from = startOf(query.cursor);
    const filter = { statement, envelope };
    const missing = statement === undefined ? missingBatches(context) : null;
    const missingCount = missing === null ? 0 : countMissing(missing, envelope);
    return atOneMoment(context.database, async (sql) => {
      const counts = await countKinds(sql, filter);
      counts.set(MISSING, Math.min(missingCount, COUNTED_MAX));
      const found = await itemsFrom(context, sql, {
        ...filter,
        missing,
        kind: kind ?? null,
        from,
        limit: limit + 1,
      });
      const items = found.slice(0, limit);
      const last = found.length > limit ? items.at(-1) : undefined;
      return {
        kinds: Object.entries(KIND_TITLES).map(([one, title]) => ({
          kind: one,
          title,
          count: counts.get(one) ?? 0,
        })),
        missing_as_of: missing?.asOf.toISOString() ?? null,
        items: items.map(({ item }) => item),
        next_cursor: last ? encodeCursor([last.section, ...last.place]) : null,
      };
    });
  },
});

interface Start {
  readonly section: number;
  readonly after: Place | null;
}

/** What the first value of a section's places is: a number of an entry, a statement's id, a moment. */
const PLACES: readonly ((value: string) => boolean)[] = [
  (value) => /^\d{1,18}$/.test(value),
  () => true,
  (value) => moment.safeParse(value).success,
];

/** @throws ProblemError CURSOR_INVALID */
function startOf(cursor: string | undefined): Start {
  const values = decodeCursor(cursor, CURSOR);
  if (values === null) return { section: 0, after: null };
  const [section, ...after] = values;
  if (PLACES[section]?.(after[0])) return { section, after };
  throw new ProblemError(400, 'CURSOR_INVALID', 'The cursor is none of this list.');
}

/** Section by section, until there are enough. */
async function itemsFrom(
  context: OperatorContext,
  sql: Queryable,
  asked: DiscrepancyFilter & {
    readonly kind: string | null;
    readonly missing: MissingBatches | null;
    readonly from: Start;
    readonly limit: number;
  },
): Promise<(Placed & { readonly section: number })[]> {
  const { kind, from, limit, ...filter } = asked;
  const items: (Placed & { readonly section: number })[] = [];
  for (const [section, { kinds, read }] of SECTIONS.entries()) {
    if (section < from.section || (kind !== null && !kinds.includes(kind))) continue;
    const after = section === from.section ? from.after : null;
    const more = await read(context, sql, { ...filter, kind, after, limit: limit - items.length });
    items.push(...more.map((one) => ({ ...one, section })));
    if (items.length >= limit) break;
  }
  return items;
}

/** Counts kinds that are in the database, each by an index and up to {@link COUNTED_MAX}. */
async function countKinds(sql: Queryable, filter: DiscrepancyFilter): Promise<Map<string, number>> {
  const { statement, envelope } = filter;
  const rows = await sql<{ kind: string; count: number }[]>`
    select k.kind, c.count from unnest(${ENTRY_KINDS as string[]}::text[]) k (kind), lateral (
      select count(*)::int as count from (
        select from disbursement_error_recons x where x.error_reason = k.kind
          ${statement === undefined ? sql`` : sql`and x.statement_id = ${statement}`}
          ${envelope === undefined ? sql`` : sql`and x.disbursement_envelope_id = ${envelope}`}
        limit ${COUNTED_MAX}) counted
    ) c
    union all
    select ${REVERSED}, count(*)::int from (
      select from disbursement_recons where reversal_found
        ${statement === undefined ? sql`` : sql`and reversal_statement_id = ${statement}`}
        ${envelope === undefined ? sql`` : sql`and disbursement_envelope_id = ${envelope}`}
      limit ${COUNTED_MAX}) counted`;
  return new Map(rows.map(({ kind, count }) => [kind, count]));
}
