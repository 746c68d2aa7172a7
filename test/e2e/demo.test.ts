import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Report } from '../../src/cli/demo/report.ts';
import { sumDecimals } from '../../src/decimal.ts';
import { fastFolder } from '../support/fast-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const DIGITAL_STAGES = [
  'mapper_resolution',
  'check_funds_with_bank',
  'block_funds_with_bank',
  'disburse_funds_from_bank',
  'mt940_processor',
];
const ZONE_STAGES = [
  'geo_resolution',
  'warehouse_allocation',
  'agency_allocation',
  'warehouse_notification',
  'agency_notification',
  'beneficiary_notification',
];

let folder: string;
beforeAll(async () => {
  folder = await fastFolder('demo');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the demo, each time on what the runs before have left. */
function demo(...args: string[]) {
  const env = {
    PATH: process.env.PATH ?? '',
    G2P_BRIDGE_DATA_DIR: join(folder, 'data'),
    G2P_BRIDGE_PORT: '8765',
  };
  return promisify(execFile)(process.execPath, [MAIN, 'demo', '--exit', ...args], { cwd: folder, env });
}

it('the demo takes envelopes of four benefit types to their ends and proves it from what all sides have', {
  timeout: 90_000,
}, async () => {
  const file = join(folder, 'report.json');
  const { stdout } = await demo('--disbursements', '60', '--batch-size', '30', '--report', file);
  expect(stdout).toContain(
    'OK: all 240 disbursements are complete: money is paid once and reconciled, everybody is notified.',
  );
  const report: Report = JSON.parse(await readFile(file, 'utf8'));
  const { envelopes, stages } = report;
  expect(report).toMatchObject({
    ok: true,
    differences: [],
    disbursements: 240,
    reconciled: 120,
    missing: 0,
  });
  const types = ['CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'SERVICE'];
  expect(envelopes.map((envelope) => envelope.benefit_type)).toEqual(types);
  for (const type of types)
    expect(stdout).toMatch(new RegExp(`^${type}  60 disbursements, .*complete after`, 'm'));
  const [digital, physical] = envelopes;
  expect(digital).toMatchObject({ zones: null, money: { payments: 60, reconciled: 60, missing: 0 } });
  const geoRecords = physical?.zones?.geo_records ?? 0;
  expect(physical?.money).toMatchObject({ payments: geoRecords, reconciled: 60, missing: 0 });
  expect(report.paid).toBe(60 + geoRecords);
  for (const { money, quantity } of [digital, physical].flatMap((envelope) => envelope ?? [])) {
    for (const tally of [money?.ours, money?.bank, money?.statements]) {
      expect(tally).toMatchObject({ sum: quantity, payments: money?.payments, twice: 0, reversed: 0 });
    }
  }
  expect(report.sum_bank_debited).toBe(sumDecimals([digital?.quantity ?? '', physical?.quantity ?? '']));
  for (const { zones, quantity, money } of envelopes.slice(1)) {
    expect(zones).toMatchObject({ beneficiaries: 60, quantity });
    const { geo_records: records = 0, small_zones: smallZones = 0, notices } = zones ?? {};
    expect(smallZones).toBeGreaterThan(10);
    expect(records).toBeGreaterThanOrEqual(smallZones);
    const all = (count: number) => ({ records: count, notified: count, accepted: count, received_twice: 0 });
    expect(notices).toEqual({ warehouses: all(records), agencies: all(records), beneficiaries: all(60) });
    // Physical cash comes from the bank, whatever the zone.
    if (money) expect(zones?.warehouses).toBe(1);
    else expect(zones?.warehouses).toBeGreaterThan(1);
  }
  expect(Object.keys(stages)).toEqual([...DIGITAL_STAGES, ...ZONE_STAGES]);
  expect(stages.mapper_resolution).toMatchObject({ processed: 2, errors: 0 });
  expect(stages.geo_resolution).toMatchObject({ processed: 6, errors: 0 });
  expect(stages.beneficiary_notification).toMatchObject({ processed: 180, errors: 0 });
  for (const { p50_ms: p50, p99_ms: p99 } of Object.values(stages)) {
    expect(p50).toBeGreaterThanOrEqual(0);
    expect(p99).toBeGreaterThanOrEqual(p50 ?? Number.NaN);
  }
});

it('the demo of digital cash alone starts and shows nothing else', { timeout: 90_000 }, async () => {
  const args = ['--types', 'cash_digital', '--disbursements', '300', '--batch-size', '100'];
  const { stdout } = await demo(...args, '--fresh', '--json');
  const report: Report = JSON.parse(stdout);
  expect(report).toMatchObject({ ok: true, disbursements: 300, paid: 300, paid_twice: 0, reconciled: 300 });
  expect(report.envelopes).toMatchObject([{ benefit_type: 'CASH_DIGITAL', zones: null }]);
  expect(report.sum_on_statements).toBe(report.sum_disbursed);
  expect(Object.keys(report.stages)).toEqual(DIGITAL_STAGES);
  expect(report.stages.disburse_funds_from_bank).toMatchObject({ processed: 3, errors: 0 });
});
