import { pipeline } from 'node:stream/promises';
import type { Tx } from '../db/connection.ts';
import type { OutcomeTransaction } from '../runtime/stage.ts';

/** A debit or the reversal of one, with what its bank's connector read out of it. */
export interface StatementEntry {
  /** Place in the statement, from 1, counted over all its messages. */
  readonly place: number;
  readonly mark: string;
  /** Exact decimal. */
  readonly amount: string;
  readonly currency: string;
  readonly value_date: string;
  readonly entry_date: string | null;
  readonly statement_number: string;
  readonly statement_sequence: string | null;
  /** A disbursement id, or a geo record id for physical cash; empty when the entry names none. */
  readonly reconciliation_id: string;
  readonly bank_reference: string | null;
  readonly reversal_reason: string | null;
}

/** Entries that are sent to the database at once, characters: little, so that its memory is soon free again. */
const COPY_CHARACTERS = 32 * 1024;

/**
 * Matches the entries of a statement with payments, set by set, and tells the envelopes.
 *
 * Statements of one account must take turns; then it does not matter in which order they are processed: a reversal that
 * comes before its remittance is kept as INVALID_REVERSAL and takes effect when the remittance turns up.
 *
 * @param entries in the order of the file; read as a stream
 */
export async function reconcile(
  tx: OutcomeTransaction,
  statementId: string,
  entries: AsyncIterable<StatementEntry>,
): Promise<void> {
  const { sql } = tx;
  await loadEntries(sql, entries);
  await recordRemittances(sql, statementId);
  await recordUnmatchedDebits(sql, statementId);
  await applyEarlierReversals(sql);
  await recordReversals(sql, statementId);
  await recordUnmatchedReversals(sql, statementId);
  for (const { id, reconciled, reversed, ...quantities } of await sumByEnvelope(sql, statementId)) {
    const envelope = { machine: 'envelope', id };
    if (reconciled > 0)
      tx.tell(envelope, { type: 'reconciled', count: reconciled, quantity: quantities.quantity_reconciled });
    if (reversed > 0)
      tx.tell(envelope, { type: 'reversed', count: reversed, quantity: quantities.quantity_reversed });
  }
  await sql`drop table statement_entries, remittances, reversals`;
}

/** Puts the entries into a table of this transaction, with what each of them could be the payment of. */
async function loadEntries(sql: Tx, entries: AsyncIterable<StatementEntry>): Promise<void> {
  await sql`
    create temporary table statement_entries (
      place int, mark text, amount numeric, currency text, value_date timestamptz, entry_date timestamptz,
      statement_number text, statement_sequence text, reconciliation_id text, bank_reference text, reversal_reason text
    ) on commit drop`;
  const copy = await sql`copy statement_entries from stdin`.writable();
  await pipeline(copyText(entries), copy);
  await sql`analyze statement_entries`;
  // What was paid under each id: a disbursement, or for physical cash what an agency got for a geo record. Goods are not
  // paid, and neither is each disbursement of physical cash: it would count a second time.
  await sql`
    create temporary table remittances on commit drop as
    select e.place, p.* from statement_entries e
    join lateral (
      select d.id as disbursement_id, null as geo_id, d.disbursement_batch_control_id as batch_id,
        d.disbursement_envelope_id as envelope_id, d.disbursement_quantity as quantity
      from disbursements d join disbursement_batch_control b on b.id = d.disbursement_batch_control_id
      where d.id = e.reconciliation_id and b.benefit_type = 'CASH_DIGITAL'
      union all
      select null, g.id, g.disbursement_batch_control_id, g.disbursement_envelope_id, g.total_quantity
      from disbursement_batch_control_geo g join disbursement_batch_control b on b.id = g.disbursement_batch_control_id
      where g.id = e.reconciliation_id and b.benefit_type = 'CASH_PHYSICAL'
      limit 1
    ) p on true
    where e.mark = 'D'`;
}

/** The entries as COPY reads them. */
async function* copyText(entries: AsyncIterable<StatementEntry>): AsyncGenerator<string> {
  let text = '';
  for await (const entry of entries) {
    text += copyLine(entry);
    if (text.length < COPY_CHARACTERS) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** In the order of the columns of `statement_entries`. */
const copyLine = (entry: StatementEntry): string =>
  `${[
    String(entry.place),
    entry.mark,
    entry.amount,
    entry.currency,
    entry.value_date,
    entry.entry_date,
    entry.statement_number,
    entry.statement_sequence,
    entry.reconciliation_id,
    entry.bank_reference,
    entry.reversal_reason,
  ]
    .map(copyValue)
    .join('\t')}\n`;

const COPY_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

/** Text format of COPY, PostgreSQL manual, "COPY", "Text Format". */
const copyValue = (value: string | null): string =>
  value === null ? '\\N' : value.replace(/[\\\t\n\r]/g, (character) => COPY_ESCAPES[character] ?? character);

/**
 * The first entry of the right amount and currency reconciles a payment. The primary key decides between statements:
 * whatever is there already is left alone. Ordered by key, so that two statements never wait for each other crosswise.
 * A quantity of zero counted as reconciled when it was not sent, so nothing reconciles it again.
 */
async function recordRemittances(sql: Tx, statementId: string): Promise<void> {
  await sql`
    insert into disbursement_recons (
      reconciliation_id, disbursement_id, disbursement_batch_control_geo_id, disbursement_batch_control_id,
      disbursement_envelope_id, remittance_amount, remittance_reference_number, remittance_statement_id,
      remittance_statement_number, remittance_statement_sequence, remittance_entry_sequence, remittance_entry_date,
      remittance_value_date)
    select distinct on (e.reconciliation_id) e.reconciliation_id, r.disbursement_id, r.geo_id, r.batch_id, r.envelope_id,
      e.amount, e.bank_reference, ${statementId}, e.statement_number, e.statement_sequence, e.place, e.entry_date,
      e.value_date
    from statement_entries e
    join remittances r on r.place = e.place
    join disbursement_envelopes v on v.id = r.envelope_id
    where e.amount = r.quantity and e.currency = v.measurement_unit and r.quantity > 0
    order by e.reconciliation_id, e.place
    on conflict (reconciliation_id) do nothing`;
}

async function recordUnmatchedDebits(sql: Tx, statementId: string): Promise<void> {
  await sql`
    insert into disbursement_error_recons (
      statement_id, statement_number, statement_sequence, entry_sequence, entry_date, value_date, entry_amount,
      error_reason, reconciliation_id, disbursement_envelope_id, disbursement_batch_control_geo_id,
      bank_reference_number)
    select ${statementId}, e.statement_number, e.statement_sequence, e.place, e.entry_date, e.value_date, e.amount,
      case
        when r.place is null then 'INVALID_RECONCILIATION_ID'
        when e.amount <> r.quantity or e.currency <> v.measurement_unit then 'AMOUNT_MISMATCH'
        else 'DUPLICATE_DISBURSEMENT'
      end,
      e.reconciliation_id, r.envelope_id, r.geo_id, e.bank_reference
    from statement_entries e
    left join remittances r on r.place = e.place
    left join disbursement_envelopes v on v.id = r.envelope_id
    where e.mark = 'D' and not exists (
      select from disbursement_recons c
      where c.reconciliation_id = e.reconciliation_id
        and c.remittance_statement_id = ${statementId} and c.remittance_entry_sequence = e.place)
    order by e.place`;
}

/**
 * Reversals that were processed before their remittances: they take effect now, the first one of each payment. Others
 * stay what they are.
 */
async function applyEarlierReversals(sql: Tx): Promise<void> {
  await sql`create temporary table reversals (
    place int, envelope_id text, disbursement_batch_control_geo_id text, remittance_amount numeric) on commit drop`;
  await sql`
    with early as (
      delete from disbursement_error_recons where id in (
        select distinct on (x.reconciliation_id) x.id
        from remittances r
        join disbursement_recons c on c.reconciliation_id = coalesce(r.disbursement_id, r.geo_id)
        join disbursement_error_recons x
          on x.reconciliation_id = c.reconciliation_id and x.entry_amount = c.remittance_amount
        where x.error_reason = 'INVALID_REVERSAL' and not c.reversal_found
        order by x.reconciliation_id, x.id)
      returning *
    ), reversed as (
      update disbursement_recons c set
        reversal_found = true, reversal_statement_id = x.statement_id, reversal_statement_number = x.statement_number,
        reversal_statement_sequence = x.statement_sequence, reversal_entry_sequence = x.entry_sequence,
        reversal_entry_date = x.entry_date, reversal_value_date = x.value_date, reversal_reason = x.reversal_reason
      from early x
      where c.reconciliation_id = x.reconciliation_id
      returning c.disbursement_envelope_id, c.disbursement_batch_control_geo_id, c.remittance_amount
    )
    insert into reversals select null, * from reversed`;
}

/** The first reversal of the right amount takes effect, unless one has before. */
async function recordReversals(sql: Tx, statementId: string): Promise<void> {
  await sql`
    with reversed as (
      update disbursement_recons c set
        reversal_found = true, reversal_statement_id = ${statementId}, reversal_statement_number = e.statement_number,
        reversal_statement_sequence = e.statement_sequence, reversal_entry_sequence = e.place,
        reversal_entry_date = e.entry_date, reversal_value_date = e.value_date, reversal_reason = e.reversal_reason
      from (
        select distinct on (reconciliation_id) e.*
        from statement_entries e join disbursement_recons r using (reconciliation_id)
        where e.mark = 'RD' and e.amount = r.remittance_amount
        order by reconciliation_id, e.place
      ) e
      where c.reconciliation_id = e.reconciliation_id and not c.reversal_found
      returning e.place, c.disbursement_envelope_id, c.disbursement_batch_control_geo_id, c.remittance_amount
    )
    insert into reversals select * from reversed`;
}

async function recordUnmatchedReversals(sql: Tx, statementId: string): Promise<void> {
  await sql`
    insert into disbursement_error_recons (
      statement_id, statement_number, statement_sequence, entry_sequence, entry_date, value_date, entry_amount,
      error_reason, reconciliation_id, bank_reference_number, reversal_reason)
    select ${statementId}, e.statement_number, e.statement_sequence, e.place, e.entry_date, e.value_date, e.amount,
      'INVALID_REVERSAL', e.reconciliation_id, e.bank_reference, e.reversal_reason
    from statement_entries e
    where e.mark = 'RD' and not exists (select from reversals r where r.place = e.place)
    order by e.place`;
}

/** How many disbursements payment `p` is for: one, or all those of the zone that an agency got cash for. */
const disbursementsOf = (sql: Tx) => sql`
  case when p.disbursement_batch_control_geo_id is null then 1
    else (select count(*) from disbursement_resolution_geo_address a
      where a.disbursement_batch_control_geo_id = p.disbursement_batch_control_geo_id) end`;

interface EnvelopeSums {
  readonly id: string;
  readonly reconciled: number;
  readonly reversed: number;
  /** Exact decimals. */
  readonly quantity_reconciled: string;
  readonly quantity_reversed: string;
}

async function sumByEnvelope(sql: Tx, statementId: string): Promise<readonly EnvelopeSums[]> {
  return sql<EnvelopeSums[]>`
    select id, coalesce(sum(count) filter (where not is_reversal), 0)::int as reconciled,
      coalesce(sum(count) filter (where is_reversal), 0)::int as reversed,
      coalesce(sum(quantity) filter (where not is_reversal), 0) as quantity_reconciled,
      coalesce(sum(quantity) filter (where is_reversal), 0) as quantity_reversed
    from (
      select disbursement_envelope_id as id, false as is_reversal, ${disbursementsOf(sql)} as count,
        remittance_amount as quantity
      from disbursement_recons p where remittance_statement_id = ${statementId}
      union all
      select envelope_id, true, ${disbursementsOf(sql)}, remittance_amount from reversals p
    ) payments group by id order by id`;
}
