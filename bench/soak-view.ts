import type { SoakResult, SoakSample } from './soak.ts';

const number = (value: number): string => value.toLocaleString('en');
const megabytes = (bytes: number | null): string => (bytes === null ? '?' : (bytes / 1_048_576).toFixed(1));

/** What is printed every minute of a long run. */
export function soakLines(sample: SoakSample, before: SoakSample | undefined): string[] {
  const perSecond =
    before && (sample.reconciled - before.reconciled) / ((sample.minutes - before.minutes) * 60);
  return [
    `minute ${sample.minutes}: ${number(sample.sent)} disbursements sent, ${number(sample.reconciled)} reconciled` +
      `${perSecond === undefined ? '' : ` (${number(Math.round(perSecond))} per second)`}, ` +
      `${number(sample.removed)} entries removed; database ${megabytes(sample.database_bytes)} MB, ` +
      `bridge ${megabytes(sample.bridge_bytes)} MB in memory`,
    ...sample.tables.map(
      ({ table, bytes, rows, dead, hot_percent: hot }) =>
        `  ${table.padEnd(42)} ${megabytes(bytes).padStart(8)} MB ${number(rows).padStart(10)} rows ` +
        `${number(dead).padStart(8)} dead   ${hot === null ? '  –' : String(hot).padStart(3)} % HOT`,
    ),
  ];
}

/** What a long run came to. */
export const soakResultLines = (result: SoakResult): string[] => [
  `${number(result.disbursements_per_second)} disbursements per second for ${result.minutes} minutes`,
  `growth for each disbursement: ${number(result.first_third_bytes)} bytes in the first third, ` +
    `${number(result.last_third_bytes)} in the last (${result.growth_ratio} times as much)`,
  `what must stop growing was ${result.bounded_ratio} times as large at the end as after two thirds` +
    (result.bounded_tells ? '' : ' (too short a run to tell: it takes 25 minutes)'),
  result.ok
    ? result.bounded_tells
      ? 'OK: growth is flat, what must stop growing has stopped, and old history was removed'
      : 'OK: growth is flat, and old history was removed'
    : 'NOT OK',
];
