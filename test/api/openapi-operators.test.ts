import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_ENDPOINTS } from '../../src/api/operator/index.ts';
import { type Documented, type Json, readDocument } from '../support/documented.ts';
import {
  type OperatorReply,
  openOperatorApi,
  readReply,
  type TestOperatorApi,
} from '../support/operators.ts';
import { debit, newId, statementText } from '../support/records.ts';
import { storedBatches, storedEnvelope } from '../support/stopped-work.ts';

const ROOT = '/bridge/v1';
const reason = 'to see what is answered';

let api: TestOperatorApi;
let documented: Documented;
let document: Json;
beforeAll(async () => {
  api = await openOperatorApi({ rootPath: ROOT });
  documented = await readDocument(api.url + ROOT);
  document = documented.document;
});
afterAll(() => api.close());

const problemOf = (method: string, path: string, { status, headers, text }: OperatorReply) =>
  documented.problemOf(method.toLowerCase(), path, status, headers.get('content-type'), text);

describe("the published document of the operators' endpoints", () => {
  it('has each of them, with its parameters, what it takes and who may ask', () => {
    for (const { method, path, role, params, body } of OPERATOR_ENDPOINTS) {
      const operation = document.paths[path]?.[method.toLowerCase()];
      expect(operation, `${method} ${path}`).toMatchObject({
        tags: ['operators'],
        summary: expect.any(String),
      });
      expect(operation.security, path).toEqual(role === null ? [] : [{ token: [] }]);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const given = (operation.parameters ?? []).filter((one: Json) => one.in === 'path');
      expect(
        given.map((one: Json) => one.name),
        path,
      ).toEqual(named);
      expect(Object.keys((params as Json).shape), path).toEqual(named);
      const takes = Object.keys((body as Json).shape).length > 0;
      expect(operation.requestBody !== undefined, path).toBe(takes);
    }
    expect(document.components.securitySchemes.token).toEqual({ type: 'http', scheme: 'bearer' });
    expect(document.tags.map(({ name }: Json) => name)).toContain('operators');
    expect(document.paths['/operator/statements'].post.requestBody.content).toHaveProperty([
      'multipart/form-data',
      'schema',
      'properties',
      'statement_file',
    ]);
  });

  it('has ids of its own for all operations', () => {
    const ids = Object.values<Json>(document.paths).flatMap((item) =>
      Object.values<Json>(item).flatMap((one) => one.operationId ?? []),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is not there where there are no operators', async () => {
    const { openApi } = await import('../support/api.ts');
    const other = await openApi();
    try {
      const { paths } = (await (await fetch(`${other.url}/openapi.json`)).json()) as Json;
      expect(Object.keys(paths).filter((path) => path.startsWith('/operator'))).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('answers to operators are as documented:', () => {
  const views = OPERATOR_ENDPOINTS.filter(({ method, path }) => method === 'GET' && !path.includes('{'));

  it.each(views.map(({ path }) => path))('GET %s', async (path) => {
    const wanted = (document.paths[path].get.parameters ?? []).filter((one: Json) => one.required);
    const query = wanted.map(({ name }: Json) => `${name}=nobody`).join('&');
    const reply = await api.as('payer').get(`${path}?${query}`);
    expect([reply.status, problemOf('GET', path, reply)]).toEqual([200, null]);
  });

  it.each(
    OPERATOR_ENDPOINTS.filter(({ role }) => role !== null).map(({ method, path }) => [method, path] as const),
  )(
    '%s %s, to nobody in particular and to somebody who asks for nothing that there is',
    async (method, path) => {
      const url = api.url + ROOT + path.replaceAll(/\{\w+\}/g, 'nobody');
      const body = method === 'POST' ? '{}' : null;
      const ask = async (headers: Record<string, string>) =>
        readReply(
          await fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, body }),
        );
      const stranger = await ask({});
      expect([stranger.status, problemOf(method, path, stranger)]).toEqual([401, null]);
      const somebody = await ask(api.as('payer').headers);
      expect(problemOf(method, path, somebody), somebody.text).toBeNull();
    },
  );

  it('what is done, and what is refused', async () => {
    const envelope = await storedEnvelope(api.database);
    const standing = { region: 'sponsor_bank_dispatch', status: 'ERROR', code: 'PAYMENT_OUTCOME_UNKNOWN' };
    const ids = await storedBatches(api.database, envelope, 2, standing);
    const target = { stage: 'disburse_funds_from_bank', ids };
    const asked: [role: 'operator' | 'payer', path: string, body: object, status: number][] = [
      ['operator', '/operator/actions/preview', { action: 'retry', target }, 200],
      ['operator', '/operator/actions/retry', { target, reason }, 403],
      ['payer', '/operator/actions/retry', { target: { ...target, ids: ids.slice(1) }, reason }, 200],
      ['payer', '/operator/actions/release', { target: { ...target, ids: ids.slice(0, 1) }, reason }, 200],
      ['payer', '/operator/actions/release', { target: { stage: 'agency_allocation' }, reason }, 409],
      ['payer', '/operator/actions/dispatch', { target, reason }, 200],
      ['operator', '/operator/stages/{stage}/pause', { reason }, 200],
      ['operator', '/operator/stages/{stage}/tick', { reason }, 409],
      ['operator', '/operator/stages/{stage}/resume', { reason }, 200],
      ['operator', '/operator/stages/{stage}/tick', { reason }, 200],
      ['operator', '/operator/stages/{stage}/tick', {}, 400],
      ['operator', '/operator/envelopes/{id}/cancel', { reason }, 200],
      ['operator', '/operator/envelopes/{id}/cancel', { reason }, 409],
    ];
    for (const [role, path, body, status] of asked) {
      const url = path.replace('{stage}', 'mt940_processor').replace('{id}', envelope.id);
      const reply = await api.as(role).post(url, body);
      expect([path, reply.status, problemOf('POST', path, reply)]).toEqual([path, status, null]);
    }
    const audit = await api.as('viewer').get('/operator/audit');
    expect(problemOf('GET', '/operator/audit', audit)).toBeNull();
  });

  it('uploads', async () => {
    const upload = async (file: string) => {
      const form = new FormData();
      form.append('statement_file', new Blob([file]), 'statement.sta');
      const { headers } = api.as('operator');
      return readReply(
        await fetch(`${api.url}${ROOT}/operator/statements`, { method: 'POST', headers, body: form }),
      );
    };
    for (const [file, status] of [
      [statementText('1', [debit(newId('D'), '1')]), 200],
      ['no statement', 400],
    ] as const) {
      const reply = await upload(file);
      expect([reply.status, problemOf('POST', '/operator/statements', reply)]).toEqual([status, null]);
    }
  });
});
