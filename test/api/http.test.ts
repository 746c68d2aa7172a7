import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixture, envelopeFixture, messageFixture } from '../support/payloads.ts';
import {
  beginUpload,
  FILE_BEGINS,
  FILE_ENDS,
  httpChunk,
  openConnection,
  uploadHead,
} from '../support/raw-upload.ts';

const KILOBYTE = 1024;

describe('requests and answers', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi({ bodyBytesMax: 64 * KILOBYTE });
  });
  afterAll(() => api.close());

  it('carry the same request id, and the time of the answer', async () => {
    const message = messageFixture('ENV-nobody');
    const reply = await api.post('/get_disbursement_envelope_status', JSON.stringify(message));
    expect(reply.header.request_id).toBe((message.request_header as { request_id: string }).request_id);
    expect(Math.abs(Date.parse(reply.header.response_timestamp) - Date.now())).toBeLessThan(60_000);
    expect(Object.keys(reply.header)).toEqual([
      'request_id',
      'response_status',
      'response_error_code',
      'response_error_message',
      'response_timestamp',
    ]);
  });

  const header = messageFixture(null).request_header as Record<string, unknown>;
  const body = { request_payload: 'ENV-nobody' };
  it.each([
    ['request_header: is required', { request_body: body }],
    ['request_header: must be an object', { request_header: 5, request_body: body }],
    [
      'request_header.request_id: is required',
      { request_header: { ...header, request_id: undefined }, request_body: body },
    ],
    [
      'request_header.request_id: must not be empty',
      { request_header: { ...header, request_id: ' ' }, request_body: body },
    ],
    [
      'request_header.sender_app_mnemonic: must be text',
      { request_header: { ...header, sender_app_mnemonic: 5 }, request_body: body },
    ],
    [
      'request_header.request_timestamp: must be a date and time in ISO 8601',
      { request_header: { ...header, request_timestamp: 'yesterday' }, request_body: body },
    ],
    ['request_body: is required', { request_header: header }],
    ['request_body.request_payload: is required', { request_header: header, request_body: {} }],
    [
      'request_body.request_payload: must be text',
      { request_header: header, request_body: { request_payload: [1] } },
    ],
    [
      'request_body.pagination_request.current_page: must be at least 1',
      {
        request_header: header,
        request_body: { ...body, pagination_request: { current_page: 0, page_size: 5 } },
      },
    ],
    ['body: must be an object', [1, 2]],
    ['body: must be an object', null],
    ['body: must be an object', 'text'],
  ])('are refused with %s', async (rule, message) => {
    const reply = await api.post('/get_disbursement_envelope_status', JSON.stringify(message));
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({
      response_status: 'ERROR',
      response_error_code: 'REQUEST_VALIDATION_ERROR',
      response_error_message: `${rule}.`,
    });
    expect(reply.payload).toBeNull();
  });

  it('are refused with an empty list by operations that answer a list', async () => {
    for (const path of [
      '/create_disbursement_envelopes',
      '/amend_disbursement_envelope',
      '/cancel_disbursement_envelope',
      '/create_disbursements',
      '/cancel_disbursements',
      '/get_disbursement_status',
    ]) {
      const reply = await api.call(path, 'no list');
      expect(reply.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
      expect(reply.payload).toEqual([]);
    }
  });

  it('keep the request id of a request that breaks the schema elsewhere', async () => {
    const reply = await api.post(
      '/create_disbursements',
      JSON.stringify({ request_header: header, request_body: 1 }),
    );
    expect(reply.header).toMatchObject({
      request_id: header.request_id,
      response_error_code: 'REQUEST_VALIDATION_ERROR',
    });
  });

  it.each([
    ['2026-02-30', 'disbursement_schedule_date: must be a day of the calendar, YYYY-MM-DD'],
    ['2026-2-3', 'disbursement_schedule_date: must be a day of the calendar, YYYY-MM-DD'],
    [20260203, 'disbursement_schedule_date: must be a day of the calendar, YYYY-MM-DD'],
  ])('are refused where a date is %s', async (date, rule) => {
    const reply = await api.call('/create_disbursement_envelopes', [
      envelopeFixture(),
      envelopeFixture({ disbursement_schedule_date: date }),
    ]);
    expect(reply.header.response_error_message).toBe(`request_body.request_payload[1].${rule}.`);
  });

  it.each([
    ['a text with U+0000', { beneficiary_name: 'A\u0000B' }, 'beneficiary_name'],
    ['half a surrogate pair', { narrative: 'A\ud800B' }, 'narrative'],
    ['a line break', { narrative: 'A\nB' }, 'narrative'],
    ['a text of 10,000 characters', { beneficiary_name: 'x'.repeat(10_000) }, 'beneficiary_name'],
    ['an id of 300 characters', { disbursement_id: 'x'.repeat(300) }, 'disbursement_id'],
    ['a number for a text', { beneficiary_id: 17 }, 'beneficiary_id'],
    ['a fraction for a whole number', { disbursement_cycle_id: 1.5 }, 'disbursement_cycle_id'],
    ['an amount that is no number', { disbursement_quantity: '1,5' }, 'disbursement_quantity'],
    ['an empty amount', { disbursement_quantity: '' }, 'disbursement_quantity'],
    ['an amount of 7 places', { disbursement_quantity: '0.1234567' }, 'disbursement_quantity'],
    ['an amount of 21 digits', { disbursement_quantity: '1'.repeat(21) }, 'disbursement_quantity'],
    ['an amount of a million digits', { disbursement_quantity: '1'.repeat(20_000) }, 'disbursement_quantity'],
    ['a list for an amount', { disbursement_quantity: [1] }, 'disbursement_quantity'],
  ])('are refused with the name of the field that has %s', async (_name, changes, field) => {
    const reply = await api.call('/create_disbursements', [disbursementFixture('ENV-nobody', changes)]);
    expect(reply.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
    expect(reply.header.response_error_message).toMatch(
      new RegExp(`^request_body\\.request_payload\\[0\\]\\.${field}: `),
    );
  });

  it.each([
    ['number_of_disbursements', '2147483648'],
    ['number_of_disbursements', '99999999999999999999'],
    ['number_of_beneficiaries', '1e400'],
    ['benefit_program_id', '9007199254740993'],
    ['total_disbursement_quantity', '1e400'],
    ['total_disbursement_quantity', '1e-7'],
    ['total_disbursement_quantity', '123456789012345678901.5'],
    ['total_disbursement_quantity', '1.23456789012345678e3'],
  ])('are refused where %s is %s', async (field, number) => {
    const message = JSON.stringify(messageFixture([envelopeFixture({ [field]: '?' })])).replace(
      '"?"',
      number,
    );
    const reply = await api.post('/create_disbursement_envelopes', message);
    expect(reply.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
    expect(reply.header.response_error_message).toContain(field);
  });

  it.each([
    ['0.10', '0.1'],
    ['12345678901234567890.123456', '12345678901234567890.123456'],
    ['9007199254740993', '9007199254740993'],
    ['1e3', '1000'],
    ['"0012.500"', '12.5'],
    ['0.000001', '0.000001'],
  ])('keep an amount exactly: %s is %s', async (written, stored) => {
    const envelope = envelopeFixture({ total_disbursement_quantity: '?' });
    const message = JSON.stringify(messageFixture([envelope])).replace('"?"', written);
    const reply = await api.post('/create_disbursement_envelopes', message);
    expect(reply.text).toContain(`"total_disbursement_quantity":${stored},`);
    const [row] = await api.database.sql`
      select total_disbursement_quantity as total from disbursement_envelopes where id = ${String(envelope.id)}`;
    expect(row?.total).toBe(stored);
  });

  it.each([
    ['not JSON', '{"request_header": ', 400],
    ['empty', '', 400],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 400],
    ['nested without end', `${'['.repeat(30_000)}1234567890123456789`, 400],
    ['too large', JSON.stringify({ text: 'x'.repeat(65 * KILOBYTE) }), 413],
  ])('that are %s are refused by HTTP', async (_name, text, status) => {
    const reply = await api.post('/create_disbursements', text);
    expect(reply.status).toBe(status);
    expect(reply.header.response_status).toBe('ERROR');
  });

  it('that are JSON of another kind are refused by HTTP', async () => {
    expect((await api.post('/create_disbursements', 'a=b', 'application/x-www-form-urlencoded')).status).toBe(
      415,
    );
    const reply = await api.post(
      '/get_disbursement_status',
      JSON.stringify(messageFixture([])),
      'application/json; charset=utf-8',
    );
    expect(reply.status).toBe(200);
  });

  it('are taken for JSON when their sender does not say what they are', async () => {
    const sendUntyped = async (path: string, text: string) => {
      const body = Buffer.from(text);
      const response = await fetch(api.url + path, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    };
    const message = JSON.stringify(messageFixture([]));
    expect(await sendUntyped('/get_disbursement_status', message)).toMatchObject({
      status: 200,
      text: expect.stringContaining('"SUCCESS"'),
    });
    expect(await sendUntyped('/get_disbursement_status', 'a=b')).toMatchObject({
      status: 400,
      text: expect.stringContaining('"REQUEST_NOT_JSON"'),
    });
    expect((await sendUntyped('/upload_mt940', message)).status).toBe(415);
  });

  it('of no path or with another method are refused by HTTP', async () => {
    expect((await api.post('/create_nothing', '{}')).status).toBe(404);
    expect((await api.post('/%ff%zz', '{}')).status).toBe(400);
    const got = await fetch(`${api.url}/create_disbursements`);
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('POST');
  });

  it('say only an error id when something is wrong on our side, and the log has it', async () => {
    await api.database.sql`alter table disbursement_error_recons rename to hidden`;
    try {
      const reply = await api.call('/get_disbursement_status', ['D-1']);
      expect(reply.status).toBe(500);
      expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: 'INTERNAL_ERROR' });
      expect(reply.text).not.toContain('relation');
      const errorId = /Error id: ([0-9a-f-]{36})/.exec(reply.text)?.[1] ?? 'none';
      const logged = api.logs.find((line) => line.includes(errorId));
      expect(logged).toContain('disbursement_error_recons');
    } finally {
      await api.database.sql`alter table hidden rename to disbursement_error_recons`;
    }
  });

  it('leave neither names nor beneficiaries in the log', async () => {
    const envelope = envelopeFixture();
    await api.call('/create_disbursement_envelopes', [envelope]);
    const item = disbursementFixture(String(envelope.id), {
      beneficiary_name: 'Secret Name',
      beneficiary_id: 'ACC-99',
    });
    await api.call('/create_disbursements', [item]);
    await api.call('/create_disbursements', [
      { ...item, narrative: '' },
      { ...item, beneficiary_name: 5 },
    ]);
    expect(api.logs.filter((line) => line.includes('/create_disbursements')).length).toBeGreaterThan(1);
    expect(api.logs.join('')).not.toMatch(/Secret|ACC-99/);
  });
});

describe('what the platform asks', () => {
  let api: TestApi | undefined;
  afterEach(async () => {
    await api?.close();
    api = undefined;
  });
  const get = async (url: string) => {
    const response = await fetch(url);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };

  it('is answered at the root, and the partner API under its own path', async () => {
    api = await openApi({ rootPath: '/bridge/v1', metrics: async () => 'bridge_up 1\n' });
    expect(await get(`${api.url}/bridge/v1/ping`)).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      text: '"pong"',
    });
    expect((await get(`${api.url}/ping`)).status).toBe(404);
    expect((await api.call('/get_disbursement_status', [])).header.response_status).toBe('SUCCESS');
    expect(await get(`${api.url}/healthz`)).toMatchObject({ status: 200, text: '{"status":"alive"}' });
    expect(await get(`${api.url}/metrics`)).toMatchObject({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: 'bridge_up 1\n',
    });
  });

  it('is all that a worker answers', async () => {
    api = await openApi({ role: 'worker' });
    expect(JSON.parse((await get(`${api.url}/readyz`)).text)).toMatchObject({ ready: true, role: 'worker' });
    expect((await api.post('/create_disbursements', '{}')).status).toBe(404);
    expect((await get(`${api.url}/metrics`)).status).toBe(404);
  });

  it('is ready when database, queue and migrations are, and says which is not', async () => {
    api = await openApi();
    const fine = { ok: true, problem: null };
    const ready = await get(`${api.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.text)).toEqual({
      ready: true,
      role: 'all',
      checks: { database: fine, queue: fine, migrations: fine },
      circuits: {},
    });
    await api.database.sql`update drizzle.__drizzle_migrations set created_at = 1`;
    const unready = await get(`${api.url}/readyz`);
    expect(unready.status).toBe(503);
    expect(JSON.parse(unready.text)).toMatchObject({
      ready: false,
      checks: { database: fine, migrations: { ok: false, problem: 'NOT_MIGRATED' } },
    });
    await api.system.store.jobs.boss.stop({ graceful: false });
    expect(JSON.parse((await get(`${api.url}/readyz`)).text)).toMatchObject({
      checks: { queue: { ok: false } },
    });
    expect((await get(`${api.url}/healthz`)).status).toBe(200);
  });

  it('is answered on a connection that is busy when the process begins to stop', async () => {
    api = await openApi();
    const arrived = once(api.app.server, 'request');
    const connection = await openConnection(api.url);
    await connection.write(uploadHead('Transfer-Encoding: chunked'));
    await arrived;
    const stopped = api.app.close();
    await connection.write(httpChunk(FILE_BEGINS + FILE_ENDS));
    await connection.write(`${httpChunk('')}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
    await connection.closed;
    expect(connection.received().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    expect(connection.received()).toContain('{"status":"alive"}');
    await stopped;
  });

  it('stops within its time though a sender never finishes', async () => {
    api = await openApi({ closeGraceMs: 50 });
    const upload = beginUpload(api.url);
    await upload.send(':20:REF\r\n'.repeat(10_000));
    await api.app.close();
    expect((await fetch(`${api.url}/healthz`).catch(() => null))?.status).toBeUndefined();
  });
});
