import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/api/operator/cursor.ts';
import {
  type Batches,
  batches as batchesAnswer,
  type EnvelopeDetail,
  type EnvelopeSummary,
  envelopeDetail,
  envelopes as envelopesAnswer,
} from '../../src/api/operator/wire/envelopes.ts';
import { envelopeState } from '../../src/cli/status/envelope-state.ts';
import { insertRows } from '../../src/db/bulk.ts';
import * as schema from '../../src/db/schema/index.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import {
  type OperatorClient,
  type OperatorSurface,
  openOperatorApi,
  serveOperators,
  type TestOperatorApi,
} from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { messageFixture } from '../support/payloads.ts';
import {
  batchRow,
  debit,
  type EnvelopeRow,
  envelopeControlRow,
  envelopeRow,
  newId,
  statementText,
} from '../support/records.ts';
import { until } from '../support/wait.ts';

describe('the list of envelopes', () => {
  let api: TestOperatorApi;
  let viewer: OperatorClient;
  beforeAll(async () => {
    api = await openOperatorApi();
    viewer = api.as('viewer');
  });
  afterAll(() => api.close());

  async function store(...given: readonly Partial<EnvelopeRow>[]): Promise<EnvelopeRow[]> {
    const rows = given.map((one) => envelopeRow({ receipt_time_stamp: new Date(), ...one }));
    // One by one: they differ in what they say.
    for (const row of rows) await insertRows(api.database.sql, schema.disbursementEnvelopes, [row]);
    await insertRows(api.database.sql, schema.envelopeControl, rows.map(envelopeControlRow));
    const money = rows.map(({ id }) => ({ disbursement_envelope_id: id }));
    await insertRows(api.database.sql, schema.envelopeBatchStatusForCash, money);
    return rows;
  }

  async function list(query: string): Promise<EnvelopeSummary[]> {
    const { status, body } = await viewer.get(`/operator/envelopes?${query}`);
    expect(status, JSON.stringify(body)).toBe(200);
    return envelopesAnswer.parse(body).envelopes;
  }

  it('loses and repeats nothing while envelopes arrive between its pages', async () => {
    const cycle = newId('CY');
    const at = new Date('2026-02-01T10:00:00.123Z');
    // Many of the same moment.
    const old = await store(
      ...Array.from({ length: 25 }, (_, n) => ({
        cycle_code_mnemonic: cycle,
        receipt_time_stamp: new Date(at.getTime() - (n % 3) * 1_000),
      })),
    );
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { status, body } = await viewer.get(`/operator/envelopes?search=${cycle}&limit=4${query}`);
      expect(status).toBe(200);
      const page = envelopesAnswer.parse(body);
      expect(page.envelopes.length).toBeLessThanOrEqual(4);
      seen.push(...page.envelopes.map(({ id }) => id));
      cursor = page.next_cursor;
      await store({
        cycle_code_mnemonic: cycle,
        receipt_time_stamp: new Date(at.getTime() + 1_000 + seen.length),
      });
    } while (cursor !== null);
    expect(seen).toHaveLength(25);
    const newestFirst = old.toSorted(
      (a, b) => b.receipt_time_stamp.getTime() - a.receipt_time_stamp.getTime() || (a.id < b.id ? 1 : -1),
    );
    expect(seen).toEqual(newestFirst.map(({ id }) => id));
  });

  it('finds by part of an id or mnemonic, whatever the case, and takes wildcards for what they are', async () => {
    const word = newId('x%_');
    const [byProgram, byBenefit, byCycle] = await store(
      { benefit_program_mnemonic: `Winter ${word} aid` },
      { benefit_code_mnemonic: word.toUpperCase() },
      { cycle_code_mnemonic: word },
    );
    const ids = (await list(`search=${encodeURIComponent(word)}`)).map(({ id }) => id);
    expect(ids.toSorted()).toEqual([byProgram?.id, byBenefit?.id, byCycle?.id].toSorted());
    expect((await list(`search=${byProgram?.id.slice(2).toUpperCase()}`)).map(({ id }) => id)).toEqual([
      byProgram?.id,
    ]);
    expect(await list(`search=${encodeURIComponent('x__')}`)).toEqual([]);
    expect(await list(`search=${encodeURIComponent("'; drop table x; --\\")}`)).toEqual([]);
  });

  it('tells cash from goods', async () => {
    const word = newId('T');
    const given = { cycle_code_mnemonic: word };
    const [cash, goods] = await store(
      given,
      { ...given, benefit_type: 'COMMODITY' },
      { ...given, cancellation_status: 'Cancelled' },
    );
    const [found] = await list(`search=${word}&benefit_type=COMMODITY`);
    expect(found).toMatchObject({
      id: goods?.id,
      state: 'receiving',
      number_of_disbursements_shipped: null,
      number_of_disbursements_reconciled: null,
      number_of_disbursements_reversed: null,
    });
    expect((await list(`search=${word}&state=receiving`)).map(({ id }) => id).toSorted()).toEqual(
      [cash?.id, goods?.id].toSorted(),
    );
    expect(await list(`search=${word}&state=cancelled`)).toHaveLength(1);
    expect(await list(`search=${word}&state=complete`)).toEqual([]);
  });

  it('refuses what it does not understand', async () => {
    const refused = async (query: string) => {
      const { status, body } = await viewer.get(`/operator/envelopes?${query}`);
      return [status, body.code];
    };
    expect(await refused('state=lost')).toEqual([400, 'REQUEST_INVALID']);
    expect(await refused('limit=0')).toEqual([400, 'REQUEST_INVALID']);
    expect(await refused('limit=201')).toEqual([400, 'REQUEST_INVALID']);
    expect(await refused('search=a%00b')).toEqual([400, 'REQUEST_INVALID']);
    for (const values of [
      ['x'],
      ['2026-13-45T00:00:00Z', 'E'],
      [1, 'E'],
      ['2026-01-01T00:00:00Z', 'a\0b'],
      [],
    ]) {
      expect(await refused(`cursor=${encodeCursor(values)}`)).toEqual([400, 'CURSOR_INVALID']);
    }
    expect(await refused('cursor=%F0%9F%92%A3')).toEqual([400, 'CURSOR_INVALID']);
  });

  it('pages the batches of an envelope in the order of their receipt', async () => {
    const [envelope] = await store({});
    if (!envelope) throw new Error('An envelope was stored.');
    const at = Date.now();
    const rows = Array.from({ length: 10 }, (_, n) =>
      batchRow(envelope, ['1.50', '2'], new Date(at + Math.floor(n / 3))),
    );
    await insertRows(api.database.sql, schema.disbursementBatchControl, rows);
    const seen: Batches['batches'] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await viewer.get(`/operator/envelopes/${envelope.id}/batches?limit=3${query}`);
      const page = batchesAnswer.parse(body);
      seen.push(...page.batches);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen.map(({ id }) => id)).toEqual(
      rows
        .toSorted(
          (a, b) => a.receipt_time_stamp.getTime() - b.receipt_time_stamp.getTime() || (a.id < b.id ? -1 : 1),
        )
        .map(({ id }) => id),
    );
    expect(seen[0]).toMatchObject({ number_of_disbursements: 2, quantity: '3.5' });
    expect(seen[0]?.stages.map(({ region }) => region)).toEqual(['fa_resolution', 'sponsor_bank_dispatch']);
  });

  it('knows no envelope that there is not', async () => {
    for (const path of ['/operator/envelopes/E-nowhere', '/operator/envelopes/E-nowhere/batches']) {
      const { status, body } = await viewer.get(path);
      expect([status, body.code]).toEqual([404, 'ENVELOPE_UNKNOWN']);
      expect(body.detail).toContain('E-nowhere');
    }
    expect((await viewer.get('/operator/envelopes/a%00b')).status).toBe(400);
  });
});

describe('an envelope on its way', () => {
  let outside: Outside;
  let world: InKindPipeline;
  let surface: OperatorSurface;
  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside, { system: { foldMs: 20 } });
    surface = await serveOperators(world.pipeline);
  });
  afterAll(async () => {
    await surface.close();
    await world.close();
    await outside.close();
  });

  async function detail(id: string): Promise<EnvelopeDetail> {
    const { status, body } = await surface.as('viewer').get(`/operator/envelopes/${id}`);
    expect(status, JSON.stringify(body)).toBe(200);
    return envelopeDetail.parse(body);
  }

  /** What the command `status` makes of an envelope. */
  async function progress(id: string): Promise<string> {
    const reply = await fetch(`${surface.url}/get_disbursement_envelope_status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(messageFixture(id)),
    });
    const { response_body: body } = (await reply.json()) as { response_body: { response_payload: never } };
    return envelopeState(body.response_payload).progress;
  }

  const batchIs = (id: string | undefined, expected: Record<string, unknown>) =>
    becomes(() => world.pipeline.batch(id), expected);
  const stateIs = (id: string, state: EnvelopeDetail['state']) =>
    until(`envelope ${id} is ${state}`, async () => (await detail(id)).state === state);

  it('is complete when all cash is on statements, and not before', async () => {
    const program = await world.cashProgram();
    const { envelope, ids, batches } = await world.pipeline.disburse(program, [['10', '20'], ['30']]);
    for (const { row } of batches) await batchIs(row.id, { sponsor_bank_dispatch_status: 'PROCESSED' });
    await until('it is shipped', async () => (await detail(envelope.id)).money?.shipped === '60');
    const shipped = await detail(envelope.id);
    expect(shipped).toMatchObject({
      state: 'under_way',
      number_of_batches: 2,
      number_of_disbursements_shipped: 3,
      cancellable: false,
      money: { blocked: '60', shipped: '60', reconciled: '0', reversed: '0', outstanding: '60' },
    });
    expect(shipped.money?.block_reference).not.toBeNull();
    expect(await progress(envelope.id)).toBe('in progress');
    const quantities = ['10', '20', '30'];
    await world.pipeline.upload(
      statementText(
        program.account,
        ids.map((id, n) => debit(id, quantities[n] ?? '')),
      ),
    );
    await stateIs(envelope.id, 'complete');
    expect(await progress(envelope.id)).toBe('complete');
    expect((await detail(envelope.id)).money).toMatchObject({ reconciled: '60', outstanding: '0' });
    await until('its stages are counted', async () => {
      const { stages } = await detail(envelope.id);
      return (
        stages.map(({ stage }) => stage).join() ===
          'mapper_resolution,check_funds_with_bank,block_funds_with_bank,disburse_funds_from_bank' &&
        stages.map(({ tally }) => tally.processed).join() === '2,1,1,2'
      );
    });
  });

  it('is complete when everybody in its zones has been notified', async () => {
    const { envelope } = await world.disburse('COMMODITY', [[world.living(0, '1'), world.living(1, '2')]]);
    const seen = new Set<string>();
    await until('it is complete', async () => {
      // The command looks at the rows, which are never behind the counts.
      const { state } = await detail(envelope.id);
      seen.add(state);
      if (state === 'complete') expect(await progress(envelope.id)).toBe('complete');
      return state === 'complete';
    });
    expect(seen).not.toContain('cancelled');
    expect((await detail(envelope.id)).money).toBeNull();
  });

  it('is receiving until all is there, whatever becomes of the rest', async () => {
    const program = await world.cashProgram();
    const { envelope, batches } = await world.pipeline.announce(program, [['1'], ['2']]);
    expect(await detail(envelope.id)).toMatchObject({ state: 'receiving', cancellable: true, errors: 0 });
    const [first, second] = batches;
    if (!first || !second) throw new Error('There are two batches.');
    await world.pipeline.receive(first);
    await batchIs(first.row.id, { fa_resolution_status: 'PROCESSED' });
    expect(await detail(envelope.id)).toMatchObject({
      state: 'receiving',
      quantity_received: '1',
      number_of_disbursements_received: 1,
    });
    await world.pipeline.receive(second);
    await stateIs(envelope.id, 'under_way');
  });

  it('needs attention while something of it is in error; what was left out then is not waited for', async () => {
    const program = await world.cashProgram();
    const disbursing = await world.pipeline.disburse(program, [['5', { quantity: '6', address: null }]]);
    const { envelope, batches, ids } = disbursing;
    await batchIs(batches[0]?.row.id, { fa_resolution_status: 'ERROR' });
    await stateIs(envelope.id, 'needs_attention');
    expect((await detail(envelope.id)).errors).toBe(1);
    const { body } = await surface.as('viewer').get('/operator/envelopes?state=needs_attention');
    expect(envelopesAnswer.parse(body).envelopes.map(({ id }) => id)).toEqual([envelope.id]);
    const shown = batchesAnswer.parse(
      (await surface.as('viewer').get(`/operator/envelopes/${envelope.id}/batches`)).body,
    );
    expect(shown.batches[0]?.stages[0]).toMatchObject({
      stage: 'mapper_resolution',
      state: 'ERROR',
      attempts: 3,
      error_code: 'FA_UNRESOLVED',
    });
    await world.release(disbursing, 'fa_resolution');
    await batchIs(batches[0]?.row.id, { sponsor_bank_dispatch_status: 'PROCESSED' });
    await stateIs(envelope.id, 'under_way');
    await world.pipeline.upload(statementText(program.account, [debit(ids[0] ?? '', '5')]));
    await stateIs(envelope.id, 'complete');
    expect(await progress(envelope.id)).toBe('complete');
  });

  it('is cancelled when it is, and can only be so once', async () => {
    const program = await world.cashProgram();
    const { envelope } = await world.pipeline.announce(program, [['1']]);
    const cancelled = await surface
      .as('operator')
      .post(`/operator/envelopes/${envelope.id}/cancel`, { reason: 'Announced twice' });
    expect(cancelled.status, JSON.stringify(cancelled.body)).toBe(200);
    const seen = await detail(envelope.id);
    expect(seen).toMatchObject({ state: 'cancelled', cancellable: false });
    expect(seen.cancelled_at).not.toBeNull();
    expect(await progress(envelope.id)).toBe('cancelled');
  });
});
