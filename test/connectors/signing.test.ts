import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Environment, loadConfig } from '../../src/config.ts';
import type { RequestSigner } from '../../src/connectors/mapper/mapper-connector.ts';
import { localSigner } from '../../src/connectors/mapper/trust/local-signer.ts';
import { readSigningKey } from '../../src/connectors/mapper/trust/signing-key.ts';
import { openConnectors } from '../../src/stages/connectors.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startSpar } from '../support/simulators.ts';
import { CTX, JWKS_FILE, keyFile, LINK, mapperAt, PASSWORD, REQUESTS, rejection, tell } from './trust.ts';

/** Thumbprints of the certificates of the test keys, as `openssl x509 -outform der | openssl dgst -sha256` has them. */
const RSA_KID = 'ISqdNEr5ce5M8RefR8gm5x2owdFhZudZsVpt6xaruWI';
const EC_KID = 'NqhCs7Miv4gkOqFAwjZVvrXuRS_Kdt39V3EByAb03c8';
const KEYTOOL_KID = 'DJAKUv_EV8f0WGnZRKS_EhtcS3uvftbyKp7wQQemS3Q';

let database: TestDatabase;
let spar: Simulator;
let folder = '';
let jwksFile = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signing-'));
  jwksFile = join(folder, 'published.json');
  database = await createDatabase('spar');
  spar = await startSpar({ databaseUrl: database.url, requireSignature: jwksFile });
  await tell(spar.url, '/_admin/links', [LINK]);
  await writeFile(jwksFile, await readFile(JWKS_FILE));
});
afterEach(async () => writeFile(jwksFile, await readFile(JWKS_FILE)));
afterAll(async () => {
  await spar.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Puts keys in place of those that SPAR knows. */
const publish = (...keys: JWK[]) => writeFile(jwksFile, JSON.stringify({ keys }));

async function keyPair(alg = 'ES256'): Promise<{ privateJwk: JWK; publicJwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateJwk: await exportJWK(privateKey), publicJwk: await exportJWK(publicKey) };
}

async function fileOf(content: unknown, name = 'key.json'): Promise<string> {
  const path = join(folder, name);
  await writeFile(
    path,
    typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
  );
  return path;
}

async function signerOf(path: string, password = '', kid = ''): Promise<RequestSigner> {
  return localSigner(await readSigningKey({ path, password, kid }));
}

async function resolveWith(signer: RequestSigner | undefined) {
  const mapper = mapperAt(spar.url, signer === undefined ? {} : { signer });
  try {
    return await mapper.resolve(REQUESTS, CTX);
  } finally {
    await mapper.close?.();
  }
}

describe('a key file', () => {
  test.each([
    ['rsa-openssl3.p12', 'RS256', RSA_KID],
    ['rsa-3des.p12', 'RS256', RSA_KID],
    ['rsa-rc2-3des.p12', 'RS256', RSA_KID],
    ['keytool.p12', 'RS256', KEYTOOL_KID],
    ['ec-openssl3.p12', 'ES256', EC_KID],
    ['ec-3des.p12', 'ES256', EC_KID],
  ])('%s signs what SPAR accepts, under the thumbprint of its certificate', async (name, alg, kid) => {
    const key = await readSigningKey({ path: keyFile(name), password: PASSWORD, kid: '' });
    expect(key).toMatchObject({ alg, kid });
    expect(await resolveWith(localSigner(key))).toMatchObject([{ referenceId: 'd1', error: null }]);
  });

  test('without a password needs none', async () => {
    const signer = await signerOf(keyFile('rsa-no-password.p12'));
    expect(await resolveWith(signer)).toMatchObject([{ error: null }]);
  });

  test('without a certificate is known by the thumbprint of the key itself (RFC 7638)', async () => {
    const { keys } = JSON.parse(await readFile(JWKS_FILE, 'utf8'));
    const kid = await calculateJwkThumbprint(keys[0]);
    const key = await readSigningKey({
      path: keyFile('rsa-no-certificate.p12'),
      password: PASSWORD,
      kid: '',
    });
    expect(key.kid).toBe(kid);
    await publish({ ...keys[0], kid });
    expect(await resolveWith(localSigner(key))).toMatchObject([{ error: null }]);
  });

  test.each(['RS256', 'ES256'])(
    'that is a JWK for %s signs what SPAR accepts, under its own kid',
    async (alg) => {
      const { privateJwk, publicJwk } = await keyPair(alg);
      const signer = await signerOf(await fileOf({ ...privateJwk, kid: 'bridge-1' }));
      await publish({ ...publicJwk, kid: 'bridge-1' });
      expect(await resolveWith(signer)).toMatchObject([{ error: null }]);
    },
  );

  test('that is a JWK without a kid is known by its thumbprint, and by the one that is set before any other', async () => {
    const { privateJwk, publicJwk } = await keyPair();
    const path = await fileOf(privateJwk);
    const thumbprint = await calculateJwkThumbprint(publicJwk);
    expect((await readSigningKey({ path, password: '', kid: '' })).kid).toBe(thumbprint);
    expect((await readSigningKey({ path, password: '', kid: 'set' })).kid).toBe('set');
    const p12 = { path: keyFile('ec-openssl3.p12'), password: PASSWORD };
    expect((await readSigningKey({ ...p12, kid: 'set' })).kid).toBe('set');
  });
});

describe('SPAR that asks for signatures refuses', () => {
  const refused = { code: 'rjct.jwt.invalid' };

  test('a request without one', async () => {
    await expect(resolveWith(undefined)).rejects.toMatchObject(refused);
  });

  test('one by a key that it does not know, also under the kid of one that it knows', async () => {
    const path = await fileOf((await keyPair()).privateJwk);
    await expect(resolveWith(await signerOf(path))).rejects.toMatchObject(refused);
    await expect(resolveWith(await signerOf(path, '', EC_KID))).rejects.toMatchObject(refused);
  });

  test('one by a key that has been taken out, from then on', async () => {
    const signer = await signerOf(keyFile('ec-openssl3.p12'), PASSWORD);
    expect(await resolveWith(signer)).toMatchObject([{ error: null }]);
    await publish((await keyPair()).publicJwk);
    await expect(resolveWith(signer)).rejects.toMatchObject(refused);
  });

  test.each<[string, (jws: string) => string]>([
    ['one of another text', (jws) => jws.replace(/.{8}$/, 'AAAAAAAA')],
    [
      'one whose header says none',
      (jws) => jws.replace(/^[^.]+/, Buffer.from('{"alg":"none"}').toString('base64url')),
    ],
    ['one with the text in it', (jws) => jws.replace('..', '.e30.')],
  ])('%s', async (_, spoil) => {
    const signer = await signerOf(keyFile('rsa-openssl3.p12'), PASSWORD);
    const spoiling = { sign: async (body: string, ctx: typeof CTX) => spoil(await signer.sign(body, ctx)) };
    await expect(resolveWith(spoiling)).rejects.toMatchObject(refused);
  });

  test('a signature over a body that was altered afterwards', async () => {
    const signer = await signerOf(keyFile('rsa-openssl3.p12'), PASSWORD);
    const other = { sign: (body: string, ctx: typeof CTX) => signer.sign(body.replace('"b1"', '"b2"'), ctx) };
    await expect(resolveWith(other)).rejects.toMatchObject(refused);
  });
});

describe('what is signed', () => {
  test('is the text that is sent: compact, its keys in order at every level', async () => {
    const bodies: string[] = [];
    const signer = await signerOf(keyFile('rsa-openssl3.p12'), PASSWORD);
    await resolveWith({
      sign: (body, ctx) => {
        bodies.push(body);
        return signer.sign(body, ctx);
      },
    });
    const [body = ''] = bodies;
    expect(body).toMatch(
      /^\{"request_body":\{"pagination_request":null,"request_payload":\{"resolve_request":\[\{"fa":"",/,
    );
    expect(body).not.toMatch(/[:,]\s/);
  });
});

describe('the start', () => {
  const PATH = 'G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH';
  const PASSWORD_NAME = 'G2P_BRIDGE_CRYPTO_SIGNING_KEY_PASSWORD';

  async function stopped(env: Environment) {
    const { code, message, all } = await rejection(openConnectors(loadConfig(env)));
    expect(code).toBe('SIGNING_KEY_UNUSABLE');
    expect(message).not.toMatch(/\p{Cc}/u);
    return { message, all };
  }

  test.each([
    ['with a wrong password', 'rsa-openssl3.p12', 'horse battery'],
    ['without its password', 'ec-openssl3.p12', ''],
    ['with a wrong password for 3DES', 'rsa-3des.p12', 'horse battery'],
    ['with a password where there is none', 'rsa-no-password.p12', 'horse battery'],
  ])('stops with one line for a PKCS#12 file %s', async (_, name, password) => {
    const { message, all } = await stopped({ [PATH]: keyFile(name), [PASSWORD_NAME]: password });
    expect(message).toBe(`${PASSWORD_NAME} does not open the file that ${PATH} names, ${keyFile(name)}.`);
    if (password !== '') expect(all).not.toContain(password);
  });

  test.each([
    ['without a private key', 'certificate-only.p12', 'holds no private key'],
    ['with two of them', 'two-keys.p12', 'holds more than one private key'],
    ['with a key that cannot sign', 'ec-p384.p12', 'holds a key that is neither RSA'],
    ['that is not there', 'nowhere.p12', 'cannot be read (ENOENT)'],
    ['that is a folder', '.', 'cannot be read (EISDIR)'],
    ['that is no key', '../trust.ts', 'is neither a PKCS#12 file nor a JWK'],
    ['with public keys only', 'jwks.json', 'holds no private key'],
  ])('stops with one line for a file %s', async (_, name, problem) => {
    const { message, all } = await stopped({ [PATH]: keyFile(name), [PASSWORD_NAME]: PASSWORD });
    expect(message).toContain(`${PATH}: ${keyFile(name)} ${problem}`);
    expect(all).not.toContain(PASSWORD);
  });

  test.each<[string, unknown, string]>([
    ['is incomplete', { kty: 'RSA', d: 'AQAB' }, 'holds a JWK that is incomplete'],
    ['is symmetric', { kty: 'oct', k: 'c2VjcmV0' }, 'holds no private key'],
    [
      'is of an unknown kind',
      { kty: 'XYZ', d: 'AQAB' },
      'holds a JWK that is incomplete or of an unknown kind',
    ],
    ['is JSON of another kind', [1], 'holds no private key'],
    ['is empty', '', 'is neither a PKCS#12 file nor a JWK'],
    ['is too large', 'x'.repeat(2_000_000), 'is larger than 1048576 bytes'],
  ])('stops with one line for a JWK that %s', async (_, content, problem) => {
    const { message } = await stopped({ [PATH]: await fileOf(content) });
    expect(message).toContain(problem);
  });

  test('stops with one line for every PKCS#12 file that was cut or damaged, and never signs with half a key', async () => {
    const whole = await readFile(keyFile('ec-openssl3.p12'));
    const damage = fc.record({
      length: fc.integer({ min: 1, max: whole.length }),
      at: fc.integer({ min: 1, max: whole.length - 1 }),
      byte: fc.integer({ min: 1, max: 255 }),
    });
    const oneLine = fc.asyncProperty(damage, async ({ length, at, byte }) => {
      const damaged = Buffer.from(whole.subarray(0, length));
      if (at < length) damaged[at] = (damaged[at] ?? 0) ^ byte;
      const path = await fileOf(damaged, 'damaged.p12');
      const read = await readSigningKey({ path, password: PASSWORD, kid: '' }).catch(
        (error: unknown) => error,
      );
      if (read instanceof Error)
        expect(read).toMatchObject({ name: 'ConnectorError', code: 'SIGNING_KEY_UNUSABLE' });
      else expect(await resolveWith(localSigner(read as never))).toMatchObject([{ error: null }]);
    });
    await fc.assert(oneLine, { numRuns: 150 });
  });

  test('signs as the settings say, and does not when it is switched off', async () => {
    const env = {
      G2P_BRIDGE_MAPPER_API_URL: spar.url,
      [PATH]: keyFile('ec-openssl3.p12'),
      [PASSWORD_NAME]: PASSWORD,
    };
    const signing = await openConnectors(loadConfig(env));
    expect(await signing.mapper.resolve(REQUESTS, CTX)).toMatchObject([{ error: null }]);
    await signing.close();
    const unsigned = await openConnectors(
      loadConfig({ ...env, G2P_BRIDGE_MAPPER_REQUEST_JWT_ENABLED: 'false' }),
    );
    await expect(unsigned.mapper.resolve(REQUESTS, CTX)).rejects.toMatchObject({ code: 'rjct.jwt.invalid' });
    await unsigned.close();
  });
});
