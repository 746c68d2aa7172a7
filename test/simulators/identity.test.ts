import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startIdentity } from '../support/simulators.ts';
import { get, type HttpAnswer, post } from './fixtures.ts';

const clients = [
  { client_id: 'bridge', client_secret: 's:e cret+%', scope: 'mapper.resolve mapper.link' },
  { client_id: 'plain', client_secret: 'plain-secret' },
];

let identity: Simulator;

beforeAll(async () => {
  identity = await startIdentity({ clients, tokenSeconds: 120 });
});

afterAll(() => identity.stop());

afterEach(async () => {
  await post(identity.url, '/_admin/reset', {});
});

async function ask(
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<HttpAnswer & { headers: Headers }> {
  const response = await fetch(`${identity.url}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: JSON.parse(await response.text()), headers: response.headers };
}

const plain = { grant_type: 'client_credentials', client_id: 'plain', client_secret: 'plain-secret' };
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});
const mint = async (body: object) => String((await post(identity.url, '/_admin/tokens', body)).body.token);
const verify = (token: string, issuer = identity.url) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${identity.url}/jwks`)), {
    issuer,
    algorithms: ['RS256', 'ES256'],
  });
const control = (body: object) => post(identity.url, '/_control', body);

describe('a client', () => {
  it('gets a token that the published keys verify', async () => {
    const { status, body, headers } = await ask(plain);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 120 });
    const { payload } = await verify(String(body.access_token));
    expect(payload).toMatchObject({ iss: identity.url, sub: 'plain', azp: 'plain' });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(120);
  });

  it('may use HTTP Basic, with every character in its secret, and gets all its scopes or those it asks for', async () => {
    const header = basic('bridge', 's:e cret+%');
    const all = await ask({ grant_type: 'client_credentials' }, header);
    expect(all.body).toMatchObject({ scope: 'mapper.resolve mapper.link' });
    const one = await ask({ grant_type: 'client_credentials', scope: 'mapper.link' }, header);
    expect(one.body).toMatchObject({ scope: 'mapper.link' });
    expect(decodeJwt(String(one.body.access_token))).toMatchObject({ scope: 'mapper.link', sub: 'bridge' });
  });

  it('gets another token each time', async () => {
    const tokens = [await ask(plain), await ask(plain)].map(({ body }) => body.access_token);
    expect(new Set(tokens).size).toBe(2);
  });

  it.each<[string, object, Record<string, string>, number, string]>([
    ['a wrong secret', { client_secret: 'plain-secreT' }, {}, 401, 'invalid_client'],
    ['no secret', { client_secret: undefined }, {}, 401, 'invalid_client'],
    ['an unknown id', { client_id: 'stranger' }, {}, 401, 'invalid_client'],
    ['no grant type', { grant_type: undefined }, {}, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, {}, 400, 'unsupported_grant_type'],
    ['a scope that it may not have', { scope: 'mapper.link' }, {}, 400, 'invalid_scope'],
    ['credentials twice', {}, basic('plain', 'plain-secret'), 400, 'invalid_request'],
    [
      'a header of another scheme',
      { client_secret: undefined },
      { authorization: 'Bearer x' },
      401,
      'invalid_client',
    ],
    [
      'a header that is not well-formed',
      { client_secret: undefined },
      { authorization: `Basic ${Buffer.from('plain:%zz').toString('base64')}` },
      401,
      'invalid_client',
    ],
  ])('with %s gets none', async (_, change, headers, status, error) => {
    const form = Object.fromEntries(
      Object.entries({ ...plain, ...change }).filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    const answer = await ask(form, headers);
    expect(answer).toMatchObject({ status, body: { error, error_description: expect.any(String) } });
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="identity"' : null);
  });

  it('that sends JSON gets none', async () => {
    expect(await post(identity.url, '/token', plain)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });
});

describe('discovery', () => {
  it('names the paths of the server', async () => {
    expect((await get(identity.url, '/.well-known/openid-configuration')).body).toMatchObject({
      issuer: identity.url,
      token_endpoint: `${identity.url}/token`,
      jwks_uri: `${identity.url}/jwks`,
    });
  });

  it('publishes no private keys', async () => {
    const keys = (await get(identity.url, '/jwks')).body.keys as Record<string, unknown>[];
    expect(keys.map(({ alg, use }) => [alg, use])).toEqual([
      ['RS256', 'sig'],
      ['ES256', 'sig'],
    ]);
    for (const key of keys) expect(key).not.toHaveProperty('d');
  });
});

describe('a minted token', () => {
  it('carries the claims that are given; null leaves a usual one out', async () => {
    const token = await mint({ claims: { sub: 'BEN-1', aud: ['portal'], jti: null }, alg: 'ES256' });
    const { payload, protectedHeader } = await verify(token);
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toMatchObject({ sub: 'BEN-1', aud: ['portal'], iss: identity.url });
    expect(payload).not.toHaveProperty('jti');
  });

  it('may have expired', async () => {
    await expect(verify(await mint({ expires_in: -60 }))).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
    await expect(verify(await mint({ claims: { exp: 1 } }))).rejects.toMatchObject({
      code: 'ERR_JWT_EXPIRED',
    });
  });

  it('may be signed with a key that is not published, even under the id of one that is', async () => {
    const kid = decodeProtectedHeader(await mint({})).kid;
    await expect(verify(await mint({ key: 'unknown' }))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
    const forged = await mint({ key: 'unknown', kid });
    expect(decodeProtectedHeader(forged).kid).toBe(kid);
    await expect(verify(forged)).rejects.toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });

  it('may be unsigned, signed with a public key as its secret, or without a key id', async () => {
    const unsigned = await mint({ alg: 'none' });
    expect([decodeProtectedHeader(unsigned).alg, unsigned.split('.')[2]]).toEqual(['none', '']);
    expect(decodeProtectedHeader(await mint({ alg: 'HS256' }))).toMatchObject({
      alg: 'HS256',
      kid: expect.any(String),
    });
    expect(decodeProtectedHeader(await mint({ kid: null }))).not.toHaveProperty('kid');
  });

  it.each([{ colour: 'red' }, { alg: 'RS1' }, { key: 'mine' }, { expires_in: '5' }, { claims: [] }])(
    'is refused when %j is asked for',
    async (body) => {
      expect((await post(identity.url, '/_admin/tokens', body)).status).toBe(400);
    },
  );
});

describe('rotation', () => {
  it('takes the old keys away', async () => {
    const before = await mint({});
    await post(identity.url, '/_admin/rotate', {});
    await expect(verify(before)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    await verify(await mint({}));
  });

  it('keeps them published when told so, while new tokens are signed with the new one', async () => {
    const before = await mint({});
    const { body } = await post(identity.url, '/_admin/rotate', { keep: true });
    expect(body.keys).toHaveLength(4);
    const after = await mint({});
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
    await Promise.all([verify(before), verify(after)]);
  });
});

describe('misbehaviour', () => {
  it('tells a life that the token does not have, and leaves it out', async () => {
    await control({ tokens: { lives_seconds: -5, expires_in: 3_600 } });
    const { body } = await ask(plain);
    expect(body.expires_in).toBe(3_600);
    await expect(verify(String(body.access_token))).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
    await control({ tokens: { expires_in: null, token_type: 'mac' } });
    expect((await ask(plain)).body).toEqual({ access_token: expect.any(String), token_type: 'mac' });
    expect((await get(identity.url, '/_control')).body.tokens).toEqual({
      expires_in: null,
      token_type: 'mac',
    });
    await control({ tokens: null });
    expect((await ask(plain)).body).toMatchObject({ expires_in: 120, token_type: 'Bearer' });
  });

  it('signs what it issues with a key that nobody knows', async () => {
    await control({ tokens: { key: 'unknown' } });
    const { body } = await ask(plain);
    await expect(verify(String(body.access_token))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  it('fails, refuses and counts as every simulator does', async () => {
    await control({ faults: [{ path: '/token', kind: 'refuse', count: 1 }] });
    expect(await ask(plain)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
    await control({ faults: [{ path: '/jwks', kind: 'error_before', status: 503, count: 1 }] });
    expect((await get(identity.url, '/jwks')).status).toBe(503);
    await control({ faults: [{ path: '/jwks', kind: 'drop_before', count: 1 }] });
    await expect(get(identity.url, '/jwks')).rejects.toThrow();
    expect((await get(identity.url, '/_admin/stats')).body).toMatchObject({
      requests: { '/token': 1, '/jwks': 2 },
    });
    expect((await control({ tokens: { colour: 'red' } })).status).toBe(400);
    expect((await get(identity.url, '/ping')).status).toBe(200);
  });
});

describe('a start', () => {
  it('takes its name from what it is told', async () => {
    const named = await startIdentity({ issuer: 'https://login.example.org/realms/one' });
    const { body } = await get(named.url, '/.well-known/openid-configuration');
    expect(body.jwks_uri).toBe('https://login.example.org/realms/one/jwks');
    expect(await named.stop()).toBe(0);
    expect(named.stderr()).toBe('');
  });

  it('fails in one line when clients are not what they should be', async () => {
    const wrong = [{ client_id: '', client_secret: 'x' }];
    await expect(startIdentity({ clients: wrong })).rejects.toThrow(/--clients <json>.*\[0\]\.client_id/);
  });
});
