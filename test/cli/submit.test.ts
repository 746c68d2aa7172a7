import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { dayFromNow } from '../support/payloads.ts';
import { until } from '../support/wait.ts';
import { COLUMNS, csvOf, ENVELOPE_OPTIONS, rowFixtures } from './files.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';
import { type Folder, makeFolder, runCli, startCli } from './run.ts';

const CREATE_BATCH = '/create_disbursements';
const CREATE_ENVELOPE = '/create_disbursement_envelopes';
const BATCH_CONTROL = '/get_disbursement_batch_control';

let api: TestApi;
let proxy: FaultyProxy;
let folder: Folder;

beforeAll(async () => {
  [api, folder] = await Promise.all([openApi(), makeFolder()]);
  proxy = await startProxy(api.url);
});
afterAll(async () => {
  await proxy?.close();
  await api?.close();
  await folder?.remove();
});
beforeEach(() => proxy.reset());

/** Runs `submit` against the proxy, failing soon when nobody answers. */
function submit(file: string, ...options: string[]) {
  return runCli(['submit', file, ...ENVELOPE_OPTIONS, '--url', proxy.url, '--retry-for', '0', ...options]);
}

const newRun = () => randomUUID().slice(0, 8);
const batchIds = () =>
  proxy.to(CREATE_BATCH).map(({ body }) => body.request_body.disbursement_batch_control_id);

it('sends a file as one envelope in batches and says what it did', async () => {
  const run = newRun();
  const file = await folder.write('people.csv', csvOf(rowFixtures(run, 25)));
  const { code, stdout, stderr } = await submit(file, '--batch-size', '10');
  expect([code, stderr]).toEqual([0, expect.stringContaining('25 disbursements, 2,802.5 ETB')]);
  const [envelope] = proxy.to(CREATE_ENVELOPE)[0]?.body.request_body.request_payload ?? [];
  expect(envelope).toMatchObject({
    benefit_program_id: 7,
    benefit_program_description: 'Rural safety net',
    disbursement_cycle_id: 3,
    number_of_beneficiaries: 25,
    number_of_disbursements: 25,
    total_disbursement_quantity: '2802.5',
    disbursement_schedule_date: dayFromNow(1),
  });
  expect(stdout).toContain(`envelope       ${envelope.id}`);
  expect(stdout).toContain('received       25');
  const stored = await api.database.sql`
    select d.id, beneficiary_id, beneficiary_name, disbursement_quantity, narrative, b.number_of_disbursements as size
    from disbursements d join disbursement_batch_control b on b.id = d.disbursement_batch_control_id
    where d.disbursement_envelope_id = ${envelope.id} order by split_part(d.id, '-', 3)::int`;
  expect(stored.map(({ size }) => size)).toEqual([...Array(20).fill(10), ...Array(5).fill(5)]);
  expect(stored[24]).toMatchObject({
    id: `DISB-${run}-24`,
    beneficiary_id: `BEN-${run}-24`,
    beneficiary_name: 'Almaz Bekele 24',
    disbursement_quantity: '124.1',
    narrative: 'July support',
  });
});

it('writes its result as one JSON document, and nothing else, with --json', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 3)));
  const { code, stdout, stderr } = await submit(file, '--json', '--batch-size', '2');
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({
    envelope_id: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    disbursements: 3,
    total_disbursement_quantity: '303.3',
    measurement_unit: 'ETB',
    batches: 2,
    batches_sent: 2,
    disbursements_sent: 3,
    disbursements_received: 3,
    checked_only: false,
    elapsed_ms: expect.any(Number),
  });
});

it('asks nothing of the server when a column, an amount or a duplicate is wrong, and names line and column', async () => {
  const [header, ...lines] = csvOf(rowFixtures(newRun(), 6)).split('\n');
  lines[1] = lines[1]?.replace('101.10', '"101,10"') ?? '';
  lines[3] = lines[3]?.replace(/BEN-\w+-3/, String(lines[0]?.split(',')[1])) ?? '';
  lines[5] = lines[0] ?? '';
  const file = await folder.write('bad.csv', [header, ...lines].join('\n'));
  const { code, stdout, stderr } = await submit(file);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.trimEnd().split('\n')).toEqual([
    `error CSV_INVALID: ${file} has 4 problems. Nothing was sent.`,
    '  line 3, column disbursement_quantity: "101,10" is not a decimal number such as 1250.50.',
    '  line 5, column beneficiary_id: the same is on line 2 already.',
    '  line 7, column disbursement_id: the same is on line 2 already.',
    '  line 7, column beneficiary_id: the same is on line 2 already.',
  ]);
  const wrongColumn = await folder.write(
    'column.csv',
    csvOf(rowFixtures(newRun(), 1)).replace('_quantity', '_amount'),
  );
  const refused = await submit(wrongColumn, '--json');
  expect(refused.code).toBe(2);
  expect(JSON.parse(refused.stdout).error).toMatchObject({
    code: 'CSV_INVALID',
    exit_code: 2,
    problem_count: 2,
    problems: [
      { code: 'CSV_UNKNOWN_COLUMN', line: 1, column: '"disbursement_amount"' },
      { code: 'CSV_MISSING_COLUMN', line: 1, column: 'disbursement_quantity' },
    ],
  });
  expect(proxy.seen).toEqual([]);
});

it('lists the first 20 problems and counts the rest', async () => {
  const rows = rowFixtures(newRun(), 30).map((row) => ({ ...row, disbursement_quantity: 'much' }));
  const { code, stderr } = await submit(await folder.write('bad.csv', csvOf(rows)));
  expect([code, stderr]).toEqual([2, expect.stringContaining('has 30 problems; here are the first 20.')]);
  expect(stderr.trimEnd().split('\n')).toHaveLength(21);
});

it('sends only what is missing when the server died midway, and the envelope is complete then', async () => {
  const run = newRun();
  const file = await folder.write('people.csv', csvOf(rowFixtures(run, 60)));
  const options = ['--batch-size', '10', '--concurrency', '2', '--json'];
  let taken = 0;
  proxy.breaks(({ path }) => {
    if (path !== CREATE_BATCH) return null;
    taken += 1;
    // The answer to the third is lost, and then the server is gone.
    return taken < 3 ? null : taken === 3 ? 'hang-up-after' : 'hang-up';
  });
  const broken = await submit(file, ...options);
  expect([broken.code, broken.stderr]).toEqual([
    3,
    expect.stringContaining('error SERVER_CONNECTION_LOST: '),
  ]);
  const { envelope_id: envelopeId } = JSON.parse(broken.stdout).error;
  const status = () => api.call('/get_disbursement_envelope_status', envelopeId);
  expect((await status()).payload.number_of_disbursements_received).toBe(30);
  const before = new Set(batchIds());

  proxy.reset();
  const resumed = await submit(file, ...options);
  expect(resumed.code).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({
    envelope_id: envelopeId,
    batches: 6,
    batches_sent: 3,
    disbursements_sent: 30,
    disbursements_received: 60,
  });
  expect(proxy.to(CREATE_ENVELOPE)).toHaveLength(0);
  expect(proxy.to(BATCH_CONTROL)).toHaveLength(6);
  expect(new Set([...before, ...batchIds()]).size).toBe(6);
  expect((await status()).payload).toMatchObject({
    number_of_disbursements_received: 60,
    total_disbursement_quantity_received: 7776,
  });

  proxy.reset();
  const again = await submit(file, ...options);
  expect([again.code, JSON.parse(again.stdout).batches_sent]).toEqual([0, 0]);
  expect(proxy.seen.map(({ path }) => path)).toEqual(Array(2).fill('/get_disbursement_envelope_status'));
});

it('goes on by itself when the server is back in time; what was asked twice has the effect of once', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 40)));
  const faults = ['unavailable', 'hang-up', 'hang-up-after', 'unavailable'] as const;
  proxy.breaks(({ path }, index) => (path === CREATE_BATCH ? (faults[index % 6] ?? null) : null));
  const { code, stdout, stderr } = await submit(file, '--batch-size', '10', '--retry-for', '20');
  expect([code, stdout]).toEqual([0, expect.stringContaining('received       40')]);
  expect(stderr).toContain('Trying again in');
  expect(new Set(batchIds()).size).toBe(4);
});

it('takes a file that was saved in another way for the same submission', async () => {
  const rows = rowFixtures(newRun(), 12);
  const first = await submit(await folder.write('first.csv', csvOf(rows)), '--json');
  const saved = csvOf(
    rows.map((row) => ({ ...row, disbursement_quantity: `0${row.disbursement_quantity}0` })),
    { columns: [...COLUMNS].reverse(), lineEnd: '\r\n', byteOrderMark: true, quoteAll: true },
  );
  const second = await submit(await folder.write('second.csv', saved), '--json');
  expect([first.code, second.code]).toEqual([0, 0]);
  const [one, two] = [JSON.parse(first.stdout), JSON.parse(second.stdout)];
  expect(two).toMatchObject({ envelope_id: one.envelope_id, batches_sent: 0, disbursements_received: 12 });
});

it('refuses to mix batch sizes within an envelope', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 30)));
  let taken = 0;
  proxy.breaks(({ path }) => (path === CREATE_BATCH && ++taken > 1 ? 'unavailable' : null));
  expect((await submit(file, '--batch-size', '10', '--concurrency', '1')).code).toBe(3);
  proxy.reset();
  const other = await submit(file, '--batch-size', '15');
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('error ENVELOPE_HOLDS_OTHER_BATCHES: ');
  expect(proxy.to(CREATE_BATCH)).toHaveLength(0);
});

it('shows which lines the server refused, and sends nothing more', async () => {
  const run = newRun();
  const used = rowFixtures(run, 12).slice(11);
  expect((await submit(await folder.write('used.csv', csvOf(used)))).code).toBe(0);
  proxy.reset();
  const rows = rowFixtures(run, 30);
  const file = await folder.write('people.csv', csvOf(rows));
  const { code, stderr } = await submit(file, '--batch-size', '10', '--concurrency', '1');
  expect(code).toBe(1);
  expect(stderr).toContain('error INVALID_DISBURSEMENT_ID: ');
  expect(stderr).toContain(`\n  line 13, DISB-${run}-11: INVALID_DISBURSEMENT_ID\n`);
  expect(stderr).toContain('10 of 30 disbursements were sent');
  expect(proxy.to(CREATE_BATCH)).toHaveLength(2);
});

it('passes on why the server refuses the envelope', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 2)));
  const { code, stderr } = await submit(file, '--schedule-date', dayFromNow(-1));
  expect([code, stderr]).toEqual([1, expect.stringContaining('error DISBURSEMENT_ENVELOPE_DATE_PASSED: ')]);
  expect(proxy.to(CREATE_BATCH)).toHaveLength(0);
});

it('notices that the file is changed while it is sent, and sends no batch that was not checked', async () => {
  const rows = rowFixtures(newRun(), 30);
  const file = await folder.write('people.csv', csvOf(rows));
  const changed = rows.map((row, n) => (n === 15 ? { ...row, disbursement_quantity: '999999' } : row));
  proxy.breaks(({ path }) => {
    if (path === CREATE_ENVELOPE) writeFileSync(file, csvOf(changed));
    return null;
  });
  const { code, stderr } = await submit(file, '--batch-size', '10');
  expect([code, stderr]).toEqual([2, expect.stringContaining('error FILE_CHANGED: ')]);
  const sent = proxy.to(CREATE_BATCH).map(({ body }) => body.request_body.request_payload[0].disbursement_id);
  expect(sent).toEqual([rows[0]?.disbursement_id]);
});

it('takes the envelope from a file, lets options go first, and compares the totals it declares', async () => {
  const run = newRun();
  const file = await folder.write('people.csv', csvOf(rowFixtures(run, 2)));
  const envelope = {
    id: `ENV-${run}`,
    benefit_program_id: 7,
    benefit_program_mnemonic: 'SAFETY-NET',
    target_registry: 'FARMER',
    benefit_code_id: 12,
    benefit_code_mnemonic: 'CASH',
    benefit_type: 'CASH_DIGITAL',
    disbursement_cycle_id: 3,
    cycle_code_mnemonic: 'JULY',
    disbursement_frequency: 'Monthly',
    measurement_unit: 'ETB',
    disbursement_schedule_date: dayFromNow(1),
    number_of_disbursements: 2,
    total_disbursement_quantity: 201.2,
  };
  const submitWith = (json: unknown, ...options: string[]) =>
    folder
      .write('envelope.json', JSON.stringify(json))
      .then((path) => runCli(['submit', file, '--envelope', path, '--url', proxy.url, '--json', ...options]));

  const wrong = await submitWith({ ...envelope, total_disbursement_quantity: '201.3' });
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('declared 201.3, in the file 201.2'),
  ]);
  const unknown = await submitWith({ ...envelope, currency: 'ETB', benefit_type: 'MONEY' });
  expect([unknown.code, JSON.parse(unknown.stdout).error.problems]).toEqual([
    2,
    [
      expect.stringContaining('--benefit-type (benefit_type) must be one of CASH_DIGITAL'),
      '"currency" in the envelope file is not a field of an envelope.',
    ],
  ]);
  expect(proxy.seen).toEqual([]);

  const { code } = await submitWith(envelope, '--unit', 'KES');
  expect(code).toBe(0);
  const [created] = proxy.to(CREATE_ENVELOPE)[0]?.body.request_body.request_payload ?? [];
  expect(created).toMatchObject({
    id: `ENV-${run}`,
    measurement_unit: 'KES',
    total_disbursement_quantity: '201.2',
  });
  expect((await submitWith(envelope, '--unit', 'KES')).code).toBe(0);
  expect(proxy.to(CREATE_BATCH)).toHaveLength(1);
});

it('only checks, and asks nothing of the server, with --check', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 5)));
  const { code, stdout } = await submit(file, '--check', '--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    { disbursements: 5, checked_only: true, batches_sent: 0 },
  ]);
  expect(proxy.seen).toEqual([]);
});

it('ends within its time when the server does not answer, and when nobody listens', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 1)));
  proxy.breaks(() => 'stall');
  const stalled = await submit(file, '--timeout', '0.3');
  expect([stalled.code, stalled.stderr]).toEqual([3, expect.stringContaining('error SERVER_TIMEOUT: ')]);
  const closed = await startProxy(api.url);
  await closed.close();
  const nobody = await submit(file, '--url', closed.url);
  expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('error SERVER_UNREACHABLE: ')]);
});

it('stops on Ctrl-C, saying that it can be run again', async () => {
  const file = await folder.write('people.csv', csvOf(rowFixtures(newRun(), 30)));
  proxy.breaks(({ path }) => (path === CREATE_BATCH ? 'stall' : null));
  const running = startCli(['submit', file, ...ENVELOPE_OPTIONS, '--url', proxy.url, '--batch-size', '10']);
  await until('a batch is under way', () => proxy.to(CREATE_BATCH).length > 0);
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([130, expect.stringContaining('run the same command again')]);
});

it('says in one line which file it cannot read', async () => {
  for (const path of [`${folder.path}/absent.csv`, folder.path]) {
    const { code, stderr } = await submit(path);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error FILE_UNREADABLE: .*\n$/)]);
  }
});
