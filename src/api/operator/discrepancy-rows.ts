import type { Queryable } from '../../db/connection.ts';
import { type MissingPayment, missingPayments } from '../../stages/missing-payments.ts';
import type { OperatorContext } from './context.ts';
import { ENTRY_KINDS, MISSING, REVERSED } from './discrepancy-kinds.ts';
import type { MissingBatches } from './missing-batches.ts';
import type { Discrepancies } from './wire/statements.ts';

/** What discrepancies are asked for, whatever their kind. */
export interface DiscrepancyFilter {
  readonly statement?: string | undefined;
  readonly envelope?: string | undefined;
}

/** A discrepancy and its place in the list of its section. */
export interface Placed {
  readonly item: Discrepancies['items'][number];
  readonly place: Place;
}

/** What the list of a section is ordered by; shorter ones are filled up with empty texts. */
export type Place = readonly [string, string, string];

/** A part of the list of discrepancies, with an order of its own. */
export interface Section {
  readonly kinds: readonly string[];
  /**
   * @param kind null: all of the section
   * @param after null: from the beginning
   */
  read(
    context: OperatorContext,
    sql: Queryable,
    asked: DiscrepancyFilter & {
      readonly kind: string | null;
      /** Null when it is not known yet what is missing. */
      readonly missing: MissingBatches | null;
      readonly after: Place | null;
      readonly limit: number;
    },
  ): Promise<Placed[]>;
}

interface Row {
  readonly kind: string;
  readonly payment: string | null;
  readonly names: string | null;
  readonly envelope: string | null;
  readonly batch: string | null;
  readonly statement: string | null;
  readonly entry: number | null;
  readonly quantity: string;
  readonly at: Date | null;
  readonly note: string | null;
}

const placed = ({ at, ...row }: Row, ...[a = '', b = '', c = '']: readonly string[]): Placed => ({
  item: { ...row, at: at?.toISOString() ?? null },
  place: [a, b, c],
});

/** Entries of statements that match no payment, the latest first. */
const entries: Section = {
  kinds: ENTRY_KINDS,
  async read(_, sql, { kind, statement, envelope, after, limit }) {
    const rows = await sql<(Row & { id: string })[]>`
      with these as materialized (
        select * from disbursement_error_recons x
        where true
          ${kind === null ? sql`` : sql`and x.error_reason = ${kind}`}
          ${statement === undefined ? sql`` : sql`and x.statement_id = ${statement}`}
          ${envelope === undefined ? sql`` : sql`and x.disbursement_envelope_id = ${envelope}`}
          ${after === null ? sql`` : sql`and x.id < ${after[0]}::bigint`}
        order by x.id desc limit ${limit})
      select x.id, x.error_reason as kind, coalesce(d.id, g.id) as payment,
        nullif(x.reconciliation_id, '') as names,
        coalesce(x.disbursement_envelope_id, d.disbursement_envelope_id, g.disbursement_envelope_id) as envelope,
        coalesce(d.disbursement_batch_control_id, g.disbursement_batch_control_id) as batch,
        x.statement_id as statement, x.entry_sequence as entry, x.entry_amount as quantity,
        coalesce(x.entry_date, x.value_date) as at, coalesce(x.reversal_reason, x.bank_reference_number) as note
      from these x
      left join disbursements d on d.id = x.reconciliation_id
      left join disbursement_batch_control_geo g on g.id = x.reconciliation_id
      order by x.id desc`;
    return rows.map(({ id, ...row }) => placed(row, String(id)));
  },
};

/** Payments that came back, those on the statement that was uploaded last first. */
const reversed: Section = {
  kinds: [REVERSED],
  async read(_, sql, { statement, envelope, after, limit }) {
    const rows = await sql<(Row & { statement: string; payment: string })[]>`
      select ${REVERSED} as kind, reconciliation_id as payment, reconciliation_id as names, disbursement_envelope_id as envelope,
        disbursement_batch_control_id as batch, reversal_statement_id as statement,
        reversal_entry_sequence as entry, remittance_amount as quantity,
        coalesce(reversal_entry_date, reversal_value_date) as at, reversal_reason as note
      from disbursement_recons
      where reversal_found and reversal_statement_id is not null
        ${statement === undefined ? sql`` : sql`and reversal_statement_id = ${statement}`}
        ${envelope === undefined ? sql`` : sql`and disbursement_envelope_id = ${envelope}`}
        ${
          after === null
            ? sql``
            : sql`and (reversal_statement_id, reconciliation_id) < (${after[0]}, ${after[1]})`
        }
      order by reversal_statement_id desc, reconciliation_id desc limit ${limit}`;
    return rows.map((row) => placed(row, row.statement, row.payment));
  },
};

/** Payments that should be on a statement by now, the longest missing first. Of one statement none is. */
const missing: Section = {
  kinds: [MISSING],
  async read({ config }, sql, { missing: view, statement, envelope, after, limit }) {
    if (statement !== undefined || view === null) return [];
    const rest = { overdueDays: config.reconciliation_overdue_days, now: view.asOf };
    const from = after === null ? {} : { after: missingAfter(after) };
    const rows: MissingPayment[] = [];
    for (const batches of batchesFor(view, envelope, after, limit)) {
      rows.push(...(await missingPayments(sql, { ...rest, ...from, batches, limit: limit - rows.length })));
      if (rows.length >= limit) break;
    }
    return rows.map((row) => {
      const { payment_id: payment, disbursement_batch_control_id: batch, shipped_at: at, quantity } = row;
      const item = { kind: MISSING, payment, envelope: row.disbursement_envelope_id, batch, quantity, at };
      return placed(
        { ...item, names: null, statement: null, entry: null, note: null },
        at.toISOString(),
        batch,
        payment,
      );
    });
  },
};

/**
 * The batches to look into, as many at once as should have enough; what has been found since they were counted makes that
 * fewer, so there may be more.
 */
function* batchesFor(
  { batches }: MissingBatches,
  envelope: string | undefined,
  after: Place | null,
  limit: number,
): Generator<string[]> {
  const from = after === null ? null : missingAfter(after);
  let ids: string[] = [];
  let count = 0;
  for (const batch of batches) {
    if (envelope !== undefined && batch.disbursement_envelope_id !== envelope) continue;
    // Those of one moment are all looked into: what of them comes after is the database's to say.
    if (from !== null && batch.shipped_at < from.shipped_at) continue;
    ids.push(batch.id);
    if (batch.id !== from?.disbursement_batch_control_id) count += batch.count;
    if (count < limit) continue;
    yield ids;
    ids = [];
    count = 0;
  }
  if (ids.length > 0) yield ids;
}

const missingAfter = ([shippedAt, batch, payment]: Place) => ({
  shipped_at: new Date(shippedAt),
  disbursement_batch_control_id: batch,
  payment_id: payment,
});

/** In the order of the list. */
export const SECTIONS: readonly Section[] = [entries, reversed, missing];
