import { parseMt940 } from '../../connectors/mt940/parser.ts';
import type { Sql } from '../../db/connection.ts';
import { compareDecimals, formatDecimal, normaliseDecimal, parseDecimal, plus } from '../../decimal.ts';
import { storedStatement } from '../../stages/stored-statement.ts';
import { type ProgramAccount, post, type World } from './world.ts';

/** What one of the three sources says; sums are exact decimals. */
export interface Tally {
  readonly count: number;
  readonly sum: string;
  readonly twice: number;
  readonly reversed: number;
  readonly reversedSum: string;
}

export interface StageFigures {
  readonly processed: number;
  readonly errors: number;
  readonly retries: number;
  /** From due to done, in milliseconds, over the pieces of work of the stage. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
}

/** The result of a run, as `--report` writes it. */
export interface Report {
  readonly ok: boolean;
  readonly differences: readonly string[];
  readonly envelope_id: string;
  readonly disbursements: number;
  readonly paid: number;
  readonly paid_twice: number;
  readonly reconciled: number;
  readonly reversed: number;
  readonly missing: number;
  readonly error_recons: number;
  readonly sum_disbursed: string;
  readonly sum_bank_debited: string;
  readonly sum_on_statements: string;
  readonly elapsed_ms: number;
  readonly disbursements_per_second: number;
  readonly peak_memory_mb: number | null;
  readonly stages: Readonly<Record<string, StageFigures>>;
  readonly ours: Tally;
  readonly bank: Tally;
  readonly statements: Tally;
}

/** Compares what we wrote down, what the bank's ledger holds and what its statements say. */
export async function makeReport(
  world: World,
  account: ProgramAccount,
  run: { envelopeId: string; disbursements: number; elapsedMs: number },
): Promise<Report> {
  const { sql } = world.database;
  const [ours, bank, statements, errorRecons, stages, peak] = await Promise.all([
    ourRows(sql, run.envelopeId),
    bankLedger(world, account),
    onStatements(sql, account),
    countErrorRecons(sql, account),
    stageFigures(sql, run.envelopeId, account),
    world.bridge.peakMemoryBytes(),
  ]);
  const differences = compare(run.disbursements, ours, bank, statements, errorRecons);
  return {
    ok: differences.length === 0,
    differences,
    envelope_id: run.envelopeId,
    disbursements: run.disbursements,
    paid: bank.count - bank.twice,
    paid_twice: bank.twice,
    reconciled: ours.count,
    reversed: ours.reversed,
    missing: run.disbursements - ours.count,
    error_recons: errorRecons,
    sum_disbursed: ours.sum,
    sum_bank_debited: bank.sum,
    sum_on_statements: statements.sum,
    elapsed_ms: Math.round(run.elapsedMs),
    disbursements_per_second: Math.round(run.disbursements / (run.elapsedMs / 1000)),
    peak_memory_mb: peak === null ? null : Math.round(peak / 1024 ** 2),
    stages,
    ours,
    bank,
    statements,
  };
}

function compare(
  expected: number,
  ours: Tally,
  bank: Tally,
  statements: Tally,
  errorRecons: number,
): string[] {
  const differences: string[] = [];
  for (const [name, tally] of Object.entries({
    'our rows': ours,
    'the bank': bank,
    'the statements': statements,
  })) {
    if (tally.count !== expected) differences.push(`${name}: ${tally.count} payments instead of ${expected}`);
    if (tally.twice > 0) differences.push(`${name}: ${tally.twice} paid twice`);
    if (compareDecimals(tally.sum, ours.sum) !== 0)
      differences.push(`${name}: ${tally.sum} instead of ${ours.sum}`);
    if (tally.reversed !== ours.reversed)
      differences.push(`${name}: ${tally.reversed} reversed, not ${ours.reversed}`);
  }
  if (errorRecons > 0) differences.push(`${errorRecons} entries of the statements could not be matched`);
  return differences;
}

/** The disbursements that have been reconciled, with the amounts they were sent with. */
async function ourRows(sql: Sql, envelopeId: string): Promise<Tally> {
  const [row] = await sql<{ count: number; sum: string; reversed: number; reversed_sum: string }[]>`
    select count(*)::int as count, coalesce(sum(d.disbursement_quantity), 0)::text as sum,
      count(*) filter (where r.reversal_found)::int as reversed,
      coalesce(sum(d.disbursement_quantity) filter (where r.reversal_found), 0)::text as reversed_sum
    from disbursements d join disbursement_recons r on r.reconciliation_id = d.id
    where r.disbursement_envelope_id = ${envelopeId}`;
  return {
    count: row?.count ?? 0,
    sum: normaliseDecimal(row?.sum ?? '0'),
    twice: 0,
    reversed: row?.reversed ?? 0,
    reversedSum: normaliseDecimal(row?.reversed_sum ?? '0'),
  };
}

async function bankLedger(world: World, account: ProgramAccount): Promise<Tally> {
  const ledger = (await post(
    world.bank.url,
    `/_admin/ledger?account=${encodeURIComponent(account.number)}`,
  )) as {
    debits: number;
    debited_sum: string;
    reversed: number;
    reversed_sum: string;
    duplicate_references: number;
  };
  return {
    count: ledger.debits,
    sum: normaliseDecimal(String(ledger.debited_sum)),
    twice: ledger.duplicate_references,
    reversed: ledger.reversed,
    reversedSum: normaliseDecimal(String(ledger.reversed_sum)),
  };
}

/** Reads the statement files again, apart from what was made of them. */
async function onStatements(sql: Sql, account: ProgramAccount): Promise<Tally> {
  const seen = new Set<string>();
  let twice = 0;
  let sum = parseDecimal('0');
  let reversedSum = parseDecimal('0');
  let count = 0;
  let reversed = 0;
  const rows = await sql<{ statement_id: string }[]>`
    select statement_id from account_statements where account_number = ${account.number}`;
  for (const { statement_id } of rows) {
    for await (const event of parseMt940(storedStatement(sql, statement_id))) {
      if (event.type !== 'entry') continue;
      const { mark, amount, narrative } = event.entry;
      if (mark === 'RD') {
        reversed += 1;
        reversedSum = plus(reversedSum, parseDecimal(amount));
      } else if (mark === 'D') {
        const id = narrative[4] ?? event.entry.customerReference;
        if (seen.has(id)) twice += 1;
        seen.add(id);
        count += 1;
        sum = plus(sum, parseDecimal(amount));
      }
    }
  }
  return { count, sum: formatDecimal(sum), twice, reversed, reversedSum: formatDecimal(reversedSum) };
}

async function countErrorRecons(sql: Sql, account: ProgramAccount): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from disbursement_error_recons
    where statement_id in (select statement_id from account_statements where account_number = ${account.number})`;
  return row?.n ?? 0;
}

const STAGE_OF: Readonly<Record<string, string>> = {
  fa_resolution: 'mapper_resolution',
  funds_available: 'check_funds_with_bank',
  funds_blocked: 'block_funds_with_bank',
  sponsor_bank_dispatch: 'disburse_funds_from_bank',
  statement_process: 'mt940_processor',
};

/** Figures of each stage, from the journal: due is when a piece of work first became due, done when it succeeded. */
async function stageFigures(
  sql: Sql,
  envelopeId: string,
  account: ProgramAccount,
): Promise<Record<string, StageFigures>> {
  const rows = await sql<(StageFigures & { region: string })[]>`
    with work as (
      select region, actor_id,
        min(greatest(at, due_at)) filter (where due_at is not null) as due,
        min(at) filter (where event = 'succeeded') as done,
        count(*) filter (where to_state = 'ERROR')::int as errors,
        count(*) filter (where event in ('failed', 'stale', 'refused') and to_state <> 'ERROR')::int as retries
      from actor_transitions
      where correlation_id = ${envelopeId}
        or correlation_id in (select statement_id from account_statements where account_number = ${account.number})
      group by region, actor_id
    )
    select region, count(done)::int as processed, sum(errors)::int as errors, sum(retries)::int as retries,
      round(percentile_cont(0.5) within group (order by extract(epoch from done - due) * 1000))::int as p50_ms,
      round(percentile_cont(0.99) within group (order by extract(epoch from done - due) * 1000))::int as p99_ms
    from work group by region`;
  return Object.fromEntries(
    Object.entries(STAGE_OF).map(([region, stage]) => {
      const { region: _, ...figures } = rows.find((row) => row.region === region) ?? {
        region,
        processed: 0,
        errors: 0,
        retries: 0,
        p50_ms: null,
        p99_ms: null,
      };
      return [stage, figures];
    }),
  );
}
