import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type OperatorSurface,
  openOperatorApi,
  serveOperators,
  type TestOperatorApi,
} from '../support/operators.ts';
import { HANDSHAKE, rawRequest } from '../support/raw-request.ts';

const EVIL = 'https://evil.example';
const PUBLIC = 'https://bridge.example';

let api: TestOperatorApi;
/** Behind a proxy that changes the header Host, and one that is trusted. */
let proxied: OperatorSurface;

beforeAll(async () => {
  api = await openOperatorApi();
  proxied = await serveOperators(api, {
    settings: { operator_origins: PUBLIC },
    trustedProxies: ['127.0.0.1'],
  });
});

afterAll(async () => {
  await proxied.close();
  await api.close();
});

/** As a payer; @returns status and code of the answer */
async function ask(
  surface: OperatorSurface,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<[number, string | undefined]> {
  const reply = await rawRequest(surface.url + path, {
    method,
    headers: { ...surface.as('payer').headers, ...headers },
    ...(body !== undefined && { body }),
  });
  return [reply.status, reply.body.startsWith('{') ? JSON.parse(reply.body).code : undefined];
}

const JSON_TYPE = { 'content-type': 'application/json' };
const REFUSED = [403, 'CROSS_SITE'];

describe('a page of another site', () => {
  it.each([
    EVIL,
    'null',
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'https://bridge.example.evil.example',
    'x',
  ])('with the origin %s may ask nothing, whoever is signed in', async (origin) => {
    expect(await ask(api, 'GET', '/operator/session', { origin })).toEqual(REFUSED);
    expect(await ask(api, 'POST', '/operator/tickets', { origin, ...JSON_TYPE }, '{}')).toEqual(REFUSED);
    expect(await ask(api, 'GET', '/feed', { origin, ...HANDSHAKE })).toEqual(REFUSED);
    expect(await ask(api, 'GET', '/operator/access', { origin })).toEqual(REFUSED);
  });

  it.each(['cross-site', 'same-site'])(
    'that the browser calls %s may change nothing and open no WebSocket',
    async (site) => {
      const headers = { 'sec-fetch-site': site };
      expect(await ask(api, 'POST', '/operator/tickets', { ...headers, ...JSON_TYPE }, '{}')).toEqual(
        REFUSED,
      );
      expect(await ask(api, 'GET', '/feed', { ...headers, ...HANDSHAKE })).toEqual(REFUSED);
      expect(await ask(api, 'GET', '/operator/session', headers)).toEqual([200, undefined]);
    },
  );

  it('gets no leave from the browser to ask', async () => {
    const preflight = await fetch(`${api.url}/operator/tickets`, {
      method: 'OPTIONS',
      headers: { origin: EVIL, 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('our own page', () => {
  it('may ask everything', async () => {
    const headers = { origin: api.url, 'sec-fetch-site': 'same-origin', ...JSON_TYPE };
    expect(await ask(api, 'POST', '/operator/tickets', headers, '{}')).toEqual([200, undefined]);
  });

  it.each<[string, Record<string, string>]>([
    ['that keeps the Host', { host: 'bridge.example', origin: PUBLIC }],
    ['that says the port which goes without saying', { host: 'bridge.example:443', origin: PUBLIC }],
    ['that names the host itself', { 'x-forwarded-host': 'b.example', origin: 'https://b.example' }],
    ['whose origin is configured', { host: 'inner:8000', origin: PUBLIC, 'sec-fetch-site': 'same-origin' }],
  ])('may be behind a proxy with TLS %s', async (_, headers) => {
    expect(await ask(proxied, 'POST', '/operator/tickets', { ...headers, ...JSON_TYPE }, '{}')).toEqual([
      200,
      undefined,
    ]);
  });

  it('is not the one without TLS where there is TLS', async () => {
    const headers = { 'x-forwarded-proto': 'https', host: 'b.example', origin: 'http://b.example' };
    expect(await ask(proxied, 'POST', '/operator/tickets', { ...headers, ...JSON_TYPE }, '{}')).toEqual(
      REFUSED,
    );
  });
});

describe('a body', () => {
  it.each<[string, Record<string, string>]>([
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['something like JSON', { 'content-type': 'text/plain; application/json' }],
    ['nothing in particular', {}],
  ])('that says it is %s is not taken', async (_, headers) => {
    expect(await ask(api, 'POST', '/operator/tickets', headers, '{}')).toEqual([
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ]);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/merge-patch+json'])(
    'of type %s is taken, and none at all',
    async (type) => {
      expect(await ask(api, 'POST', '/operator/tickets', { 'content-type': type }, '{}')).toEqual([
        200,
        undefined,
      ]);
      expect(await ask(api, 'POST', '/operator/tickets', {})).toEqual([200, undefined]);
    },
  );
});
