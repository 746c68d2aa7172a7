import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../src/api/operator/wire/common.ts';
import { openOperatorApi, type TestOperatorApi } from '../support/operators.ts';

const LONG = 'x'.repeat(201);

const UNROUTED: readonly [method: string, path: string, status: number, code: string][] = [
  ['GET', '/operator/nothing/here', 404, 'PATH_NOT_FOUND'],
  ['GET', '/operator', 404, 'PATH_NOT_FOUND'],
  ['GET', '/operator?x=1', 404, 'PATH_NOT_FOUND'],
  ['GET', '/feed/nothing', 404, 'PATH_NOT_FOUND'],
  ['GET', '/inspector/nothing', 404, 'PATH_NOT_FOUND'],
  ['DELETE', '/operator/audit', 405, 'METHOD_NOT_ALLOWED'],
  ['POST', '/feed?after=1', 405, 'METHOD_NOT_ALLOWED'],
  ['GET', `/operator/envelopes/${LONG}`, 414, 'PATH_TOO_LONG'],
  ['GET', '/operator/envelopes/%zz', 400, 'REQUEST_MALFORMED'],
  ['GET', '/inspector/%e0%a4%a', 400, 'REQUEST_MALFORMED'],
];

describe.each(['', '/benefits/bridge'])('below the root path "%s"', (rootPath) => {
  let api: TestOperatorApi;
  beforeAll(async () => {
    api = await openOperatorApi({ rootPath });
  });
  afterAll(() => api.close());

  it.each(UNROUTED)('%s %s is refused as a problem', async (method, path, status, code) => {
    const answer = await fetch(api.url + rootPath + path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(problem.parse(await answer.json())).toMatchObject({ status, code });
  });

  it.each(['/operators', '/feeds/x', '/nothing', '/x/operator', '/%zz'])(
    '%s, which is none of theirs, is refused as partners know it',
    async (path) => {
      const answer = await fetch(api.url + rootPath + path);
      expect(await answer.json()).toMatchObject({ response_header: { response_status: 'ERROR' } });
    },
  );
});
