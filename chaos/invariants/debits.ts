import type { Sql } from '../../src/db/connection.ts';
import { compareDecimals, sumDecimals } from '../../src/decimal.ts';
import type { Finished, Program } from '../contract.ts';
import { debitsOf, ledgerOf } from './bank.ts';
import { type Standing, standingOf } from './standing.ts';
import { type Finding, invariant, lastHeardOf } from './with-database.ts';

/** What the bank is to have paid under one reference. */
interface Due {
  readonly envelopeId: string;
  readonly amount: string;
  /** Whether it may be missing: its envelope stopped in ERROR. */
  readonly stopped: boolean;
}

/**
 * The bank's ledger has one debit for each disbursement of digital cash, and one for each zone of a batch of physical
 * cash. What stopped in ERROR may be missing, but is not there twice either; what was cancelled is not there at all.
 */
export const debitedOnce = invariant(
  'Every disbursement is debited exactly once.',
  async function* (sql, run) {
    const accounts = Map.groupBy(
      run.world.programs.filter(({ account }) => account !== null),
      ({ account }) => account ?? '',
    );
    for (const [account, programs] of accounts) {
      const { due, findings } = await dueOf(sql, run, programs);
      yield* findings;
      yield* compare(sql, run.world.bankUrl, account, due);
    }
  },
);

async function dueOf(sql: Sql, run: Finished, programs: readonly Program[]) {
  const due = new Map<string, Due>();
  const findings: Finding[] = [];
  for await (const standing of standingOf(sql, run)) {
    if (!programs.some(({ id }) => id === standing.submitted.program.id) || standing.cancelled) continue;
    const { envelopeId, stopped, submitted } = standing;
    const payments =
      submitted.program.benefitType === 'CASH_PHYSICAL'
        ? await zonesOf(sql, standing, findings)
        : standing.disbursements;
    for (const [reference, { quantity }] of payments) {
      if (compareDecimals(quantity, '0') !== 0) due.set(reference, { envelopeId, amount: quantity, stopped });
    }
  }
  return { due, findings };
}

/** What is to go to each zone, by its geo record: where people live is the bridge's word, what they get is ours. */
async function zonesOf(
  sql: Sql,
  { envelopeId, stopped, disbursements }: Standing,
  findings: Finding[],
): Promise<ReadonlyMap<string, { readonly quantity: string }>> {
  const rows = await sql<{ id: string; geo: string }[]>`
    select id, disbursement_batch_control_geo_id as geo from disbursement_resolution_geo_address
    where disbursement_batch_control_id in (
      select id from disbursement_batch_control where disbursement_envelope_id = ${envelopeId})`;
  const geoOf = new Map(rows.map(({ id, geo }) => [id, geo]));
  const located = [...disbursements].filter(([id]) => geoOf.has(id));
  if (located.length < disbursements.size && !stopped) {
    const [lost] = [...disbursements.keys()].filter((id) => !geoOf.has(id));
    const missing = disbursements.size - located.length;
    findings.push({
      found: `${missing} disbursements of envelope ${envelopeId} are in no zone, such as ${lost}.`,
    });
  }
  const byGeo = Map.groupBy(located, ([id]) => geoOf.get(id) ?? '');
  return new Map(
    [...byGeo].map(([geo, some]) => [
      geo,
      { quantity: sumDecimals(some.map(([, { quantity }]) => quantity)) },
    ]),
  );
}

async function* compare(sql: Sql, bankUrl: string, account: string, due: ReadonlyMap<string, Due>) {
  const booked = new Map<string, Date>();
  for await (const { reference, amount, booked_at: at } of debitsOf(bankUrl, account)) {
    const first = booked.get(reference);
    if (first) {
      yield {
        found: `${reference} was debited at ${first.toISOString()} and once more: ${account} paid twice.`,
        at,
      };
      continue;
    }
    booked.set(reference, at);
    const wanted = due.get(reference);
    if (!wanted)
      yield { found: `${reference} was debited from ${account} and is nothing that was to be paid.`, at };
    else if (compareDecimals(wanted.amount, amount) !== 0) {
      yield { found: `${reference} was debited with ${amount} instead of ${wanted.amount}.`, at };
    }
  }
  for (const [reference, { envelopeId, amount, stopped }] of due) {
    if (booked.has(reference) || stopped) continue;
    const found = `${reference} of envelope ${envelopeId} was never debited with its ${amount}.`;
    yield { found, at: await lastHeardOf(sql, envelopeId) };
  }
}

/** Whatever was blocked for an envelope was paid out or given back. */
export const nothingBlocked = invariant('No funds stay blocked at the bank.', async function* (sql, run) {
  for await (const { stopped } of standingOf(sql, run)) if (stopped) return;
  for (const { account } of run.world.programs) {
    if (account === null) continue;
    const { blocked } = await ledgerOf(run.world.bankUrl, account);
    if (compareDecimals(blocked, '0') === 0) continue;
    yield { found: `${blocked} of account ${account} are still blocked.` };
  }
});
