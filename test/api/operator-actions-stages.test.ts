import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOperatorApi, readReply, serveOperators, type TestOperatorApi } from '../support/operators.ts';
import { debit, newId, statementText } from '../support/records.ts';
import { statesOf, storedBatches, storedEnvelope } from '../support/stopped-work.ts';
import { until } from '../support/wait.ts';

const reason = 'the bank asked us to';

let api: TestOperatorApi;
beforeAll(async () => {
  api = await openOperatorApi();
});
afterAll(() => api.close());

const audit = async (query = '') => (await api.as('viewer').get(`/operator/audit?${query}`)).body;
const latest = async () => (await audit('limit=1')).actions[0];
const change = (stage: string, action: string, why = reason) =>
  api.as('payer').post(`/operator/stages/${stage}/${action}`, { reason: why });

describe('pausing a stage', () => {
  it('is in force when it is answered, and asking again changes nothing', async () => {
    expect((await change('geo_resolution', 'pause')).body).toEqual({ done: true });
    const pause = api.system.pauses.list().get('geo_resolution');
    expect(pause).toMatchObject({ by: api.as('payer').operator.name, reason });
    expect(await latest()).toMatchObject({
      action: 'pause',
      target: { stage: 'geo_resolution' },
      accepted: 1,
    });
    expect((await change('geo_resolution', 'pause', 'once more')).status).toBe(200);
    expect(api.system.pauses.list().get('geo_resolution')).toEqual(pause);
    expect(await latest()).toMatchObject({ reason: 'once more', accepted: 0, refused: 1, problem: null });
  });

  it('holds until it is resumed; resuming what runs changes nothing', async () => {
    await change('agency_allocation', 'pause');
    expect((await change('agency_allocation', 'resume')).body).toEqual({ done: true });
    expect(api.system.pauses.list().has('agency_allocation')).toBe(false);
    expect(await latest()).toMatchObject({ action: 'resume', accepted: 1 });
    expect((await change('agency_allocation', 'resume')).status).toBe(200);
    expect(await latest()).toMatchObject({ action: 'resume', accepted: 0, refused: 1 });
  });

  it('by two operators at the same time is one pause', async () => {
    const replies = await Promise.all([
      change('warehouse_allocation', 'pause', 'first of two'),
      api.as('operator').post('/operator/stages/warehouse_allocation/pause', { reason: 'second of two' }),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    const { actions } = await audit('limit=2');
    expect(actions.map(({ accepted }: { accepted: number }) => accepted).sort()).toEqual([0, 1]);
  });
});

describe('running a tick now', () => {
  it('does what a tick does, and says how much', async () => {
    const envelope = await storedEnvelope(api.database);
    const ids = await storedBatches(api.database, envelope, 3, {
      region: 'fa_resolution',
      status: 'PENDING',
      dueAt: new Date(0),
    });
    const { body } = await change('mapper_resolution', 'tick');
    expect(body).toEqual({ dispatched: 2, stale: 0 });
    expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ PENDING: 1, PROCESSING: 2 });
    expect(await latest()).toMatchObject({ action: 'tick', accepted: 2, refused: 0, problem: null });
  });

  it('is on record as unfinished until it is at its end', async () => {
    const { sql } = api.database;
    let ticking: ReturnType<typeof change> | undefined;
    await sql.begin(async (tx) => {
      await tx`lock table actor_ticks in access exclusive mode`;
      ticking = change('warehouse_notification', 'tick');
      await until('the tick is on record', async () => {
        const { actions } = await audit('action=tick&limit=1');
        return actions[0]?.target.stage === 'warehouse_notification';
      });
      expect(await latest()).toMatchObject({ action: 'tick', accepted: 0, problem: 'UNFINISHED' });
    });
    expect((await ticking)?.status).toBe(200);
    expect(await latest()).toMatchObject({ action: 'tick', problem: null });
  });

  it('is refused while the stage is paused, and that is on record', async () => {
    await change('mt940_processor', 'pause');
    const reply = await change('mt940_processor', 'tick');
    expect([reply.status, reply.body.code]).toEqual([409, 'STAGE_PAUSED']);
    expect(await latest()).toMatchObject({ action: 'tick', accepted: 0, problem: 'STAGE_PAUSED' });
    await change('mt940_processor', 'resume');
  });
});

it.each(['tick', 'pause', 'resume'])(
  '%s knows the stage by its name only, and wants a reason',
  async (action) => {
    const unknown = await change('no_such_stage', action);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'STAGE_UNKNOWN']);
    expect(await latest()).toMatchObject({ action, problem: 'STAGE_UNKNOWN' });
    const before = await latest();
    expect((await api.as('payer').post(`/operator/stages/geo_resolution/${action}`, {})).status).toBe(400);
    expect((await api.as('payer').post(`/operator/stages/%00/${action}`, { reason })).status).toBe(400);
    expect((await api.as('viewer').post(`/operator/stages/%00/${action}`, { reason })).status).toBe(403);
    expect(await latest()).toMatchObject({ id: before.id + 1, target: {} });
  },
);

describe('cancelling an envelope', () => {
  const cancel = (id: string, role: 'operator' | 'payer' = 'operator') =>
    api.as(role).post(`/operator/envelopes/${id}/cancel`, { reason });

  it('calls off what waits, with who and why in the journal', async () => {
    const envelope = await storedEnvelope(api.database);
    const ids = await storedBatches(api.database, envelope, 2, {
      region: 'fa_resolution',
      status: 'PENDING',
      dueAt: new Date(0),
    });
    expect((await cancel(envelope.id)).body).toEqual({ done: true });
    expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ NOT_APPLICABLE: 2 });
    const entries = await api.database.sql`
      select by, reason from actor_transitions where correlation_id = ${envelope.id} and event = 'cancel'`;
    expect(entries.length).toBeGreaterThan(2);
    for (const entry of entries) expect(entry).toEqual({ by: api.as('operator').operator.name, reason });
    expect(await latest()).toMatchObject({
      action: 'cancel',
      target: { envelope: envelope.id },
      accepted: 1,
    });
    const again = await cancel(envelope.id);
    expect([again.status, again.body.code]).toEqual([409, 'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED']);
    expect(again.body.detail).toBe(
      `Envelope ${envelope.id} cannot be cancelled: the envelope has been cancelled.`,
    );
    expect(await latest()).toMatchObject({ accepted: 0, problem: 'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED' });
  });

  it('is refused once payments may be under way, with the reason', async () => {
    const envelope = await storedEnvelope(
      api.database,
      {},
      { funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS', funds_blocked_reference_number: 'BLOCK-1' },
    );
    await api.database.sql`
      update envelope_control set number_of_batches_ready = 1 where disbursement_envelope_id = ${envelope.id}`;
    const reply = await cancel(envelope.id);
    expect([reply.status, reply.body.code]).toEqual([409, 'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED']);
    expect(reply.body.detail).toContain('payments are in flight');
  });

  it('is for an envelope that there is', async () => {
    const reply = await cancel('nobody');
    expect([reply.status, reply.body.code]).toEqual([404, 'DISBURSEMENT_ENVELOPE_NOT_FOUND']);
    expect((await cancel('%00')).status).toBe(400);
  });
});

describe('uploading a statement', () => {
  const upload = async (
    file: string,
    { url = api.url, field = 'statement_file', why = null as string | null } = {},
  ) => {
    const form = new FormData();
    if (why !== null) form.append('reason', why);
    form.append(field, new Blob([file]), 'statement.sta');
    const { headers } = api.as('operator');
    return readReply(await fetch(`${url}/operator/statements`, { method: 'POST', headers, body: form }));
  };

  it('takes what the bank may send, once, and knows who brought it', async () => {
    const text = statementText('1000200030', [debit(newId('D'), '1')]);
    const first = await upload(text);
    const [{ statement_id: id }] = first.body.statements;
    expect(first.body).toEqual({ statements: [{ statement_id: id, already_uploaded: false }] });
    const [entry] = await api.database.sql`
      select by from actor_transitions where actor_id = ${id} and machine = 'statement' order by seq limit 1`;
    expect(entry).toEqual({ by: api.as('operator').operator.name });
    expect(await latest()).toMatchObject({ action: 'upload', target: { statements: [id] }, accepted: 1 });
    expect((await upload(text)).body).toEqual({ statements: [{ statement_id: id, already_uploaded: true }] });
    expect(await latest()).toMatchObject({ action: 'upload', accepted: 0, refused: 1, problem: null });
    const form = new FormData();
    form.append('statement_file', new Blob([text]), 'statement.sta');
    const bank = await readReply(await fetch(`${api.url}/upload_mt940`, { method: 'POST', body: form }));
    expect(bank.body.response_body.response_payload).toMatchObject({
      statement_id: id,
      already_uploaded: true,
    });
  });

  it('may say why, which is in the journal and on record, also when it is refused', async () => {
    const why = 'The bank sent it by mail.';
    const { body } = await upload(statementText('1000200030', [debit(newId('D'), '2')]), {
      why: ` ${why}\n`,
    });
    const [{ statement_id: id }] = body.statements;
    const [entry] = await api.database.sql`
      select by, reason from actor_transitions where actor_id = ${id} and machine = 'statement' order by seq limit 1`;
    expect(entry).toEqual({ by: api.as('operator').operator.name, reason: why });
    expect(await latest()).toMatchObject({ action: 'upload', target: { statements: [id] }, reason: why });
    await upload('Dear Sir or Madam,\n', { why });
    expect(await latest()).toMatchObject({ problem: 'MT940_NOT_MT940', reason: why });
    const none = await upload(statementText('1000200030', [debit(newId('D'), '3')]), { why: '  ' });
    expect([none.status, (await latest()).reason]).toEqual([200, '']);
  });

  it.each(['no', 'x'.repeat(501), 'a\u0000b'])('refuses a reason that is none: %j', async (why) => {
    const reply = await upload(statementText('1000200030', [debit(newId('D'), '4')]), { why });
    expect([reply.status, reply.body.code]).toEqual([400, 'REQUEST_VALIDATION_ERROR']);
    expect(reply.body.detail).toContain('reason');
    expect(await latest()).toMatchObject({
      action: 'upload',
      problem: 'REQUEST_VALIDATION_ERROR',
      reason: '',
    });
  });

  it('is on record when HTTP refuses it', async () => {
    const headers = {
      ...api.as('operator').headers,
      'content-type': 'multipart/form-data; boundary=x',
    };
    const body = '--x\r\ncontent-disposition: form-data; name="statement_file"; filename="a"\r\n\r\n:20:';
    const reply = await readReply(
      await fetch(`${api.url}/operator/statements`, { method: 'POST', headers, body }),
    );
    expect([reply.status, reply.body.code]).toEqual([400, 'REQUEST_MALFORMED']);
    expect(await latest()).toMatchObject({ action: 'upload', problem: 'REQUEST_MALFORMED', accepted: 0 });
  });

  it('refuses what is no statement, naming the line, and puts that on record', async () => {
    const reply = await upload('Dear Sir or Madam,\n');
    expect([reply.status, reply.body.code]).toEqual([400, 'MT940_NOT_MT940']);
    expect(reply.body.detail).toMatch(/^Line 1/);
    expect(await latest()).toMatchObject({ action: 'upload', accepted: 0, problem: 'MT940_NOT_MT940' });
    const other = await upload(statementText('1', []), { field: 'file' });
    expect([other.status, other.body.code]).toEqual([400, 'REQUEST_VALIDATION_ERROR']);
  });

  it('has the same bounds', async () => {
    const small = await serveOperators(api, { statementBytesMax: 200_000 });
    try {
      const entries = Array.from({ length: 2_000 }, () => debit(newId('D'), '1'));
      const reply = await upload(statementText('1', entries), { url: small.url });
      expect([reply.status, reply.body.code]).toEqual([413, 'REQUEST_TOO_LARGE']);
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
      expect(await latest()).toMatchObject({ action: 'upload', problem: 'REQUEST_TOO_LARGE' });
    } finally {
      await small.close();
    }
    const json = await api.as('operator').post('/operator/statements', {});
    expect([json.status, json.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });
});

describe('the audit log', () => {
  it('is read page by page, the latest first, by action and by operator', async () => {
    for (const why of ['one of four', 'two of four', 'three of four', 'four of four'])
      await api
        .as(why.startsWith('two') ? 'operator' : 'payer')
        .post('/operator/stages/geo_resolution/pause', { reason: why });
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 200; pages += 1) {
      const page = await audit(`action=pause&limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      expect(page.actions.length).toBeLessThanOrEqual(2);
      seen.push(...page.actions.map((one: { reason: string }) => one.reason));
      cursor = page.next_cursor;
    }
    expect(seen.slice(0, 4)).toEqual(['four of four', 'three of four', 'two of four', 'one of four']);
    const [row] = await api.database
      .sql`select count(*)::int as n from operator_actions where action = 'pause'`;
    expect(seen).toHaveLength(row?.n);
    const { id, name } = api.as('operator').operator;
    for (const operator of [id, name]) {
      const { actions } = await audit(`action=pause&operator=${operator}&limit=1`);
      expect(actions[0]).toMatchObject({ reason: 'two of four', operator: { name } });
    }
  });

  it.each(['cursor=x', 'cursor=WyJhIl0', 'limit=0', 'limit=201', 'action=%00'])(
    'refuses %s',
    async (query) => {
      expect((await api.as('viewer').get(`/operator/audit?${query}`)).status).toBe(400);
    },
  );
});
