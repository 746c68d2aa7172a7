import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { csvOf, ENVELOPE_OPTIONS, rowFixtures } from './files.ts';
import { type Folder, makeFolder, runCli } from './run.ts';

let api: TestApi;
let folder: Folder;
beforeAll(async () => {
  [api, folder] = await Promise.all([openApi(), makeFolder()]);
});
afterAll(async () => {
  await api?.close();
  await folder?.remove();
});

const newRun = () => randomUUID().slice(0, 8);
const submit = (file: string, ...options: string[]) =>
  runCli(['submit', file, '--url', api.url, '--retry-for', '0', '--json', ...options]);

it('takes every benefit type, in whatever unit its quantities are', async () => {
  const units = {
    CASH_DIGITAL: 'ETB',
    CASH_PHYSICAL: 'ETB',
    COMMODITY: 'KG',
    SERVICE: 'visit',
    COMBINATION: 'bag of 50 kg with a training',
  };
  for (const [type, unit] of Object.entries(units)) {
    const rows = rowFixtures(newRun(), 3).map((row, n) => ({ ...row, disbursement_quantity: `${n}.125` }));
    const file = await folder.write('people.csv', csvOf(rows));
    const { code, stdout } = await submit(file, ...ENVELOPE_OPTIONS, '--benefit-type', type, '--unit', unit);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { measurement_unit: unit, total_disbursement_quantity: '3.375', disbursements_received: 3 },
    ]);
    const [stored] = await api.database.sql`
      select benefit_type, measurement_unit, target_registry, fa_resolution_status as fa, geo_resolution_status as geo
      from disbursement_envelopes e
      join disbursement_batch_control b using (benefit_type)
      where b.disbursement_envelope_id = e.id and e.id = ${JSON.parse(stdout).envelope_id}`;
    const digital = type === 'CASH_DIGITAL';
    expect(stored).toEqual({
      benefit_type: type,
      measurement_unit: unit,
      target_registry: 'FARMER',
      fa: digital ? 'PENDING' : 'NOT_APPLICABLE',
      geo: digital ? 'NOT_APPLICABLE' : 'PENDING',
    });
  }
});

it('wants to know in which registry beneficiaries are, and a benefit type that there is', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 1)));
  const envelopes = await api.count('disbursement_envelopes');
  const without = ENVELOPE_OPTIONS.filter(
    (_, n) => !ENVELOPE_OPTIONS.slice(Math.max(0, n - 1), n + 1).includes('--target-registry'),
  );
  const { code, stderr } = await submit(file, ...without, '--benefit-type', 'GOODS');
  expect([code, stderr.split('\n')]).toEqual([
    2,
    [
      'error ENVELOPE_INVALID: The envelope is not complete or not right; nothing was sent.',
      '  --target-registry (target_registry) is missing.',
      '  --benefit-type (benefit_type) must be one of CASH_DIGITAL, CASH_PHYSICAL, COMMODITY, SERVICE, COMBINATION, not "GOODS".',
      '',
    ],
  ]);
  expect(await api.count('disbursement_envelopes')).toBe(envelopes);
});
