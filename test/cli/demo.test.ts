import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Money, moneyDifferences, type Tally } from '../../src/cli/demo/money.ts';
import { ProcessGroup } from '../../src/cli/demo/process-group.ts';
import { type DemoEnvelope, programOf } from '../../src/cli/demo/programs.ts';
import { type EnvelopeProgress, isComplete } from '../../src/cli/demo/progress.ts';
import type { EnvelopeReport, Report } from '../../src/cli/demo/report.ts';
import { reportLines } from '../../src/cli/demo/report-view.ts';
import { progressLine, progressLines } from '../../src/cli/demo/view.ts';
import { type Zones, zoneDifferences } from '../../src/cli/demo/zones.ts';
import { paintFor, textWidth } from '../../src/cli/ui.ts';
import { BENEFIT_TYPES } from '../../src/machines/benefit-type.ts';

const envelope: DemoEnvelope = {
  id: 'ENV',
  program: programOf('0badcafe', 'CASH_PHYSICAL'),
  disbursements: 10,
  quantity: '100.5',
};
const tally: Tally = { payments: 4, sum: '100.50', twice: 0, reversed: 0, sum_reversed: '0' };
const money: Money = {
  payments: 4,
  reconciled: 10,
  reversed: 0,
  missing: 0,
  error_recons: 0,
  ours: tally,
  bank: tally,
  statements: tally,
};
const notices = { records: 4, notified: 4, accepted: 4, received_twice: 0 };
const zones: Zones = {
  large_zones: 1,
  small_zones: 3,
  geo_records: 4,
  warehouses: 1,
  agencies: 3,
  beneficiaries: 10,
  quantity: '100.50',
  notices: {
    warehouses: notices,
    agencies: notices,
    beneficiaries: { records: 10, notified: 10, accepted: 10, received_twice: 0 },
  },
};

describe('what does not agree', () => {
  it('is nothing when all sides say the same, whatever the decimal places', () => {
    expect([...moneyDifferences(money, envelope), ...zoneDifferences(zones, envelope)]).toEqual([]);
  });

  const cases: readonly [changes: Partial<Money>, difference: string][] = [
    [{ bank: { ...tally, payments: 5 } }, 'the bank: 5 payments instead of 4'],
    [{ bank: { ...tally, twice: 1 } }, 'the bank: 1 paid twice'],
    [{ bank: { ...tally, reversed: 1 } }, 'the bank: 1 reversed, not 0'],
    [{ statements: { ...tally, sum: '100.49' } }, 'the statements: 100.49 instead of 100.5'],
    [{ ours: { ...tally, payments: 3 } }, 'our rows: 3 payments instead of 4'],
    [{ reconciled: 9, missing: 1 }, '9 of 10 reconciled'],
    [{ error_recons: 2 }, '2 entries of the statements could not be matched'],
  ];
  it.each(cases)('is named: money %j', (changes, difference) => {
    expect(moneyDifferences({ ...money, ...changes }, envelope)).toEqual([difference]);
  });

  it('is named for zones and for each kind of notice; one that was sent again does no harm', () => {
    const changed = {
      ...zones,
      beneficiaries: 9,
      quantity: '90',
      notices: {
        warehouses: { ...notices, received_twice: 1 },
        agencies: { ...notices, notified: 3, accepted: 5 },
        beneficiaries: { ...notices, accepted: 3 },
      },
    };
    expect(zoneDifferences(changed, envelope)).toEqual([
      '9 of 10 beneficiaries are in a zone',
      'the zones get 90 instead of 100.5',
      '3 of 4 notices to agencies are done',
      'the notification service has 5 notices to agencies instead of 4',
      'the notification service has 3 notices to beneficiaries instead of 4',
    ]);
  });
});

const progress: EnvelopeProgress = {
  benefitType: 'CASH_PHYSICAL',
  declared: 10,
  received: 10,
  shipped: 10,
  reconciled: 10,
  located: 10,
  geoRecords: 4,
  warehousesNotified: 4,
  agenciesNotified: 4,
  beneficiariesNotified: 10,
};

it('an envelope is at its end when all that its benefit type asks for has been done', () => {
  const lacking = (...names: (keyof EnvelopeProgress)[]) =>
    BENEFIT_TYPES.filter((benefitType) =>
      isComplete({ ...progress, benefitType, ...Object.fromEntries(names.map((name) => [name, 3])) }),
    );
  const notDigital = BENEFIT_TYPES.filter((type) => type !== 'CASH_DIGITAL');
  expect(lacking()).toEqual(BENEFIT_TYPES);
  expect(lacking('received')).toEqual([]);
  expect(lacking('reconciled')).toEqual(['COMMODITY', 'SERVICE', 'COMBINATION']);
  for (const name of ['warehousesNotified', 'agenciesNotified', 'beneficiariesNotified'] as const) {
    expect(BENEFIT_TYPES.filter((type) => !lacking(name).includes(type))).toEqual(notDigital);
  }
  expect(isComplete({ ...progress, declared: 0, received: 0 })).toBe(false);
});

it('the progress of one envelope is one line of counts, that of several what each of them still lacks', () => {
  const digital = {
    ...progress,
    benefitType: 'CASH_DIGITAL',
    declared: 2_500,
    received: 2_500,
    shipped: 500,
  };
  expect(progressLine({ envelopes: [digital], stages: [] })).toBe(
    'received 2,500, paid 500, reconciled 10 of 2,500',
  );
  const goods = {
    ...progress,
    benefitType: 'COMMODITY',
    declared: 2_500,
    received: 0,
    beneficiariesNotified: 0,
  };
  const told = {
    ...progress,
    benefitType: 'SERVICE',
    declared: 2_500,
    received: 2_500,
    beneficiariesNotified: 2_500,
  };
  const failed = { stage: 'geo_resolution', total: 1, pending: 0, processing: 0, processed: 0, errors: 1 };
  expect(progressLine({ envelopes: [digital, goods, told], stages: [failed] })).toBe(
    'CASH_DIGITAL paid 500, reconciled 10 | COMMODITY received 0 | SERVICE notified 2,500 of 2,500 each, 1 in ERROR',
  );
});

it('tables of all benefit types and the largest numbers stay within 80 columns', () => {
  const many = 10_000_000;
  const paint = paintFor(process.stdout);
  const numbers = Object.fromEntries(Object.keys(progress).map((name) => [name, many]));
  const envelopes = BENEFIT_TYPES.map((benefitType) => ({ ...progress, ...numbers, benefitType }));
  const stage = { stage: 'beneficiary_notification', total: many, pending: many, processing: many };
  const stages = [{ ...stage, processed: many, errors: 99 }];
  const lines = progressLines({ envelopes, stages }, 3_600_000, paint).map(stripVTControlCharacters);
  for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(80);
  expect(lines.join('\n')).not.toContain('…');
  expect(lines.find((line) => line.startsWith('COMMODITY'))).toMatch(
    /10,000,000 +10,000,000 +10,000,000 +– +–$/,
  );
});

describe('the final tables', () => {
  const sections: readonly EnvelopeReport[] = [
    ['CASH_DIGITAL', money, null] as const,
    ['CASH_PHYSICAL', money, zones] as const,
    ['SERVICE', null, zones] as const,
  ].map(([type, itsMoney, itsZones]) => ({
    benefit_type: type,
    envelope_id: 'ENV',
    disbursements: 10,
    quantity: '100.5',
    measurement_unit: 'USD',
    elapsed_ms: 1_234,
    money: itsMoney,
    zones: itsZones,
  }));
  const report = { ok: true, differences: [], disbursements: 30, elapsed_ms: 2_000, stages: {} };
  const linesOf = (changes: Partial<Report>) =>
    reportLines(
      { ...report, disbursements_per_second: 15, peak_memory_mb: 100, ...changes } as Report,
      paintFor(process.stdout),
    ).map(stripVTControlCharacters);

  it('have a section for each envelope, with what its benefit type has', () => {
    const lines = linesOf({ envelopes: sections });
    expect(lines.filter((line) => line.includes('complete after'))).toEqual([
      'CASH_DIGITAL  10 disbursements, 100.5 USD, 10 reconciled, complete after 1.2 s',
      'CASH_PHYSICAL  10 disbursements, 100.5 USD, 10 reconciled, complete after 1.2 s',
      'SERVICE  10 disbursements, 100.5 USD, complete after 1.2 s',
    ]);
    expect(lines.filter((line) => line.startsWith('payments'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('beneficiaries'))).toHaveLength(2);
    expect(lines.find((line) => line.startsWith('agencies'))).toMatch(/^agencies +3 +4 +4 +4 +0$/);
    expect(lines.at(-2)).toBe('2.0 s, 15 disbursements per second, 100 MB at most');
  });

  it('end with what has been shown and no more, or with every difference', () => {
    const verdict = (changes: Partial<Report>) => linesOf(changes).at(-1);
    const [digital, , service] = sections;
    expect(verdict({ envelopes: digital ? [digital] : [] })).toBe(
      'OK: all 30 disbursements are paid once and reconciled.',
    );
    expect(verdict({ envelopes: service ? [service] : [] })).toBe(
      'OK: all 30 disbursements are complete: everybody is notified.',
    );
    expect(verdict({ envelopes: sections })).toBe(
      'OK: all 30 disbursements are complete: money is paid once and reconciled, everybody is notified.',
    );
    expect(verdict({ envelopes: sections, ok: false, differences: ['A: one', 'B: two'] })).toBe(
      'NOT OK: A: one; B: two.',
    );
  });
});

describe('the processes of a demo', () => {
  const SERVES = `process.stdout.write('{"ready":true,"url":"here"}\\n'); setInterval(() => {}, 1000);`;
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('end together, also one that is just being started; none is started afterwards', async () => {
    const group = new ProcessGroup();
    const first = await group.start('The first', ['-e', SERVES]);
    const second = group.start('The second', ['-e', SERVES]);
    const run = group.run('The run', ['-e', 'setInterval(() => {}, 1000)']);
    const failed = expect(run).rejects.toThrow('The run failed');
    await group.stop();
    await failed;
    expect([first.pid, (await second).pid].map(isAlive)).toEqual([false, false]);
    await expect(group.start('The third', ['-e', SERVES])).rejects.toThrow('The third is not started');
  });

  it('tell why one of them failed', async () => {
    const group = new ProcessGroup();
    await expect(
      group.run('The run', ['-e', 'console.error("no database"); process.exit(1)']),
    ).rejects.toThrow('The run failed: no database');
    await group.start('The first', ['-e', `${SERVES} setTimeout(() => process.exit(4), 50);`]);
    await expect(group.broken).rejects.toThrow('The first ended (4)');
    await group.stop();
  });
});
