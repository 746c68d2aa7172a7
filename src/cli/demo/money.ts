import { parseMt940 } from '../../connectors/mt940/parser.ts';
import type { Sql } from '../../db/connection.ts';
import { compareDecimals, formatDecimal, normaliseDecimal, parseDecimal, plus } from '../../decimal.ts';
import { storedStatement } from '../../stages/stored-statement.ts';
import { post } from './http.ts';
import type { DemoEnvelope } from './programs.ts';

/** What one of the three sources says of the payments of an envelope; sums are exact decimals. */
export interface Tally {
  readonly payments: number;
  readonly sum: string;
  readonly twice: number;
  readonly reversed: number;
  readonly sum_reversed: string;
}

/** The money of an envelope, from three sources. */
export interface Money {
  /** Payments that there must be: one for each disbursement, or for each geo record of physical cash. */
  readonly payments: number;
  /** Disbursements. */
  readonly reconciled: number;
  readonly reversed: number;
  readonly missing: number;
  readonly error_recons: number;
  readonly ours: Tally;
  readonly bank: Tally;
  readonly statements: Tally;
}

/** Reads what we wrote down, what the bank's ledger holds and what its statements say. */
export async function moneyOf(
  sql: Sql,
  bankUrl: string,
  envelope: DemoEnvelope,
  account: string,
): Promise<Money> {
  const [ours, bank, statements, errorRecons, [counted]] = await Promise.all([
    ourRows(sql, envelope.id),
    bankLedger(bankUrl, account),
    onStatements(sql, account),
    countErrorRecons(sql, account),
    sql<{ reconciled: number; reversed: number; geos: number }[]>`
      select number_of_disbursements_reconciled as reconciled, number_of_disbursements_reversed as reversed,
        (select count(*)::int from disbursement_batch_control_geo g
          where g.disbursement_envelope_id = s.disbursement_envelope_id) as geos
      from envelope_batch_status_for_cash s where disbursement_envelope_id = ${envelope.id}`,
  ]);
  const { reconciled = 0, reversed = 0, geos = 0 } = counted ?? {};
  const payments = envelope.program.benefitType === 'CASH_PHYSICAL' ? geos : envelope.disbursements;
  const missing = envelope.disbursements - reconciled;
  return { payments, reconciled, reversed, missing, error_recons: errorRecons, ours, bank, statements };
}

/** What is not as it must be, as sentences without the name of the envelope. */
export function moneyDifferences(money: Money, { disbursements, quantity }: DemoEnvelope): string[] {
  const differences: string[] = [];
  const { payments, reconciled, error_recons: errorRecons, ours, bank, statements } = money;
  for (const [name, tally] of Object.entries({
    'our rows': ours,
    'the bank': bank,
    'the statements': statements,
  })) {
    if (tally.payments !== payments)
      differences.push(`${name}: ${tally.payments} payments instead of ${payments}`);
    if (tally.twice > 0) differences.push(`${name}: ${tally.twice} paid twice`);
    if (compareDecimals(tally.sum, quantity) !== 0)
      differences.push(`${name}: ${tally.sum} instead of ${quantity}`);
    if (tally.reversed !== ours.reversed)
      differences.push(`${name}: ${tally.reversed} reversed, not ${ours.reversed}`);
  }
  if (reconciled !== disbursements) differences.push(`${reconciled} of ${disbursements} reconciled`);
  if (errorRecons > 0) differences.push(`${errorRecons} entries of the statements could not be matched`);
  return differences;
}

/** The payments that have been reconciled, with the amounts they were sent with. */
async function ourRows(sql: Sql, envelopeId: string): Promise<Tally> {
  const [row] = await sql<{ payments: number; sum: string; reversed: number; sum_reversed: string }[]>`
    select count(*)::int as payments, coalesce(sum(p.quantity), 0)::text as sum,
      count(*) filter (where r.reversal_found)::int as reversed,
      coalesce(sum(p.quantity) filter (where r.reversal_found), 0)::text as sum_reversed
    from disbursement_recons r
    cross join lateral (
      select d.disbursement_quantity as quantity from disbursements d where d.id = r.disbursement_id
      union all
      select g.total_quantity from disbursement_batch_control_geo g where g.id = r.disbursement_batch_control_geo_id
    ) p
    where r.disbursement_envelope_id = ${envelopeId}`;
  return {
    payments: row?.payments ?? 0,
    sum: normaliseDecimal(row?.sum ?? '0'),
    twice: 0,
    reversed: row?.reversed ?? 0,
    sum_reversed: normaliseDecimal(row?.sum_reversed ?? '0'),
  };
}

async function bankLedger(bankUrl: string, account: string): Promise<Tally> {
  const ledger = (await post(bankUrl, `/_admin/ledger?account=${encodeURIComponent(account)}`)) as {
    debits: number;
    debited_sum: string;
    reversed: number;
    reversed_sum: string;
    duplicate_references: number;
  };
  return {
    payments: ledger.debits,
    sum: normaliseDecimal(String(ledger.debited_sum)),
    twice: ledger.duplicate_references,
    reversed: ledger.reversed,
    sum_reversed: normaliseDecimal(String(ledger.reversed_sum)),
  };
}

/** Reads the statement files again, apart from what was made of them. */
async function onStatements(sql: Sql, account: string): Promise<Tally> {
  const seen = new Set<string>();
  let twice = 0;
  let sum = parseDecimal('0');
  let sumReversed = parseDecimal('0');
  let payments = 0;
  let reversed = 0;
  const rows = await sql<{ statement_id: string }[]>`
    select statement_id from account_statements where account_number = ${account}`;
  for (const { statement_id } of rows) {
    for await (const event of parseMt940(storedStatement(sql, statement_id))) {
      if (event.type !== 'entry') continue;
      const { mark, amount, narrative } = event.entry;
      if (mark === 'RD') {
        reversed += 1;
        sumReversed = plus(sumReversed, parseDecimal(amount));
      } else if (mark === 'D') {
        const id = narrative[4] ?? event.entry.customerReference;
        if (seen.has(id)) twice += 1;
        seen.add(id);
        payments += 1;
        sum = plus(sum, parseDecimal(amount));
      }
    }
  }
  return { payments, sum: formatDecimal(sum), twice, reversed, sum_reversed: formatDecimal(sumReversed) };
}

async function countErrorRecons(sql: Sql, account: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from disbursement_error_recons
    where statement_id in (select statement_id from account_statements where account_number = ${account})`;
  return row?.n ?? 0;
}
