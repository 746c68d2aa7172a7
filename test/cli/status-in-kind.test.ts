import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertRows } from '../../src/db/bulk.ts';
import { disbursementBatchControlGeo, disbursementResolutionGeoAddress } from '../../src/db/schema/index.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixtures, envelopeFixture } from '../support/payloads.ts';
import { geoAddressRow, geoRow } from '../support/status-rows.ts';
import { until } from '../support/wait.ts';
import { runCli, startCli } from './run.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api?.close());

/** An envelope of 10 disbursements with all of them received. */
async function receivedEnvelope(changes: Record<string, unknown>): Promise<string> {
  const envelope = envelopeFixture(changes);
  await api.call('/create_disbursement_envelopes', [envelope]);
  await api.call('/create_disbursements', disbursementFixtures(String(envelope.id), 10));
  return String(envelope.id);
}

/** Lets an envelope reach two zones, the even disbursements one and the odd ones the other. */
async function allocate(id: string): Promise<void> {
  const { sql } = api.database;
  const rows = await sql<{ id: string; batchId: string }[]>`
    select id, disbursement_batch_control_id as "batchId" from disbursements where disbursement_envelope_id = ${id}
    order by id`;
  const owner = { envelopeId: id, batchId: rows[0]?.batchId ?? '' };
  const pending = { warehouse_notification_status: 'PENDING', agency_notification_status: 'PENDING' };
  const [even, odd] = [geoRow(owner, pending), geoRow(owner, { ...pending, agency_id: 'A2' })];
  await insertRows(sql, disbursementBatchControlGeo, [even, odd]);
  const addresses = rows.map((row, n) =>
    geoAddressRow(owner, row.id, n % 2 === 0 ? even : odd, { beneficiary_notification_status: 'PENDING' }),
  );
  await insertRows(sql, disbursementResolutionGeoAddress, addresses);
  await sql`
    update disbursement_batch_control set geo_resolution_status = 'PROCESSED',
      warehouse_allocation_status = 'PROCESSED', agency_allocation_status = 'PROCESSED'
    where id = ${owner.batchId}`;
}

/** Lets everybody of one kind have been notified. */
async function notify(id: string, who: 'warehouse' | 'agency' | 'beneficiary'): Promise<void> {
  const { sql } = api.database;
  const table =
    who === 'beneficiary' ? 'disbursement_resolution_geo_address' : 'disbursement_batch_control_geo';
  await sql`
    update ${sql(table)} set ${sql(`${who}_notification_status`)} = 'PROCESSED' where disbursement_envelope_id = ${id}`;
}

const options = () => ['--url', api.url, '--interval', '0.1', '--retry-for', '0'];

it('shows the zones of goods, who serves them and who has been notified, until everybody has', async () => {
  const id = await receivedEnvelope({ benefit_type: 'COMMODITY', measurement_unit: 'KG' });
  const begun = await runCli(['status', id, '--once', ...options()]);
  expect([begun.code, begun.stdout]).toEqual([1, expect.stringContaining('geo_resolution')]);
  await allocate(id);
  const { sql } = api.database;
  await sql`
    update disbursement_batch_control_geo
    set warehouse_notification_status = 'ERROR', warehouse_notification_latest_error_code = 'NOTIFICATION_REFUSED'
    where disbursement_envelope_id = ${id} and agency_id = 'A2'`;
  const allocated = await runCli(['status', id, '--once', ...options()]);
  expect(allocated.code).toBe(1);
  expect(allocated.stdout.split('\n')).toEqual([
    `${id}  COMMODITY  in progress`,
    '1,000 of 1,000 KG received',
    '',
    'stage                     done  of  progress',
    'received                    10  10  █████████████ 100 %',
    'geo_resolution               1   1  █████████████ 100 %',
    'warehouse_allocation         1   1  █████████████ 100 %',
    'agency_allocation            1   1  █████████████ 100 %',
    'zones                        2',
    'warehouses                   1',
    'agencies                     2',
    'warehouse_notification       0   2  ░░░░░░░░░░░░░   0 %',
    'agency_notification          0   2  ░░░░░░░░░░░░░   0 %',
    'beneficiary_notification     0  10  ░░░░░░░░░░░░░   0 %',
    'warehouse_notification: NOTIFICATION_REFUSED, 1 in ERROR',
    '',
  ]);
  const running = startCli(['status', id, '--json', ...options()]);
  for (const who of ['beneficiary', 'warehouse', 'agency'] as const) {
    await notify(id, who);
    await until(`the ${who} is shown`, () =>
      running
        .stdout()
        .trimEnd()
        .split('\n')
        .some((line) => line !== '' && isNotified(JSON.parse(line), who)),
    );
  }
  const { code, stdout } = await running.ended;
  const documents = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect([code, documents.at(-1).progress]).toEqual([0, 'complete']);
  expect(documents.slice(0, -1).every(({ progress }) => progress === 'in_progress')).toBe(true);
});

const isNotified = (
  document: { disbursement_notification_stages: { stage: string; pending: number; error: number }[] },
  who: string,
) =>
  document.disbursement_notification_stages.some(
    ({ stage, pending, error }) => stage === `${who}_notification` && pending + error === 0,
  );

it('takes physical cash for complete when it is reconciled and everybody has been notified', async () => {
  const id = await receivedEnvelope({ benefit_type: 'CASH_PHYSICAL' });
  const once = async () => (await runCli(['status', id, '--once', ...options()])).code;
  await allocate(id);
  const reconcile = (count: number) => api.database.sql`
    update envelope_batch_status_for_cash set number_of_disbursements_reconciled = ${count}
    where disbursement_envelope_id = ${id}`;
  await reconcile(10);
  expect(await once()).toBe(1);
  for (const who of ['warehouse', 'agency', 'beneficiary'] as const) await notify(id, who);
  expect(await once()).toBe(0);
  await reconcile(9);
  expect(await once()).toBe(1);
});

it('does not wait for the notification of somebody who was in no registry and was left out', async () => {
  const id = await receivedEnvelope({ benefit_type: 'SERVICE' });
  await allocate(id);
  for (const who of ['warehouse', 'agency', 'beneficiary'] as const) await notify(id, who);
  const { sql } = api.database;
  const [someone] = await sql<{ id: string }[]>`
    delete from disbursement_resolution_geo_address where id = (
      select id from disbursements where disbursement_envelope_id = ${id} limit 1) returning id`;
  const waiting = await runCli(['status', id, '--once', ...options()]);
  await sql`update disbursements set left_out_reason = 'GEO_UNRESOLVED' where id = ${someone?.id ?? ''}`;
  const released = await runCli(['status', id, '--once', ...options()]);
  expect([waiting.code, released.code]).toEqual([1, 0]);
});
