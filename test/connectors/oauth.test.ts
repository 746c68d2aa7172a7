import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import {
  createOAuthAuthorizer,
  type OAuthAuthorizer,
  type OAuthSettings,
} from '../../src/connectors/mapper/trust/oauth.ts';
import { openConnectors } from '../../src/stages/connectors.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startIdentity, startSpar } from '../support/simulators.ts';
import { json, startHttpServer, unusedUrl } from './http-servers.ts';
import { CTX, LINK, mapperAt, REQUESTS, rejection, requestsTo, tell } from './trust.ts';

const SECRET = 'hush hush/+&%"x';
const CLIENT = { client_id: 'g2p-bridge', client_secret: SECRET };
const TOKEN_SECONDS = 300;

let database: TestDatabase;
let identity: Simulator;
let spar: Simulator;
const opened: { close?(): Promise<void> }[] = [];

beforeAll(async () => {
  [database, identity] = await Promise.all([
    createDatabase('spar'),
    startIdentity({ tokenSeconds: TOKEN_SECONDS, clients: [CLIENT] }),
  ]);
  spar = await startSpar({
    databaseUrl: database.url,
    requireToken: `${identity.url}/jwks`,
    tokenIssuer: identity.url,
  });
  await tell(spar.url, '/_admin/links', [LINK]);
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close?.();
  await tell(identity.url, '/_admin/reset', {});
  await tell(spar.url, '/_control', { faults: [] });
});
afterAll(async () => {
  await Promise.all([spar.stop(), identity.stop()]);
  await database.drop();
});

function authorizerAt(tokenUrl: string, settings: Partial<OAuthSettings> = {}): OAuthAuthorizer {
  const authorizer = createOAuthAuthorizer({
    tokenUrl,
    clientId: CLIENT.client_id,
    clientSecret: SECRET,
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 5_000,
    ...settings,
  });
  opened.push(authorizer);
  return authorizer;
}

const authorizer = (settings: Partial<OAuthSettings> = {}) => authorizerAt(`${identity.url}/token`, settings);

function mapperWith(given: OAuthAuthorizer) {
  const mapper = mapperAt(spar.url, { authorizer: given });
  opened.push(mapper);
  return mapper;
}

/** What `/token` answers departs so from what is right. */
const tokens = (rules: object | null) => tell(identity.url, '/_control', { tokens: rules });
const fetched = () => requestsTo(identity.url, '/token');

describe('a token', () => {
  test('of the client credentials grant lets requests in to a SPAR that verifies it', async () => {
    expect(await mapperWith(authorizer()).resolve(REQUESTS, CTX)).toMatchObject([{ error: null }]);
    const unauthorized = mapperAt(spar.url, {});
    opened.push(unauthorized);
    await expect(unauthorized.resolve(REQUESTS, CTX)).rejects.toMatchObject({
      code: 'MAPPER_UNAUTHORIZED',
      message: 'The mapper does not let us in (HTTP 401).',
    });
  });

  test('is fetched once, however many calls need it at once and afterwards', async () => {
    const mapper = mapperWith(authorizer());
    await tell(identity.url, '/_control', { faults: [{ path: '/token', kind: 'delay', delay_ms: 50 }] });
    await Promise.all(Array.from({ length: 20 }, () => mapper.resolve(REQUESTS, CTX)));
    await mapper.resolve(REQUESTS, CTX);
    expect(await fetched()).toBe(1);
  });

  test('is renewed shortly before it expires, by the clock', async () => {
    let seconds = 0;
    const given = authorizer({ now: () => new Date(1_000_000 + seconds * 1_000) });
    const first = await given.bearerToken(CTX);
    seconds = TOKEN_SECONDS - 31;
    expect(await given.bearerToken(CTX)).toBe(first);
    seconds = TOKEN_SECONDS - 29;
    expect(await given.bearerToken(CTX)).not.toBe(first);
    expect(await fetched()).toBe(2);
  });

  test('that lives shortly is used for most of its life', async () => {
    await tokens({ expires_in: 10 });
    let seconds = 0;
    const given = authorizer({ now: () => new Date(seconds * 1_000) });
    const first = await given.bearerToken(CTX);
    seconds = 7;
    expect(await given.bearerToken(CTX)).toBe(first);
    seconds = 9;
    expect(await given.bearerToken(CTX)).not.toBe(first);
  });

  test('whose life the server does not tell is taken to live a quarter of an hour', async () => {
    await tokens({ expires_in: null });
    let seconds = 0;
    const given = authorizer({ now: () => new Date(seconds * 1_000) });
    const first = await given.bearerToken(CTX);
    seconds = 869;
    expect(await given.bearerToken(CTX)).toBe(first);
    seconds = 871;
    expect(await given.bearerToken(CTX)).not.toBe(first);
  });
});

describe('a token that SPAR refuses', () => {
  test('because it has expired unnoticed is replaced, and the request is sent once more', async () => {
    await tokens({ lives_seconds: -10 });
    const given = authorizer();
    const expired = await given.bearerToken(CTX);
    await tokens(null);
    expect(await mapperWith(given).resolve(REQUESTS, CTX)).toMatchObject([{ error: null }]);
    expect(await given.bearerToken(CTX)).not.toBe(expired);
    expect(await fetched()).toBe(2);
  });

  test('because the keys were changed is replaced', async () => {
    const mapper = mapperWith(authorizer());
    await mapper.resolve(REQUESTS, CTX);
    await tell(identity.url, '/_admin/rotate', {});
    expect(await mapper.resolve(REQUESTS, CTX)).toMatchObject([{ error: null }]);
    expect(await fetched()).toBe(2);
  });

  test('is replaced once for all calls that it was refused to', async () => {
    const mapper = mapperWith(authorizer());
    await mapper.resolve(REQUESTS, CTX);
    await tell(identity.url, '/_admin/rotate', {});
    const calls = Array.from({ length: 4 }, () => mapper.resolve(REQUESTS, CTX));
    for (const answers of await Promise.all(calls)) expect(answers).toMatchObject([{ error: null }]);
    expect(await fetched()).toBe(2);
  });

  test.each<[string, object]>([
    ['has expired', { lives_seconds: -10 }],
    ['is by a key that is not published', { key: 'unknown' }],
  ])('as each new one does because it %s is a fault after two requests', async (_, rules) => {
    await tokens(rules);
    const before = await requestsTo(spar.url, '/resolve');
    await expect(mapperWith(authorizer()).resolve(REQUESTS, CTX)).rejects.toMatchObject({
      code: 'MAPPER_UNAUTHORIZED',
      retryable: true,
    });
    expect(await fetched()).toBe(2);
    expect((await requestsTo(spar.url, '/resolve')) - before).toBe(2);
  });

  test.each<[string, object]>([
    ['without a signature', { alg: 'none' }],
    ['signed with the public key as a secret', { alg: 'HS256' }],
    ['of another issuer', { claims: { iss: 'http://elsewhere' } }],
    ['without an end', { claims: { exp: null } }],
  ])('is one %s', async (_, minted) => {
    const { token } = await tell(identity.url, '/_admin/tokens', minted);
    const mapper = mapperAt(spar.url, {
      authorizer: { bearerToken: async () => String(token), refused: () => {} },
    });
    opened.push(mapper);
    await expect(mapper.resolve(REQUESTS, CTX)).rejects.toMatchObject({ code: 'MAPPER_UNAUTHORIZED' });
  });
});

describe('no token', () => {
  test('is had with a wrong secret, which no error shows', async () => {
    const { code, message, all } = await rejection(
      authorizer({ clientSecret: 'not-the-secret' }).bearerToken(CTX),
    );
    expect(code).toBe('OAUTH_REFUSED');
    expect(message).toMatch(/^The OAuth server gives no token \(HTTP 401\): invalid_client/);
    expect(all).not.toContain('not-the-secret');
  });

  test('is had from a server that is down, until it is up again', async () => {
    const url = new URL(await unusedUrl());
    const given = authorizerAt(`${url.origin}/token`);
    await expect(given.bearerToken(CTX)).rejects.toMatchObject({
      code: 'OAUTH_UNREACHABLE',
      retryable: true,
    });
    const late = await startIdentity({ port: Number(url.port), clients: [CLIENT] });
    expect(await given.bearerToken(CTX)).toMatch(/^ey/);
    await late.stop();
  });

  test.each<[string, object, string]>([
    ['is too slow', { kind: 'delay', delay_ms: 2_000 }, 'OAUTH_TIMEOUT'],
    ['breaks the connection', { kind: 'drop_before' }, 'OAUTH_CONNECTION_LOST'],
    ['has an error', { kind: 'error_before', status: 503 }, 'OAUTH_ERROR'],
  ])('is had from a server that %s, and the next call tries again', async (_, fault, code) => {
    await tell(identity.url, '/_control', { faults: [{ path: '/token', count: 1, ...fault }] });
    const given = authorizer({ requestTimeoutMs: 300 });
    const calls = [given.bearerToken(CTX), given.bearerToken(CTX)];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code });
    expect(await given.bearerToken(CTX)).toMatch(/^ey/);
    expect(await fetched()).toBe(2);
  });

  test.each<[string, unknown]>([
    ['is no object', 'token'],
    ['holds no token', {}],
    ['holds an empty token', { access_token: '' }],
    ['holds a token with a line break', { access_token: 'a\r\nX-Other: 1' }],
    ['holds a token that no header can carry', { access_token: 'ä' }],
    ['holds a token that is too long', { access_token: 'x'.repeat(10_000) }],
    ['holds another kind of token', { access_token: 'x', token_type: 'mac' }],
    ['holds a token that has ended', { access_token: 'x', expires_in: 0 }],
    ['holds a token with an end that is no number', { access_token: 'x', expires_in: 'soon' }],
  ])('is had from an answer that %s', async (_, body) => {
    const server = await startHttpServer((_request, response) => json(response, 200, body));
    opened.push(server);
    await expect(authorizerAt(server.url).bearerToken(CTX)).rejects.toMatchObject({
      code: 'OAUTH_BAD_ANSWER',
    });
  });

  test('is had from an answer without end', async () => {
    const server = await startHttpServer((_request, response) => response.end('x'.repeat(100_000)));
    opened.push(server);
    await expect(authorizerAt(server.url).bearerToken(CTX)).rejects.toMatchObject({
      code: 'OAUTH_BAD_ANSWER',
    });
  });

  test('tells a log the secret that the server repeats', async () => {
    const server = await startHttpServer((request, response) =>
      json(response, 400, {
        error: 'invalid_request',
        error_description: `You sent ${request.body}\nwith ${new URLSearchParams(request.body).get('client_secret')}`,
      }),
    );
    opened.push(server);
    const { code, message, all } = await rejection(authorizerAt(server.url).bearerToken(CTX));
    expect(code).toBe('OAUTH_REFUSED');
    expect(message).toContain('invalid_request: You sent grant_type=client_credentials');
    for (const secret of [SECRET, encodeURIComponent(SECRET), 'hush']) expect(all).not.toContain(secret);
  });
});

describe('a call that is given up while it waits for a token', () => {
  test('ends at once and leaves the token to the others', async () => {
    await tell(identity.url, '/_control', { faults: [{ path: '/token', kind: 'delay', delay_ms: 300 }] });
    const given = authorizer();
    const caller = new AbortController();
    const abandoned = given.bearerToken({ signal: caller.signal });
    const patient = given.bearerToken(CTX);
    caller.abort();
    await expect(abandoned).rejects.toMatchObject({ code: 'OAUTH_CALL_ABORTED' });
    expect(await patient).toMatch(/^ey/);
    expect(await fetched()).toBe(1);
  });

  test('ends when the authorizer is closed', async () => {
    const server = await startHttpServer(() => {});
    opened.push(server);
    const given = authorizerAt(server.url);
    const waiting = expect(given.bearerToken(CTX)).rejects.toMatchObject({ code: 'OAUTH_CALL_ABORTED' });
    await opened.pop()?.close?.();
    await waiting;
  });
});

test('the settings put tokens on requests, and take them off', async () => {
  const env = {
    G2P_BRIDGE_MAPPER_API_URL: spar.url,
    G2P_BRIDGE_OAUTH_URL: `${identity.url}/token`,
    G2P_BRIDGE_OAUTH_CLIENT_ID: CLIENT.client_id,
    G2P_BRIDGE_OAUTH_CLIENT_SECRET: SECRET,
  };
  const connectors = await openConnectors(loadConfig(env));
  opened.push(connectors);
  expect(await connectors.mapper.resolve(REQUESTS, CTX)).toMatchObject([{ error: null }]);
  const without = await openConnectors(loadConfig({ ...env, G2P_BRIDGE_OAUTH_ENABLED: 'false' }));
  opened.push(without);
  await expect(without.mapper.resolve(REQUESTS, CTX)).rejects.toMatchObject({ code: 'MAPPER_UNAUTHORIZED' });
});
