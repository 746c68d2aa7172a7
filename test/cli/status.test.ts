import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { envelopeState } from '../../src/cli/status/envelope-state.ts';
import { stateLine, stateLines } from '../../src/cli/status/lines.ts';
import { paintFor, textWidth } from '../../src/cli/ui.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixtures, envelopeFixture } from '../support/payloads.ts';
import { until } from '../support/wait.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';
import { runCli, startCli } from './run.ts';

let api: TestApi;
let proxy: FaultyProxy;
beforeAll(async () => {
  api = await openApi();
  proxy = await startProxy(api.url);
});
afterAll(async () => {
  await proxy?.close();
  await api?.close();
});
beforeEach(() => proxy.reset());

/** An envelope of 10 disbursements with all of them received. */
async function receivedEnvelope(changes: Record<string, unknown> = {}): Promise<string> {
  const envelope = envelopeFixture(changes);
  await api.call('/create_disbursement_envelopes', [envelope]);
  await api.call('/create_disbursements', disbursementFixtures(String(envelope.id), 10));
  return String(envelope.id);
}

/** Lets the money of an envelope get further. */
async function advance(id: string, columns: Record<string, unknown>): Promise<void> {
  const { sql } = api.database;
  await sql`update envelope_batch_status_for_cash set ${sql(columns)} where disbursement_envelope_id = ${id}`;
}

const options = (...more: string[]) => ['--url', proxy.url, '--interval', '0.1', '--retry-for', '0', ...more];
const looks = () => proxy.to('/get_disbursement_envelope_status').length;

it('shows an envelope once as a table, and that it is not complete with the exit code', async () => {
  const id = await receivedEnvelope();
  await advance(id, {
    funds_available_with_bank: 'FUNDS_NOT_AVAILABLE',
    funds_available_latest_error_code: 'BANK_TIMEOUT',
    funds_available_attempts: 2,
  });
  const { code, stdout, stderr } = await runCli(['status', id, '--once', ...options()]);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout.split('\n')).toEqual([
    `${id}  CASH_DIGITAL  in progress`,
    '1,000 of 1,000 ETB received',
    '',
    'stage            done  of  progress',
    'received           10  10  █████████████ 100 %',
    'fa_resolution       0   1  ░░░░░░░░░░░░░   0 %',
    'funds_available            FUNDS_NOT_AVAILABLE',
    'funds_blocked              PENDING_CHECK',
    'shipped             0  10  ░░░░░░░░░░░░░   0 %',
    'reconciled          0  10  ░░░░░░░░░░░░░   0 %',
    'reversed            0',
    'funds_available: BANK_TIMEOUT after 2 attempts',
    '',
  ]);
});

it('shows the batches that stopped, and does not wait for what an operator has left out', async () => {
  const id = await receivedEnvelope();
  const { sql } = api.database;
  await sql`
    update disbursement_batch_control set fa_resolution_status = 'ERROR', fa_resolution_latest_error_code = 'FA_UNRESOLVED'
    where disbursement_envelope_id = ${id}`;
  const stopped = await runCli(['status', id, '--once', ...options()]);
  expect(stopped.stdout).toContain('fa_resolution: FA_UNRESOLVED, 1 in ERROR');
  await sql`
    update disbursements set left_out_reason = 'FA_UNRESOLVED' where id in (
      select id from disbursements where disbursement_envelope_id = ${id} order by id limit 2)`;
  await advance(id, { number_of_disbursements_shipped: 8, number_of_disbursements_reconciled: 8 });
  const released = await runCli(['status', id, '--once', ...options()]);
  expect(released.code).toBe(0);
  expect(released.stdout).toContain('complete');
});

it('writes a line whenever something has changed, and ends when the envelope is complete', async () => {
  const id = await receivedEnvelope();
  const running = startCli(['status', id, ...options()]);
  await until('the first line', () => running.stdout().includes('\n'));
  const before = looks();
  await until('it has looked again', () => looks() > before + 1);
  await advance(id, { number_of_disbursements_shipped: 10 });
  await until('the second line', () => running.stdout().includes('shipped=10/10'));
  await advance(id, { number_of_disbursements_reconciled: 10, number_of_disbursements_reversed: 1 });
  const { code, stdout } = await running.ended;
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(
    new RegExp(`^\\S+Z ${id} received=10/10 .* shipped=10/10 reconciled=10/10 reversed=1 complete$`),
  );
});

it('writes JSON documents with exact quantities with --json', async () => {
  const id = await receivedEnvelope({ total_disbursement_quantity: '12345678901234567890.123456' });
  const once = await runCli(['status', id, '--once', '--json', ...options()]);
  expect([once.code, JSON.parse(once.stdout)]).toMatchObject([
    1,
    {
      progress: 'in_progress',
      disbursement_envelope_id: id,
      number_of_disbursements_received: 10,
      total_disbursement_quantity_declared: '12345678901234567890.123456',
      total_disbursement_quantity_received: '1000',
    },
  ]);
  const running = startCli(['status', id, '--json', ...options()]);
  await until('the first line', () => running.stdout().includes('\n'));
  await advance(id, { number_of_disbursements_reconciled: 10 });
  const { code, stdout } = await running.ended;
  const documents = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect([code, documents.map(({ progress }) => progress)]).toEqual([0, ['in_progress', 'complete']]);
});

it('says that there is no such envelope', async () => {
  const { code, stderr } = await runCli(['status', 'nowhere', ...options()]);
  expect([code, stderr]).toEqual([
    1,
    'error DISBURSEMENT_ENVELOPE_NOT_FOUND: There is no envelope by the id nowhere.\n',
  ]);
});

it('waits for a server that is away for a moment, and gives up on one that stays away', async () => {
  const id = await receivedEnvelope();
  await advance(id, { number_of_disbursements_reconciled: 10 });
  proxy.breaks((_, index) => (index < 2 ? 'hang-up' : null));
  const back = await runCli(['status', id, ...options('--retry-for', '20')]);
  expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('complete')]);
  proxy.breaks(() => 'unavailable');
  const away = await runCli(['status', id, '--json', ...options('--retry-for', '0.3')]);
  expect([away.code, JSON.parse(away.stdout).error.code]).toEqual([3, 'SERVER_ERROR']);
});

it('ends without a word when nobody reads on', async () => {
  const id = await receivedEnvelope();
  const running = startCli(['status', id, ...options()]);
  await until('the first line', () => running.stdout().includes('\n'));
  running.child.stdout?.destroy();
  await advance(id, { number_of_disbursements_shipped: 5 });
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([0, '']);
});

it('ends on Ctrl-C', async () => {
  const id = await receivedEnvelope();
  const running = startCli(['status', id, ...options()]);
  await until('the first line', () => running.stdout().includes('\n'));
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/^error INTERRUPTED: .*\n$/),
  });
});

const everything = {
  disbursement_envelope_id: '0198c0de-0000-8000-8000-000000000000',
  benefit_type: 'CASH_PHYSICAL',
  measurement_unit: 'ETB',
  number_of_beneficiaries_declared: 123_456_789,
  number_of_disbursements_declared: 123_456_789,
  number_of_disbursements_received: 123_456_789,
  total_disbursement_quantity_declared: '123456789012345.67',
  total_disbursement_quantity_received: '123456789012345.67',
  funds_available_with_bank: 'FUNDS_AVAILABLE',
  funds_available_attempts: 1,
  funds_available_latest_error_code: null,
  funds_blocked_with_bank: 'ERROR',
  funds_blocked_attempts: 3,
  funds_blocked_latest_error_code:
    'A_CODE_OF_A_CONNECTOR_THAT_IS_LONGER_THAN_ANYBODY_WOULD_EVER_WANT_IT_TO_BE_ON_A_LINE',
  number_of_disbursements_shipped: 123_456_788,
  number_of_disbursements_reconciled: 1,
  number_of_disbursements_reversed: 123_456_789,
  no_of_small_zones: 100_000,
  no_of_warehouses_allocated: 1_000,
  no_of_agencies_allocated: 10_000,
  disbursement_notification_stages: [
    notifications('warehouse', 123_456_789),
    notifications('agency', 123_456_789),
    notifications('beneficiary', 123_456_789),
  ],
};

function notifications(who: string, processed: number, pending = 0) {
  return {
    stage: `${who}_notification`,
    pending,
    processing: 0,
    processed,
    error: 0,
    latest_error_code: null,
  };
}

it('keeps a table of the largest numbers within 80 columns', () => {
  const lines = stateLines(envelopeState(everything), paintFor(process.stdout));
  const table = lines.slice(3, -1);
  expect(table).toHaveLength(13);
  for (const line of lines.slice(0, -1)) expect(textWidth(line)).toBeLessThanOrEqual(80);
  expect(stripVTControlCharacters(lines.join('\n'))).not.toContain('…');
});

it('knows when an envelope is complete, by the kind of its benefit', () => {
  const of = (changes: object) => envelopeState({ ...everything, ...changes }).progress;
  const declared = everything.number_of_disbursements_declared;
  const reconciled = { number_of_disbursements_reconciled: declared };
  const told = (...stages: unknown[]) => ({ disbursement_notification_stages: stages });
  const [warehouse, agency] = [notifications('warehouse', 9), notifications('agency', 9)];
  const all = [warehouse, agency, notifications('beneficiary', declared)];
  const cases: readonly [changes: object, progress: string][] = [
    [{}, 'in progress'],
    [reconciled, 'complete'],
    [{ ...reconciled, ...told() }, 'in progress'],
    [{ ...reconciled, ...told(), benefit_type: 'CASH_DIGITAL' }, 'complete'],
    [{ ...reconciled, number_of_disbursements_received: declared - 1 }, 'in progress'],
    [{ ...reconciled, cancellation_status: 'Cancelled' }, 'cancelled'],
    [{ benefit_type: 'COMMODITY' }, 'complete'],
    [{ benefit_type: 'COMMODITY', cancellation_status: 'Not_Cancelled' }, 'complete'],
    [{ benefit_type: 'COMMODITY', ...told() }, 'in progress'],
    [{ benefit_type: 'SERVICE', ...told(...all) }, 'complete'],
    [{ benefit_type: 'SERVICE', ...told(warehouse, agency, notifications('beneficiary', 5)) }, 'in progress'],
    [
      { benefit_type: 'COMBINATION', ...told(notifications('warehouse', 8, 1), ...all.slice(1)) },
      'in progress',
    ],
    [
      { benefit_type: 'COMBINATION', ...told(warehouse, notifications('agency', 8, 1), ...all.slice(2)) },
      'in progress',
    ],
  ];
  expect(cases.map(([changes]) => of(changes))).toEqual(cases.map(([, progress]) => progress));
  expect(stateLine(envelopeState({ ...everything, benefit_type: 'SERVICE', ...told(...all) }))).toBe(
    `${everything.disbursement_envelope_id} received=123456789/123456789 zones=100000 warehouses=1000 agencies=10000 ` +
      'warehouse_notification=9/9 agency_notification=9/9 beneficiary_notification=123456789/123456789 complete',
  );
});
