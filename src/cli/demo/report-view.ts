import { formatTable, groupDigits, type Paint } from '../ui.ts';
import type { Money, Tally } from './money.ts';
import type { EnvelopeReport, Report } from './report.ts';
import type { StageFigures } from './stages.ts';
import { NOTIFIED, type Zones } from './zones.ts';

/** The final tables, a section for each envelope, and the verdict. */
export function reportLines(report: Report, paint: Paint): string[] {
  const memory = report.peak_memory_mb === null ? '' : `, ${report.peak_memory_mb} MB at most`;
  const perSecond = groupDigits(report.disbursements_per_second);
  return [
    '',
    ...stageTable(report.stages),
    ...report.envelopes.flatMap((envelope) => ['', ...section(envelope, paint)]),
    '',
    `${seconds(report.elapsed_ms)}, ${perSecond} disbursements per second${memory}`,
    report.ok
      ? paint.green(`OK: ${goodNews(report)}.`)
      : paint.red(`NOT OK: ${report.differences.join('; ')}.`),
  ];
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** What holds, in words: only what the run has shown. */
function goodNews({ disbursements, envelopes }: Report): string {
  const all = `all ${groupDigits(disbursements)} disbursements are`;
  const hasMoney = envelopes.some(({ money }) => money !== null);
  if (envelopes.every(({ zones }) => zones === null)) return `${all} paid once and reconciled`;
  return `${all} complete: ${hasMoney ? 'money is paid once and reconciled, ' : ''}everybody is notified`;
}

function section(envelope: EnvelopeReport, paint: Paint): string[] {
  const { benefit_type, disbursements, quantity, measurement_unit: unit, money, zones } = envelope;
  const what = `${groupDigits(disbursements)} disbursements, ${groupDigits(quantity)} ${unit}`;
  const reconciled = money ? `, ${groupDigits(money.reconciled)} reconciled` : '';
  return [
    `${paint.bold(benefit_type)}  ${what}${reconciled}, complete after ${seconds(envelope.elapsed_ms)}`,
    ...(zones ? zoneTable(zones) : []),
    ...(zones && money ? [''] : []),
    ...(money ? moneyTable(money) : []),
  ];
}

function zoneTable({ notices, ...zones }: Zones): string[] {
  const place = (name: string, count: number) => [name, groupDigits(count)];
  const told = NOTIFIED.map((kind) => {
    const { records, notified, accepted, received_twice: twice } = notices[kind];
    return [kind, ...[zones[kind], records, notified, accepted, twice].map(groupDigits)];
  });
  return formatTable(
    [place('large zones', zones.large_zones), place('small zones', zones.small_zones), ...told],
    [
      { title: '' },
      { title: 'how many', align: 'right' },
      { title: 'notices', align: 'right' },
      { title: 'notified', align: 'right' },
      { title: 'accepted', align: 'right' },
      { title: 'received twice', align: 'right' },
    ],
  );
}

function moneyTable({ ours, bank, statements }: Money): string[] {
  const row = (what: string, value: (tally: Tally) => string) => [
    what,
    value(ours),
    value(bank),
    value(statements),
  ];
  return formatTable(
    [
      row('payments', (tally) => groupDigits(tally.payments)),
      row('sum', (tally) => groupDigits(tally.sum)),
      row('paid twice', (tally) => String(tally.twice)),
      row('reversed', (tally) => groupDigits(tally.reversed)),
      row('sum reversed', (tally) => groupDigits(tally.sum_reversed)),
    ],
    [
      { title: '' },
      { title: 'our rows', align: 'right' },
      { title: "the bank's ledger", align: 'right' },
      { title: 'the statements', align: 'right' },
    ],
  );
}

function stageTable(stages: Readonly<Record<string, StageFigures>>): string[] {
  const ms = (value: number | null) => (value === null ? '–' : groupDigits(value));
  return formatTable(
    Object.entries(stages).map(([stage, { processed, errors, retries, p50_ms: p50, p99_ms: p99 }]) => [
      stage,
      ...[processed, errors, retries].map(groupDigits),
      ms(p50),
      ms(p99),
    ]),
    [
      { title: 'stage' },
      { title: 'processed', align: 'right' },
      { title: 'errors', align: 'right' },
      { title: 'retries', align: 'right' },
      { title: 'p50 ms', align: 'right' },
      { title: 'p99 ms', align: 'right' },
    ],
  );
}
