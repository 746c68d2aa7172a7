import { formatTable, groupDigits, type Paint, progressBar } from '../ui.ts';
import type { Progress } from './progress.ts';
import type { Report, Tally } from './report.ts';

/** One line that says how far a run has come. */
export function progressLine({ declared, received, shipped, reconciled, stages }: Progress): string {
  const errors = stages.reduce((sum, stage) => sum + stage.errors, 0);
  const of = (label: string, count: number) => `${label} ${groupDigits(count)}`;
  const counts = [of('received', received), of('paid', shipped), of('reconciled', reconciled)];
  return `${counts.join(', ')} of ${groupDigits(declared)}${errors > 0 ? `, ${errors} in ERROR` : ''}`;
}

/** The lines shown while a run goes on. */
export function progressLines(progress: Progress, elapsedMs: number, paint: Paint): string[] {
  const bar = (label: string, count: number) =>
    `${label.padEnd(11)} ${progressBar(count, Math.max(1, progress.declared), 30)}  ${groupDigits(count)}`;
  const rows = progress.stages.map(({ stage, total, pending, processing, processed, errors }) => [
    stage,
    String(total),
    String(pending),
    String(processing),
    String(processed),
    errors > 0 ? paint.red(String(errors)) : '0',
  ]);
  return [
    `${(elapsedMs / 1000).toFixed(1)} s`,
    bar('received', progress.received),
    bar('paid', progress.shipped),
    bar('reconciled', progress.reconciled),
    '',
    ...formatTable(rows, [
      { title: 'stage' },
      { title: 'records', align: 'right' },
      { title: 'pending', align: 'right' },
      { title: 'processing', align: 'right' },
      { title: 'processed', align: 'right' },
      { title: 'errors', align: 'right' },
    ]),
  ];
}

/** The final tables and the verdict. */
export function reportLines(report: Report, paint: Paint): string[] {
  const { ours, bank, statements } = report;
  const row = (what: string, value: (tally: Tally) => string) => [
    what,
    value(ours),
    value(bank),
    value(statements),
  ];
  const sources = formatTable(
    [
      row('disbursements', (tally) => groupDigits(tally.count)),
      row('sum', (tally) => groupDigits(tally.sum)),
      row('paid twice', (tally) => String(tally.twice)),
      row('reversed', (tally) => groupDigits(tally.reversed)),
      row('sum reversed', (tally) => groupDigits(tally.reversedSum)),
    ],
    [
      { title: '' },
      { title: 'our rows', align: 'right' },
      { title: "the bank's ledger", align: 'right' },
      { title: 'the statements', align: 'right' },
    ],
  );
  const stages = formatTable(
    Object.entries(report.stages).map(([stage, figures]) => [
      stage,
      String(figures.processed),
      String(figures.errors),
      String(figures.retries),
      figures.p50_ms === null ? '–' : groupDigits(figures.p50_ms),
      figures.p99_ms === null ? '–' : groupDigits(figures.p99_ms),
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
  const verdict = report.ok
    ? paint.green(`OK: all ${groupDigits(report.disbursements)} disbursements are paid once and reconciled.`)
    : paint.red(`NOT OK: ${report.differences.join('; ')}.`);
  const memory = report.peak_memory_mb === null ? '' : `, ${report.peak_memory_mb} MB at most`;
  return [
    '',
    ...stages,
    '',
    ...sources,
    '',
    `${(report.elapsed_ms / 1000).toFixed(1)} s, ${groupDigits(report.disbursements_per_second)} disbursements per second${memory}`,
    verdict,
  ];
}
