import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type OperatorSurface,
  openOperatorApi,
  serveOperators,
  type TestOperatorApi,
} from '../support/operators.ts';
import { HANDSHAKE, rawRequest } from '../support/raw-request.ts';

const settings = { operator_access: 'loopback' };

let api: TestOperatorApi;
/** One that also listens to other machines, and trusts a proxy on this one. */
let open: OperatorSurface;
let port: string;

beforeAll(async () => {
  api = await openOperatorApi({ settings });
  open = await serveOperators(api, { settings, trustedProxies: ['127.0.0.1'], host: '::' });
  port = new URL(open.url).port;
});

afterAll(async () => {
  await open.close();
  await api.close();
});

async function ask(url: string, headers: Record<string, string> = {}, path = '/operator/session') {
  const { status, body } = await rawRequest(url + path, { headers });
  return { status, body: body.startsWith('{') ? JSON.parse(body) : null };
}

const SERVED = { status: 200, body: { operator: { id: 'loopback', name: 'loopback', role: 'payer' } } };
const REFUSED = {
  status: 403,
  body: { code: 'NOT_LOOPBACK', detail: expect.stringMatching(/Set G2P_BRIDGE_/) },
};

describe('without sign-in', () => {
  it('whoever sits at this machine may do everything', async () => {
    expect(await ask(api.url)).toEqual(SERVED);
    expect((await ask(api.url, {}, '/operator/access')).body).toMatchObject({ kind: 'loopback', oidc: null });
  });

  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.1', '[::1]'])(
    'this machine may be called %s',
    async (name) => {
      expect(await ask(`http://127.0.0.1:${port}`, { host: `${name}:${port}` })).toEqual(SERVED);
      expect(await ask(`http://127.0.0.1:${port}`, { host: name })).toEqual(SERVED);
    },
  );

  it('this machine may be reached by IPv6, and by IPv4 on a socket of IPv6', async () => {
    expect(await ask(`http://[::1]:${port}`)).toEqual(SERVED);
    expect(await ask(`http://127.0.0.1:${port}`)).toEqual(SERVED);
  });

  it.each([
    'evil.example',
    'evil.example:8000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    '10.0.0.1',
    '[::2]',
    '0.0.0.0',
    'localhost, evil.example',
  ])('a page of %s that got itself this address is refused', async (host) => {
    expect(await ask(api.url, { host })).toMatchObject(REFUSED);
    expect(await ask(api.url, { ...HANDSHAKE, host, origin: `http://${host}` }, '/feed')).toMatchObject({
      status: 403,
    });
  });

  it('a page of another site is refused', async () => {
    const headers = { origin: 'https://evil.example' };
    expect(await ask(api.url, headers)).toMatchObject({ status: 403, body: { code: 'CROSS_SITE' } });
  });

  it.each<[string, Record<string, string>]>([
    ['which says for whom', { 'x-forwarded-for': '203.0.113.7' }],
    ['which says so after what the client said', { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' }],
    ['which says so otherwise', { 'x-real-ip': '203.0.113.7' }],
    ['which says so in the standard way', { forwarded: 'for=127.0.0.1' }],
    ['which says that it is one', { via: '1.1 proxy' }],
    ['of a network for others', { 'cf-connecting-ip': '127.0.0.1' }],
    ['of another network for others', { 'true-client-ip': '127.0.0.1' }],
    ['which says so by another name', { 'x-client-ip': '127.0.0.1' }],
    ['which says something else', { 'x-forwarded-for': 'unknown' }],
    ['which says by what name', { 'x-forwarded-host': 'bridge.example' }],
  ])('a request through a proxy on this machine %s is refused, trusted or not', async (_, headers) => {
    expect(await ask(api.url, headers)).toMatchObject(REFUSED);
    expect(await ask(`http://127.0.0.1:${port}`, headers)).toMatchObject(REFUSED);
  });

  it('a request through a proxy on this machine and from this machine is served', async () => {
    const headers = { 'x-forwarded-for': '::1', 'x-forwarded-host': 'localhost:8080' };
    expect(await ask(`http://127.0.0.1:${port}`, headers)).toEqual(SERVED);
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one && !one.internal && one.family === 'IPv4')?.address;

  it.skipIf(outside === undefined)('another machine is refused, whatever host it names', async () => {
    expect(await ask(`http://${outside}:${port}`)).toMatchObject(REFUSED);
    expect(await ask(`http://${outside}:${port}`, { host: 'localhost' })).toMatchObject(REFUSED);
  });

  it('a WebSocket is opened with or without a ticket, by who is served', async () => {
    expect((await rawRequest(`${api.url}/feed`, { headers: HANDSHAKE })).status).toBe(101);
    const { ticket } = await api.access.ticketFor({ id: 'loopback', name: 'loopback', role: 'payer' });
    expect((await rawRequest(`${api.url}/feed?ticket=${ticket}`, { headers: HANDSHAKE })).status).toBe(101);
    const refused = await rawRequest(`${api.url}/feed`, { headers: { ...HANDSHAKE, host: 'evil.example' } });
    expect(refused.status).toBe(403);
  });
});
