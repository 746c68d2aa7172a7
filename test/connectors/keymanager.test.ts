import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { canonicalJson } from '../../src/connectors/mapper/canonical-json.ts';
import { toWireRequest } from '../../src/connectors/mapper/spar-wire.ts';
import {
  createKeyManagerSigner,
  type KeyManagerSettings,
  type KeyManagerSigner,
} from '../../src/connectors/mapper/trust/key-manager.ts';
import { createOAuthAuthorizer } from '../../src/connectors/mapper/trust/oauth.ts';
import { openConnectors } from '../../src/stages/connectors.ts';
import { get, post } from '../simulators/fixtures.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startIdentity, startKeyManager, startSpar } from '../support/simulators.ts';
import { until } from '../support/wait.ts';
import { json, startHttpServer, unusedUrl } from './http-servers.ts';
import { CTX, LINK, mapperAt, REQUESTS, rejection, requestsTo, tell } from './trust.ts';

const BODY = '{"a":"ä","b":[]}';
const MESSAGE = {
  senderId: 'bridge',
  requestId: 'r',
  transactionId: 't',
  timestamp: '2025-01-31T08:00:00.000Z',
};
const CLIENT = { client_id: 'openg2p-g2p-bridge', client_secret: 'hush' };

let databases: TestDatabase[];
let identity: Simulator;
let keyManager: Simulator;
let spar: Simulator;
let requireToken = '';
const opened: { close?(): Promise<void> }[] = [];

beforeAll(async () => {
  databases = await Promise.all([createDatabase('keymanager'), createDatabase('spar')]);
  const [keyDatabase, sparDatabase] = databases as [TestDatabase, TestDatabase];
  identity = await startIdentity({ clients: [CLIENT] });
  requireToken = `${identity.url}/jwks`;
  keyManager = await startKeyManager({ databaseUrl: keyDatabase.url, requireToken });
  spar = await startSpar({ databaseUrl: sparDatabase.url, requireSignature: `${keyManager.url}/jwks` });
  await tell(spar.url, '/_admin/links', [LINK]);
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close?.();
  await tell(keyManager.url, '/_control', { faults: [], rules: null });
  await tell(identity.url, '/_admin/reset', {});
});
afterAll(async () => {
  await Promise.all([spar.stop(), keyManager.stop(), identity.stop()]);
  await Promise.all(databases.map((database) => database.drop()));
});

function authorizer() {
  const made = createOAuthAuthorizer({
    tokenUrl: `${identity.url}/token`,
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 5_000,
  });
  opened.push(made);
  return made;
}

function signerAt(apiUrl: string, settings: Partial<KeyManagerSettings> = {}): KeyManagerSigner {
  const signer = createKeyManagerSigner({
    apiUrl,
    applicationId: 'G2PBRIDGE',
    referenceId: '',
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 5_000,
    connectionsMax: 4,
    authorizer: undefined,
    ...settings,
  });
  opened.push(signer);
  return signer;
}

const signer = (settings: Partial<KeyManagerSettings> = {}) =>
  signerAt(keyManager.url, { authorizer: authorizer(), ...settings });

async function resolveWith(given: KeyManagerSigner) {
  const mapper = mapperAt(spar.url, { signer: given });
  opened.push(mapper);
  return mapper.resolve(REQUESTS, CTX);
}

const wrong = (answer: string | null) => tell(keyManager.url, '/_control', { rules: { answer } });

describe('a signature of the key manager', () => {
  test('is one that SPAR accepts, asked for as the key manager wants it', async () => {
    expect(await resolveWith(signer())).toMatchObject([{ referenceId: 'd1', error: null }]);
    const server = await startHttpServer((_, response) => json(response, 200, {}));
    opened.push(server);
    const now = () => new Date('2025-01-31T08:00:00.000Z');
    const asked = signerAt(server.url, { referenceId: 'R', now, authorizer: authorizer() });
    await rejection(asked.sign(BODY, CTX));
    const [request] = server.received;
    expect(request?.path).toBe('/jwtSign');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      id: 'string',
      version: 'string',
      requesttime: '2025-01-31T08:00:00.000Z',
      metadata: {},
      request: {
        dataToSign: Buffer.from(BODY).toString('base64url'),
        applicationId: 'G2PBRIDGE',
        referenceId: 'R',
        includePayload: false,
        includeCertificate: false,
        includeCertHash: false,
      },
    });
    const token = request?.headers.authorization?.replace('Bearer ', '');
    expect(token).toMatch(/^ey/);
    expect(request?.headers.cookie).toBe(`Authorization=${token}`);
  });

  test('is taken with the text in it as well, and passed on without', async () => {
    await wrong('with_payload');
    expect(await signer().sign(BODY, CTX)).toMatch(/^[\w-]+\.\.[\w-]+$/);
    expect(await resolveWith(signer())).toMatchObject([{ error: null }]);
  });

  test('is refused by SPAR from the moment on that its key has been changed; the next one is by the new key', async () => {
    const given = signer();
    const body = canonicalJson(toWireRequest(REQUESTS, MESSAGE));
    const signature = await given.sign(body, CTX);
    const send = async () => {
      const { response_header: header } = (await post(spar.url, '/resolve', body, { signature })).body;
      return (header as Record<string, unknown>).response_error_code;
    };
    expect(await send()).toBeNull();
    await tell(keyManager.url, '/_admin/rotate', { alg: 'ES256', keep: true });
    expect(await send()).toBeNull();
    await tell(keyManager.url, '/_admin/rotate', {});
    expect(await send()).toBe('rjct.jwt.invalid');
    expect(await resolveWith(given)).toMatchObject([{ error: null }]);
  });

  test('is made with the same key after the key manager was killed and started again', async () => {
    const before = await get(keyManager.url, '/jwks');
    await keyManager.kill();
    const [{ url }] = databases as [TestDatabase];
    keyManager = await startKeyManager({
      databaseUrl: url,
      requireToken,
      port: Number(new URL(keyManager.url).port),
    });
    expect((await get(keyManager.url, '/jwks')).body).toEqual(before.body);
    expect(await resolveWith(signer())).toMatchObject([{ error: null }]);
  });
});

describe('the key manager', () => {
  test('signs nothing without a token, or with one that it cannot verify', async () => {
    const without = signerAt(keyManager.url).sign(BODY, CTX);
    await expect(without).rejects.toMatchObject({ code: 'KEYMANAGER_UNAUTHORIZED', retryable: true });
    const { token } = await tell(identity.url, '/_admin/tokens', { key: 'unknown' });
    const forged = { bearerToken: async () => String(token), refused: () => {} };
    const { code, all } = await rejection(signer({ authorizer: forged }).sign(BODY, CTX));
    expect(code).toBe('KEYMANAGER_UNAUTHORIZED');
    expect(all).not.toContain(String(token));
  });

  test('that refuses an expired token is asked once more with a new one', async () => {
    await tell(identity.url, '/_control', { tokens: { lives_seconds: -10 } });
    const given = signer();
    await expect(given.sign(BODY, CTX)).rejects.toMatchObject({ code: 'KEYMANAGER_UNAUTHORIZED' });
    expect(await requestsTo(identity.url, '/token')).toBe(2);
    await tell(identity.url, '/_control', { tokens: null });
    expect(await given.sign(BODY, CTX)).toMatch(/^ey/);
    await tell(identity.url, '/_admin/rotate', {});
    expect(await given.sign(BODY, CTX)).toMatch(/^ey/);
    expect(await requestsTo(identity.url, '/token')).toBe(4);
  });

  test('that knows no key of that name says so', async () => {
    await expect(signer({ applicationId: 'OTHER' }).sign(BODY, CTX)).rejects.toMatchObject({
      code: 'KEYMANAGER_REFUSED',
      message: 'The key manager refused to sign: KER-KMS-002 ApplicationId not found in Key Policy.',
    });
  });

  test('that is down is a fault', async () => {
    const given = signerAt(await unusedUrl());
    await expect(given.sign(BODY, CTX)).rejects.toMatchObject({
      code: 'KEYMANAGER_UNREACHABLE',
      retryable: true,
    });
  });

  test.each<[string, object, string]>([
    ['is too slow', { kind: 'delay', delay_ms: 3_000 }, 'KEYMANAGER_TIMEOUT'],
    ['never finishes its answer', { kind: 'slow_body', delay_ms: 3_000 }, 'KEYMANAGER_TIMEOUT'],
    ['breaks the connection', { kind: 'drop_after' }, 'KEYMANAGER_CONNECTION_LOST'],
    ['has an error', { kind: 'error_before', status: 500 }, 'KEYMANAGER_ERROR'],
    ['refuses', { kind: 'refuse' }, 'KEYMANAGER_REFUSED'],
  ])('that %s is a fault of that call alone', async (_, fault, code) => {
    await tell(keyManager.url, '/_control', { faults: [{ path: '/jwtSign', count: 1, ...fault }] });
    const given = signer({ requestTimeoutMs: 500 });
    await expect(given.sign(BODY, CTX)).rejects.toMatchObject({ code, retryable: true });
    expect(await given.sign(BODY, CTX)).toMatch(/^ey/);
  });

  test.each([
    ['other_text', 'KEYMANAGER_BAD_ANSWER', 'its signature is that of another text'],
    ['hmac', 'KEYMANAGER_BAD_ANSWER', 'its signature was not made with a private key'],
    ['none', 'KEYMANAGER_BAD_ANSWER', 'its signature is not a JWS'],
    ['not_a_jws', 'KEYMANAGER_BAD_ANSWER', 'its signature is not a JWS'],
    ['no_response', 'KEYMANAGER_BAD_ANSWER', 'it holds no signature'],
    ['bare_text', 'KEYMANAGER_BAD_ANSWER', 'it is not of the agreed form'],
    ['errors', 'KEYMANAGER_REFUSED', 'KER-KMS-012 Key is not valid'],
  ])('that answers %s is not believed, and nothing is sent to SPAR', async (answer, code, problem) => {
    await wrong(answer);
    const before = await requestsTo(spar.url, '/resolve');
    const { message, code: got } = await rejection(resolveWith(signer()));
    expect(got).toBe(code);
    expect(message).toContain(problem);
    expect(await requestsTo(spar.url, '/resolve')).toBe(before);
  });

  test.each<[string, string]>([
    ['with extensions', `${encoded('{"alg":"RS256","b64":false,"crit":["b64"]}')}..c2ln`],
    ['with a header that is no JSON', `${encoded('RS256')}..c2ln`],
    ['with a fourth part', `${encoded('{"alg":"RS256"}')}..c2ln.c2ln`],
    ['that would end the header', `${encoded('{"alg":"RS256"}')}..c2ln\r\nX-Other: 1`],
  ])('whose signature is one %s is not believed', async (_, jwtSignedData) => {
    const server = await startHttpServer((_request, response) =>
      json(response, 200, { response: { jwtSignedData }, errors: null }),
    );
    opened.push(server);
    await expect(signerAt(server.url).sign(BODY, CTX)).rejects.toMatchObject({
      code: 'KEYMANAGER_BAD_ANSWER',
    });
  });

  test('that repeats the token in its refusal tells no log', async () => {
    const server = await startHttpServer(({ headers }, response) =>
      json(response, 200, { errors: [{ errorCode: 'E', message: `No: ${headers.authorization}` }] }),
    );
    opened.push(server);
    const authorizing = { bearerToken: async () => 'token-of-ours', refused: () => {} };
    const { code, message, all } = await rejection(
      signerAt(server.url, { authorizer: authorizing }).sign(BODY, CTX),
    );
    expect([code, message]).toEqual([
      'KEYMANAGER_REFUSED',
      'The key manager refused to sign: E No: Bearer ********.',
    ]);
    expect(all).not.toContain('token-of-ours');
  });

  test('is no longer waited for when the call is given up', async () => {
    const server = await startHttpServer(() => {});
    opened.push(server);
    const caller = new AbortController();
    const waiting = rejection(signerAt(server.url).sign(BODY, { signal: caller.signal }));
    await until('the key manager was asked', () => server.received.length === 1);
    caller.abort();
    expect((await waiting).code).toBe('KEYMANAGER_CALL_ABORTED');
  });
});

test('the simulator refuses what a real one would: text that is no JSON, and requests of another form', async () => {
  const { token } = await tell(identity.url, '/_admin/tokens', {});
  const authorized = { authorization: `Bearer ${token}` };
  const ask = async (request: object) =>
    (await post(keyManager.url, '/jwtSign', request, authorized)).body.errors;
  const message = (dataToSign: string, more: object = {}) => ({
    id: 'string',
    version: 'string',
    requesttime: '2025-01-31T08:00:00.000Z',
    request: {
      dataToSign,
      applicationId: 'G2PBRIDGE',
      referenceId: '',
      includePayload: false,
      includeCertificate: false,
      includeCertHash: false,
      ...more,
    },
  });
  expect(await ask(message(encoded('{}')))).toBeNull();
  expect(await ask(message(encoded('no JSON')))).toMatchObject([{ errorCode: 'KER-JWS-101' }]);
  expect(await ask(message('e30='))).toMatchObject([{ errorCode: 'KER-KMS-005' }]);
  expect(await ask(message(encoded('{}'), { algorithm: 'none' }))).toMatchObject([
    { errorCode: 'KER-KMS-005' },
  ]);
});

test('the settings let the key manager sign, with tokens for both', async () => {
  const connectors = await openConnectors(
    loadConfig({
      G2P_BRIDGE_MAPPER_API_URL: spar.url,
      G2P_BRIDGE_KEYMANAGER_API_BASE_URL: keyManager.url,
      G2P_BRIDGE_OAUTH_URL: `${identity.url}/token`,
      G2P_BRIDGE_OAUTH_CLIENT_SECRET: CLIENT.client_secret,
    }),
  );
  opened.push(connectors);
  expect(await connectors.mapper.resolve(REQUESTS, CTX)).toMatchObject([{ error: null }]);
});

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}
