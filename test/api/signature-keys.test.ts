import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyFile } from '../../src/api/partner/signature/key-file.ts';
import { KeyService } from '../../src/api/partner/signature/key-service.ts';
import { KeysUnavailableError } from '../../src/api/partner/signature/key-source.ts';
import { type Folder, makeFolder } from '../cli/run.ts';
import { json } from '../connectors/http-servers.ts';
import { startKeyService, type TestKeyService } from '../support/key-service.ts';
import { makeKey, type SigningKey } from '../support/signing.ts';
import { gate } from '../support/wait.ts';

const PARTNER = 'PARTNER_PBMS';
const SECOND_MS = 1_000;

const old = makeKey('k-1', 'ES256');
const next = makeKey('k-2', 'ES256');

describe('the key service', () => {
  let service: TestKeyService;
  let source: KeyService;
  let nowMs = 0;
  const warned: string[] = [];

  beforeEach(async () => {
    nowMs = Date.parse('2025-06-01T10:00:00Z');
    warned.length = 0;
    service = await startKeyService();
    service.publish(PARTNER, old);
    source = open(service.url);
  });
  afterEach(async () => {
    await source.close();
    await service.close();
  });

  const open = (apiUrl: string, requestTimeoutMs = 2_000) =>
    new KeyService({
      apiUrl,
      requestTimeoutMs,
      freshMs: 300 * SECOND_MS,
      staleMs: 3_600 * SECOND_MS,
      missingMs: 30 * SECOND_MS,
      cooldownMs: 10 * SECOND_MS,
      clock: { now: () => new Date(nowMs) },
      warn: (_fields, sentence) => warned.push(sentence),
    });
  const pass = (seconds: number) => {
    nowMs += seconds * SECOND_MS;
  };
  /** The names of the keys that are found; null when it cannot be said. */
  const kids = async (kid: string | null = null, partner = PARTNER) => {
    try {
      return (await source.keysOf(partner, kid)).keys.map((key) => key.kid);
    } catch (error) {
      if (error instanceof KeysUnavailableError) return null;
      throw error;
    }
  };
  const asked = () => service.received.length;

  it('is asked once in the time for which keys are fresh', async () => {
    expect(await kids('k-1')).toEqual(['k-1']);
    service.publish(PARTNER, next);
    pass(299);
    expect([await kids('k-1'), asked()]).toEqual([['k-1'], 1]);
    pass(1);
    expect([await kids('k-1'), asked()]).toEqual([['k-2'], 2]);
  });

  it.each([
    ['public, max-age=60', 60],
    ['max-age=1', 30],
    ['max-age=86400', 300],
    ['no-cache', 300],
  ])('may say how long its keys hold, within bounds: %s', async (header, seconds) => {
    service.cacheControl = header;
    await kids();
    pass(seconds - 1);
    await kids();
    expect(asked()).toBe(1);
    pass(1);
    await kids();
    expect(asked()).toBe(2);
  });

  it('is asked at once for a key that is not known yet, but not all the time', async () => {
    await kids('k-1');
    service.publish(PARTNER, old, next);
    pass(11);
    expect([await kids('k-2'), asked()]).toEqual([['k-1', 'k-2'], 2]);
    for (let i = 0; i < 5; i += 1) await kids('made-up');
    pass(11);
    for (let i = 0; i < 5; i += 1) await kids('made-up');
    expect(asked()).toBe(3);
  });

  it('is asked once for requests that come together', async () => {
    const { opened, open: release } = gate();
    service.answers(async (response) => {
      await opened;
      json(response, 200, { keys: [old.published] });
    });
    const all = Promise.all(Array.from({ length: 50 }, () => kids('k-1')));
    release();
    expect(await all).toEqual(Array(50).fill(['k-1']));
    expect(asked()).toBe(1);
  });

  it('is not asked again for a while about a partner that has no keys', async () => {
    expect(await kids(null, 'PARTNER_NOBODY')).toEqual([]);
    pass(29);
    expect(await kids('k-1', 'PARTNER_NOBODY')).toEqual([]);
    expect(asked()).toBe(1);
    service.publish('PARTNER_NOBODY', old);
    pass(1);
    expect(await kids('k-1', 'PARTNER_NOBODY')).toEqual(['k-1']);
  });

  it('ends a partner at once when it no longer publishes its keys', async () => {
    await kids();
    service.publish(PARTNER);
    pass(300);
    expect(await kids()).toEqual([]);
  });

  const failures: [string, Parameters<TestKeyService['answers']>[0]][] = [
    ['fails', (response) => json(response, 500, { error: 'Secret' })],
    ['hangs up', (response) => response.destroy()],
    ['answers garbage', (response) => response.end('<html>')],
    ['answers with no list', (response) => json(response, 200, { keys: 'none' })],
    [
      'answers with too many keys',
      (response) => json(response, 200, { keys: Array(101).fill(old.published) }),
    ],
    ['answers without end', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`)],
  ];

  it.each(failures)('that %s leaves the keys there are in use, for a while', async (_, answer) => {
    await kids();
    service.answers(answer);
    pass(300);
    expect([await kids(), asked()]).toEqual([['k-1'], 2]);
    expect(warned.at(-1)).toMatch(/^The key service did not say what keys PARTNER_PBMS has: /);
    expect(warned.join()).not.toContain('Secret');
    await kids();
    expect(asked()).toBe(2);
    pass(10);
    await kids();
    expect(asked()).toBe(3);
    pass(3_300);
    expect(await kids()).toBeNull();
    service.answers(null);
    pass(10);
    expect(await kids()).toEqual(['k-1']);
  });

  it.each(failures)(
    'that %s says nothing about a partner it was not asked about before',
    async (_, answer) => {
      service.answers(answer);
      expect(await kids()).toBeNull();
      expect(await kids()).toBeNull();
      expect(asked()).toBe(1);
      service.answers(null);
      pass(10);
      expect(await kids()).toEqual(['k-1']);
    },
  );

  it('that is slow or not there is waited for no longer than allowed', async () => {
    service.answers(() => {});
    source = open(service.url, 100);
    expect(await kids()).toBeNull();
    expect(warned.at(-1)).toContain('no complete answer within 100 ms');
    await service.close();
    pass(10);
    expect(await kids()).toBeNull();
    service = await startKeyService();
  });

  it('is believed about each key by itself', async () => {
    const weak = makeKey('weak', 'RS256', 1_024);
    const certificate = makeKey('k-3');
    const others: Record<string, unknown>[] = [
      weak.published,
      { kid: 'no-pem', public_key: 'nonsense' },
      { kid: 'other-alg', algorithm: 'PS256', public_key: certificate.published.public_key },
      { ...old.jwk, kid: 'encrypts', use: 'enc' },
      { kid: 'private', ...old.privateKey.export({ format: 'jwk' }) },
      { kid: 'p-384', kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' },
      { kid: 'hmac', kty: 'oct', k: 'c2VjcmV0' },
      { kid: 'dated', ...old.published, not_before: 'tomorrow' },
    ];
    service.answers((response) => json(response, 200, { keys: [...others, old.jwk, certificate.published] }));
    const found = await source.keysOf(PARTNER, 'k-1');
    expect(found.keys.map(({ kid, alg }) => [kid, alg])).toEqual([
      ['k-1', 'ES256'],
      ['k-3', 'RS256'],
    ]);
    expect(found.unusable).toHaveLength(others.length);
    expect(found.unusable[0]).toEqual({ kid: 'weak', why: 'has fewer than 2048 bits' });
    expect(warned).toHaveLength(others.length);
  });

  it('keeps the keys of a partner however many names are made up', async () => {
    await kids();
    for (let i = 0; i < 1_200; i += 1) await kids(null, `PARTNER_${i}`);
    const before = asked();
    await kids();
    expect(asked()).toBe(before);
    await kids(null, 'PARTNER_1199');
    expect(asked()).toBe(before);
    await kids(null, 'PARTNER_0');
    expect(asked()).toBe(before + 1);
  });

  it('is asked again when the clock has been put back', async () => {
    await kids();
    pass(-7_200);
    await kids();
    expect(asked()).toBe(2);
  });
});

describe('a file of keys', () => {
  let folder: Folder;
  const warned: string[] = [];
  beforeAll(async () => {
    folder = await makeFolder();
  });
  afterAll(() => folder.remove());
  afterEach(() => {
    warned.length = 0;
  });

  const jwks = (...keys: readonly SigningKey[]) => ({ keys: keys.map(({ jwk }) => jwk) });
  const open = (path: string) => KeyFile.open(path, (_fields, sentence) => warned.push(sentence));
  const kids = async (file: KeyFile, partner = PARTNER) =>
    (await file.keysOf(partner)).keys.map(({ kid }) => kid);

  it('takes the keys of a partner that has a hundred', async () => {
    const many = { [PARTNER]: jwks(...Array<SigningKey>(100).fill(old)) };
    const file = await open(await folder.write('many.json', JSON.stringify(many)));
    expect(await kids(file)).toHaveLength(100);
  });

  it('has the keys of each partner', async () => {
    const content = { [PARTNER]: jwks(old, next), PARTNER_PSP: { keys: [makeKey('pem').published] } };
    const file = await open(await folder.write('keys.json', JSON.stringify(content)));
    expect(await kids(file)).toEqual(['k-1', 'k-2']);
    expect(await kids(file, 'PARTNER_PSP')).toEqual(['pem']);
    expect(await kids(file, 'PARTNER_OTHER')).toEqual([]);
    expect(await kids(file, '__proto__')).toEqual([]);
  });

  it('is read again when it has changed, also when it has been replaced', async () => {
    const path = await folder.write('changing.json', JSON.stringify({ [PARTNER]: jwks(old) }));
    const file = await open(path);
    expect(await kids(file)).toEqual(['k-1']);
    await writeFile(path, JSON.stringify({ [PARTNER]: jwks(old, next) }));
    expect(await kids(file)).toEqual(['k-1', 'k-2']);
    await rename(await folder.write('new.json', JSON.stringify({ [PARTNER]: jwks(next) })), path);
    expect(await kids(file)).toEqual(['k-2']);
  });

  it('keeps the keys it had when it breaks, and says so once', async () => {
    const path = await folder.write('breaking.json', JSON.stringify({ [PARTNER]: jwks(old) }));
    const file = await open(path);
    await writeFile(path, '{');
    expect([await kids(file), await kids(file)]).toEqual([['k-1'], ['k-1']]);
    expect(warned).toEqual([`${path} is not JSON; the keys it had stay in use.`]);
    await rm(path);
    expect(await kids(file)).toEqual(['k-1']);
    expect(warned.at(-1)).toContain('cannot be read');
    await writeFile(path, JSON.stringify({ [PARTNER]: jwks(next) }));
    expect(await kids(file)).toEqual(['k-2']);
  });

  const weak = makeKey('weak', 'RS256', 1_024);
  it.each<[string, string | null, string]>([
    ['is not there', null, 'cannot be read: ENOENT'],
    ['is no JSON', 'PARTNER_PBMS', 'is not JSON'],
    ['is a list', '[]', 'is not a JSON object of JWKS by partner'],
    ['is one JWKS for all', JSON.stringify(jwks(old)), 'has keys of "keys"; partners are called PARTNER_'],
    ['has no JWKS', '{"PARTNER_PBMS":[]}', 'has no JWKS of at most 100 keys for "PARTNER_PBMS"'],
    [
      'has a weak key',
      JSON.stringify({ [PARTNER]: jwks(weak) }),
      'has the key "weak" of "PARTNER_PBMS" that has fewer',
    ],
    [
      'has a private key',
      JSON.stringify({ [PARTNER]: { keys: [old.privateKey.export({ format: 'jwk' })] } }),
      'has a key of "PARTNER_PBMS" that is no public key',
    ],
    ['is too large', JSON.stringify({ x: 'x'.repeat(4 * 1024 * 1024) }), 'has more than 4194304 bytes'],
  ])('that %s is refused at the start', async (_, content, problem) => {
    const path = content === null ? join(folder.path, 'none.json') : await folder.write('bad.json', content);
    await expect(open(path)).rejects.toMatchObject({
      code: 'PARTNER_KEY_FILE_UNUSABLE',
      message: expect.stringContaining(problem),
    });
  });
});
