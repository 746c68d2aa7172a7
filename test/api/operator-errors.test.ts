import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCountText } from '../../src/api/operator/error-counts.ts';
import { stageNamed } from '../../src/api/operator/stages.ts';
import { type ErrorItems, errorItems, errors } from '../../src/api/operator/wire/errors.ts';
import { insertRows } from '../../src/db/bulk.ts';
import * as schema from '../../src/db/schema/index.ts';
import { type OperatorClient, openOperatorApi, type TestOperatorApi } from '../support/operators.ts';
import { batchRow, envelopeControlRow, envelopeRow, newId } from '../support/records.ts';

const NOON = new Date('2026-03-01T12:00:00.000Z');
const msLater = (ms: number) => new Date(NOON.getTime() + ms);
/** As a bank may answer. */
const ODD_CODE = 'R/03 ü%';

describe('errors as operators see them', () => {
  let api: TestOperatorApi;
  let viewer: OperatorClient;
  const envelope = envelopeRow({ id: 'E/1 %', receipt_time_stamp: NOON });
  const other = envelopeRow({ receipt_time_stamp: NOON });
  const id = { one: 'E/1 %', other: other.id ?? '' };

  /** Stores batches that stand in ERROR, of which some came there at the same moment. @returns ids and times */
  async function failBatches(of: typeof envelope, region: string, code: string, count: number) {
    const rows = Array.from({ length: count }, (_, n) => ({
      ...batchRow(of, ['1'], NOON),
      id: newId('B'),
      [`${region}_status`]: 'ERROR',
      [`${region}_latest_error_code`]: code,
      [`${region}_timestamp`]: msLater(Math.floor(n / 3) * 1_000),
      [`${region}_attempts`]: 3,
    }));
    await insertRows(api.database.sql, schema.disbursementBatchControl, rows);
    return rows.map((row) => row.id);
  }

  /** The journal of an error: its sentence, and something after it that says nothing of it. */
  async function accuse(machine: string, actor: string, region: string, code: string, message: string) {
    const entry = {
      at: NOON,
      machine,
      actor_id: actor,
      correlation_id: actor,
      region,
      attempt: 1,
      error_code: code,
    };
    await insertRows(api.database.sql, schema.actorTransitions, [
      {
        ...entry,
        event: 'failed',
        from_state: 'PROCESSING',
        to_state: 'PENDING',
        error_message: 'An earlier one.',
      },
      { ...entry, event: 'failed', from_state: 'PROCESSING', to_state: 'ERROR', error_message: message },
      { ...entry, event: 'retry', from_state: 'ERROR', to_state: 'PENDING', error_message: null },
      {
        ...entry,
        region: 'another',
        event: 'failed',
        from_state: 'A',
        to_state: 'B',
        error_message: 'Another.',
      },
    ]);
  }

  beforeAll(async () => {
    api = await openOperatorApi();
    viewer = api.as('viewer');
    const { sql } = api.database;
    await insertRows(sql, schema.disbursementEnvelopes, [envelope, other]);
    await insertRows(sql, schema.envelopeControl, [envelope, other].map(envelopeControlRow));
    await insertRows(sql, schema.envelopeBatchStatusForCash, [
      {
        disbursement_envelope_id: id.one,
        funds_available_with_bank: 'ERROR',
        funds_available_latest_error_code: 'BANK_DOWN',
        funds_available_latest_timestamp: msLater(5),
        funds_available_attempts: 3,
      },
    ]);
    await insertRows(sql, schema.envelopeBatchStatusForCash, [{ disbursement_envelope_id: id.other }]);
    const [first = ''] = await failBatches(envelope, 'fa_resolution', 'FA_UNRESOLVED', 1);
    await sql`update disbursement_batch_control set fa_resolution_timestamp = ${msLater(60_000)} where id = ${first}`;
    await accuse('batch', first, 'fa_resolution', 'FA_UNRESOLVED', 'Nobody lives there.');
    await failBatches(other, 'fa_resolution', 'FA_UNRESOLVED', 9);
    await failBatches(envelope, 'fa_resolution', ODD_CODE, 2);
    await failBatches(other, 'sponsor_bank_dispatch', 'PAYMENT_OUTCOME_UNKNOWN', 2);
    await failBatches(other, 'sponsor_bank_dispatch', 'BANK_REFUSED', 1);
    const [out = ''] = await failBatches(other, 'sponsor_bank_dispatch', 'STALE', 2);
    await sql`update disbursement_batch_control set sponsor_bank_dispatch_submitted_at = ${NOON} where id = ${out}`;
    await failBatches(other, 'warehouse_allocation', 'NO_WAREHOUSE_FOUND', 1);
    await insertRows(sql, schema.accountStatements, [
      {
        statement_id: 'S-1',
        statement_upload_timestamp: NOON,
        number_of_entries: 1,
        content_digest: 'x',
        statement_process_status: 'ERROR',
        statement_process_latest_error_code: 'INVALID_ACCOUNT_NUMBER',
        statement_process_timestamp: NOON,
        statement_process_attempts: 1,
      },
    ]);
  });
  afterAll(() => api.close());

  const groupsOf = async (query = '') =>
    errors.parse((await viewer.get(`/operator/errors${query}`)).body).groups;
  const counts = (groups: Awaited<ReturnType<typeof groupsOf>>) =>
    groups.map(({ stage, code, count }) => `${stage} ${code}: ${count}`);

  it('are grouped by stage and code, in the order of the pipeline, the largest group of a stage first', async () => {
    const groups = await groupsOf();
    expect(counts(groups)).toEqual([
      'mapper_resolution FA_UNRESOLVED: 10',
      `mapper_resolution ${ODD_CODE}: 2`,
      'check_funds_with_bank BANK_DOWN: 1',
      'disburse_funds_from_bank PAYMENT_OUTCOME_UNKNOWN: 2',
      'disburse_funds_from_bank STALE: 2',
      'disburse_funds_from_bank BANK_REFUSED: 1',
      'mt940_processor INVALID_ACCOUNT_NUMBER: 1',
      'warehouse_allocation NO_WAREHOUSE_FOUND: 1',
    ]);
    expect(groups[0]).toMatchObject({
      title: 'Resolve accounts',
      machine: 'batch',
      region: 'fa_resolution',
      first_at: NOON.toISOString(),
      last_at: msLater(60_000).toISOString(),
      message: 'Nobody lives there.',
    });
    expect(groups[1]?.message).toBeNull();
  });

  it('say what can be done, and what of it only a payer may do', async () => {
    const can = Object.fromEntries(
      (await groupsOf()).map(({ code, actions, payer_only }) => [code, { actions, payer_only }]),
    );
    expect(can).toEqual({
      FA_UNRESOLVED: { actions: ['retry', 'release'], payer_only: ['release'] },
      [ODD_CODE]: { actions: ['retry', 'release'], payer_only: ['release'] },
      BANK_DOWN: { actions: ['retry'], payer_only: [] },
      PAYMENT_OUTCOME_UNKNOWN: { actions: ['retry', 'release'], payer_only: ['retry', 'release'] },
      // One of them has been submitted.
      STALE: { actions: ['retry', 'release'], payer_only: ['retry', 'release'] },
      BANK_REFUSED: { actions: ['retry', 'release'], payer_only: ['release'] },
      INVALID_ACCOUNT_NUMBER: { actions: ['retry'], payer_only: [] },
      NO_WAREHOUSE_FOUND: { actions: ['retry'], payer_only: [] },
    });
  });

  it('are those of one envelope when it is asked for', async () => {
    expect(counts(await groupsOf(`?envelope=${encodeURIComponent(id.one)}`))).toEqual([
      `mapper_resolution ${ODD_CODE}: 2`,
      'mapper_resolution FA_UNRESOLVED: 1',
      'check_funds_with_bank BANK_DOWN: 1',
    ]);
    expect(await groupsOf('?envelope=none')).toEqual([]);
  });

  it.each([1, 4, 10])('page by %i without losing or repeating anything, the latest first', async (limit) => {
    const items: ErrorItems['items'] = [];
    let cursor = '';
    for (;;) {
      const path = `/operator/errors/mapper_resolution/FA_UNRESOLVED?limit=${limit}${cursor}`;
      const page = errorItems.parse((await viewer.get(path)).body);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      items.push(...page.items);
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(new Set(items.map((one) => one.id)).size).toBe(10);
    expect(items).toHaveLength(10);
    const order = items.map((one) => `${one.at} ${one.id}`);
    expect(order).toEqual([...order].sort().reverse());
    expect(items[0]).toMatchObject({
      machine: 'batch',
      envelope: id.one,
      attempts: 3,
      message: 'Nobody lives there.',
    });
    expect(items[1]).toMatchObject({ envelope: id.other, message: null });
  });

  it('are listed by any code, for one envelope, and of every machine', async () => {
    const listed = async (stage: string, code: string, query = '') => {
      const path = `/operator/errors/${stage}/${encodeURIComponent(code)}${query}`;
      return errorItems.parse((await viewer.get(path)).body).items.length;
    };
    expect(await listed('mapper_resolution', ODD_CODE)).toBe(2);
    expect(
      await listed('mapper_resolution', 'FA_UNRESOLVED', `?envelope=${encodeURIComponent(id.one)}`),
    ).toBe(1);
    expect(await listed('check_funds_with_bank', 'BANK_DOWN')).toBe(1);
    expect(await listed('check_funds_with_bank', 'BANK_DOWN', `?envelope=${id.other}`)).toBe(0);
    expect(await listed('mt940_processor', 'INVALID_ACCOUNT_NUMBER')).toBe(1);
    expect(await listed('mt940_processor', 'INVALID_ACCOUNT_NUMBER', `?envelope=${id.other}`)).toBe(0);
    expect(await listed('beneficiary_notification', 'NOVU_DOWN', `?envelope=${id.other}`)).toBe(0);
    expect(await listed('mapper_resolution', 'none')).toBe(0);
  });

  it('are refused by other names', async () => {
    const asked = async (path: string) => {
      const { status, body } = await viewer.get(path);
      return [status, body.code];
    };
    expect(await asked('/operator/errors/none/X')).toEqual([404, 'STAGE_UNKNOWN']);
    expect(await asked('/operator/errors/mapper_resolution/X?cursor=eA')).toEqual([400, 'CURSOR_INVALID']);
    expect(await asked('/operator/errors?envelope=%00')).toEqual([400, 'REQUEST_INVALID']);
    const moments = ['no moment', '0000-06-01T00:00:00.000Z', `2026-01-01T00:00:00.${'1'.repeat(200)}Z`];
    for (const moment of moments) {
      const cursor = Buffer.from(JSON.stringify([moment, 'x'])).toString('base64url');
      const path = `/operator/errors/mapper_resolution/X?cursor=${cursor}`;
      expect(await asked(path), moment).toEqual([400, 'CURSOR_INVALID']);
    }
    const first = Buffer.from(JSON.stringify(['0001-01-01T00:00:00.000Z', 'x'])).toString('base64url');
    expect(await asked(`/operator/errors/mapper_resolution/X?cursor=${first}`)).toEqual([200, undefined]);
  });

  it('of payments that may be out are found by the index of what is in ERROR', async () => {
    const info = stageNamed(api.system, 'disburse_funds_from_bank');
    const plan = await api.database.sql.begin(async (sql) => {
      await sql`set local enable_seqscan = off`;
      return sql.unsafe(`explain ${errorCountText(info)}`);
    });
    expect(JSON.stringify(plan)).toContain('sponsor_bank_dispatch_in_error');
  });

  it.each(['warehouse_notification', 'agency_notification', 'beneficiary_notification'])(
    'of %s are found by an index of their envelopes',
    async (region) => {
      const table =
        region === 'beneficiary_notification'
          ? 'disbursement_resolution_geo_address'
          : 'disbursement_batch_control_geo';
      const plan = await api.database.sql.begin(async (sql) => {
        await sql`set local enable_seqscan = off`;
        return sql.unsafe(
          `explain select ${region}_latest_error_code, count(*) from ${table}
           where ${region}_status = 'ERROR' and disbursement_envelope_id = 'E' group by 1`,
        );
      });
      expect(JSON.stringify(plan)).toContain(`${region}_in_error_of_envelope`);
    },
  );
});
