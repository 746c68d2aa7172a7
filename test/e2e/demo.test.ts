import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const run = promisify(execFile);

it('the demo takes beneficiaries to reconciliation on an embedded database and proves it from three sources', {
  timeout: 90_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'g2p-demo-'));
  // The server may run as another user than ours.
  await chmod(folder, 0o755);
  const file = join(folder, 'report.json');
  const args = [MAIN, 'demo', '--disbursements', '600', '--batch-size', '100', '--exit', '--report', file];
  const env = {
    PATH: process.env.PATH ?? '',
    G2P_BRIDGE_DATA_DIR: join(folder, 'data'),
    G2P_BRIDGE_PORT: '8765',
  };
  const { stdout } = await run(process.execPath, args, { cwd: folder, env });
  expect(stdout).toContain('OK: all 600 disbursements are paid once and reconciled.');
  const report = JSON.parse(await readFile(file, 'utf8'));
  expect(report).toMatchObject({
    ok: true,
    differences: [],
    disbursements: 600,
    paid: 600,
    paid_twice: 0,
    reconciled: 600,
    reversed: 0,
    missing: 0,
  });
  expect(report.sum_bank_debited).toBe(report.sum_disbursed);
  expect(report.sum_on_statements).toBe(report.sum_disbursed);
  expect(report.elapsed_ms).toBeGreaterThan(0);
  expect(Object.keys(report.stages)).toEqual([
    'mapper_resolution',
    'check_funds_with_bank',
    'block_funds_with_bank',
    'disburse_funds_from_bank',
    'mt940_processor',
  ]);
  for (const stage of ['mapper_resolution', 'disburse_funds_from_bank']) {
    expect(report.stages[stage]).toMatchObject({ processed: 6, errors: 0 });
    expect(report.stages[stage].p99_ms).toBeGreaterThanOrEqual(report.stages[stage].p50_ms);
  }
  // A second run on what the first one left, and the same again when it is thrown away first.
  const again = await run(process.execPath, [...args, '--fresh', '--json'], { cwd: folder, env });
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, paid_twice: 0 });
  await rm(folder, { recursive: true, force: true });
});
