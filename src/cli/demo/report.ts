import { sumDecimals } from '../../decimal.ts';
import { goesThroughZones } from '../../machines/benefit-type.ts';
import { type Money, moneyDifferences, moneyOf } from './money.ts';
import type { DemoEnvelope } from './programs.ts';
import { type StageFigures, stageFigures } from './stages.ts';
import type { World } from './world.ts';
import { type Zones, zoneDifferences, zonesOf } from './zones.ts';

/** What became of one envelope. */
export interface EnvelopeReport {
  readonly benefit_type: string;
  readonly envelope_id: string;
  readonly disbursements: number;
  /** Exact decimal. */
  readonly quantity: string;
  readonly measurement_unit: string;
  /** From the beginning of the run until the envelope was complete. */
  readonly elapsed_ms: number;
  /** Null when it gives no money. */
  readonly money: Money | null;
  /** Null when it reaches nobody through warehouses and agencies. */
  readonly zones: Zones | null;
}

/** The result of a run, as `--report` writes it; counts and sums of money are those of all envelopes of cash. */
export interface Report {
  readonly ok: boolean;
  readonly differences: readonly string[];
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
  readonly envelopes: readonly EnvelopeReport[];
}

/**
 * Compares what we wrote down with what the bank and the notification service have.
 *
 * @param doneAt when each envelope was complete, in milliseconds from the beginning of the run
 */
export async function makeReport(
  world: World,
  envelopes: readonly DemoEnvelope[],
  doneAt: ReadonlyMap<string, number>,
  elapsedMs: number,
): Promise<Report> {
  const [reports, stages, peak] = await Promise.all([
    Promise.all(envelopes.map((envelope) => envelopeReport(world, envelope, doneAt.get(envelope.id) ?? 0))),
    stageFigures(world.database.sql, envelopes),
    world.bridge.peakMemoryBytes(),
  ]);
  const differences = envelopes.flatMap((envelope, index) => differencesOf(envelope, reports[index]));
  const disbursements = envelopes.reduce((sum, envelope) => sum + envelope.disbursements, 0);
  return {
    ok: differences.length === 0,
    differences,
    disbursements,
    ...moneyInAll(reports.flatMap(({ money }) => money ?? [])),
    elapsed_ms: Math.round(elapsedMs),
    disbursements_per_second: Math.round(disbursements / (elapsedMs / 1000)),
    peak_memory_mb: peak === null ? null : Math.round(peak / 1024 ** 2),
    stages,
    envelopes: reports,
  };
}

async function envelopeReport(
  { database: { sql }, bank, inKind }: World,
  envelope: DemoEnvelope,
  elapsedMs: number,
): Promise<EnvelopeReport> {
  const { benefitType, account, unit } = envelope.program;
  const zonal = inKind !== null && goesThroughZones(benefitType);
  const [money, zones] = await Promise.all([
    account === null ? null : moneyOf(sql, bank.url, envelope, account),
    zonal ? zonesOf(sql, inKind.novu.url, envelope) : null,
  ]);
  return {
    benefit_type: benefitType,
    envelope_id: envelope.id,
    disbursements: envelope.disbursements,
    quantity: envelope.quantity,
    measurement_unit: unit,
    elapsed_ms: Math.round(elapsedMs),
    money,
    zones,
  };
}

function differencesOf(envelope: DemoEnvelope, report: EnvelopeReport | undefined): string[] {
  const { money, zones } = report ?? {};
  return [
    ...(money ? moneyDifferences(money, envelope) : []),
    ...(zones ? zoneDifferences(zones, envelope) : []),
  ].map((difference) => `${envelope.program.benefitType}: ${difference}`);
}

function moneyInAll(all: readonly Money[]) {
  const count = (of: (money: Money) => number) => all.reduce((sum, money) => sum + of(money), 0);
  return {
    paid: count(({ bank }) => bank.payments - bank.twice),
    paid_twice: count(({ bank }) => bank.twice),
    reconciled: count(({ reconciled }) => reconciled),
    reversed: count(({ reversed }) => reversed),
    missing: count(({ missing }) => missing),
    error_recons: count(({ error_recons: errors }) => errors),
    sum_disbursed: sumDecimals(all.map(({ ours }) => ours.sum)),
    sum_bank_debited: sumDecimals(all.map(({ bank }) => bank.sum)),
    sum_on_statements: sumDecimals(all.map(({ statements }) => statements.sum)),
  };
}
