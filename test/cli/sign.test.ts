import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSignatureCheck } from '../../src/api/partner/signature/check.ts';
import { KeyFile } from '../../src/api/partner/signature/key-file.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { makeKey } from '../support/signing.ts';
import { csvOf, ENVELOPE_OPTIONS, rowFixtures } from './files.ts';
import { type Folder, makeFolder, runCli } from './run.ts';

const rsa = makeKey('cli-rsa');
const ec = makeKey('cli-ec', 'ES256');
const other = makeKey('cli-ec', 'ES256');
const weak = makeKey('weak', 'RS256', 1_024);

let api: TestApi;
let folder: Folder;
let csv: string;

beforeAll(async () => {
  folder = await makeFolder();
  csv = await folder.write('people.csv', csvOf(rowFixtures('signed', 5)));
  const keys = { PARTNER_MINISTRY_1: { keys: [rsa.jwk, ec.jwk] } };
  const path = await folder.write('partners.json', JSON.stringify(keys));
  const source = await KeyFile.open(path, () => {});
  const signatures = createSignatureCheck({ source, algorithms: ['RS256', 'ES256'], clock: systemClock });
  api = await openApi({ signatures });
});
afterAll(async () => {
  await api?.close();
  await folder?.remove();
});

const pem = (key: typeof rsa) => String(key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
const jwk = (key: typeof rsa) =>
  JSON.stringify({ ...key.privateKey.export({ format: 'jwk' }), kid: key.kid });
const at = () => ['--url', api.url, '--retry-for', '0', '--json'];
const asMinistry = ['--sender', 'ministry-1'];
const submit = (...options: string[]) => runCli(['submit', csv, ...ENVELOPE_OPTIONS, ...at(), ...options]);

describe('a server that checks signatures', () => {
  it('refuses a submission that is not signed, or signed by somebody else', async () => {
    const unsigned = await submit(...asMinistry);
    expect([unsigned.code, unsigned.stderr + unsigned.stdout]).toEqual([
      1,
      expect.stringContaining('rjct.jwt.invalid'),
    ]);
    const forged = await submit(...asMinistry, '--sign-key', await folder.write('other.jwk', jwk(other)));
    expect([forged.code, forged.stderr + forged.stdout]).toEqual([
      1,
      expect.stringContaining('rjct.jwt.invalid'),
    ]);
    expect(await api.count('disbursements')).toBe(0);
  });

  it('takes one signed with a JWK, and answers status signed with PEM', async () => {
    const key = await folder.write('ec.jwk', jwk(ec));
    const sent = await submit(...asMinistry, '--sign-key', key);
    expect([sent.code, sent.stderr]).toEqual([0, '']);
    const { envelope_id: id, disbursements_received: received } = JSON.parse(sent.stdout);
    expect(received).toBe(5);
    const rsaKey = await folder.write('rsa.pem', pem(rsa));
    const look = ['status', id, '--once', ...at(), ...asMinistry];
    const seen = await runCli([...look, '--sign-key', rsaKey, '--sign-kid', 'cli-rsa']);
    expect(JSON.parse(seen.stdout)).toMatchObject({ disbursement_envelope_id: id });
    const unsigned = await runCli(look);
    expect([unsigned.code, unsigned.stdout + unsigned.stderr]).toEqual([
      1,
      expect.stringContaining('rjct.jwt.invalid'),
    ]);
  });
});

describe('a key to sign with', () => {
  it.each<[string, () => string | null, string[], string]>([
    ['is not there', () => null, [], 'cannot be read: ENOENT'],
    ['is public', () => JSON.stringify(ec.jwk), [], 'holds no private key'],
    ['is no key', () => 'secret words', ['--sign-kid', 'k'], 'holds no private key'],
    ['is a shared secret', () => '{"kty":"oct","k":"c2VjcmV0","kid":"k"}', [], 'holds no private key'],
    ['is PEM without a name', () => pem(ec), [], 'has no id; say it with --sign-kid'],
    ['is too short', () => pem(weak), ['--sign-kid', 'weak'], 'must be RSA of at least 2048 bits'],
  ])('that %s stops the command before anything is sent', async (_, content, more, sentence) => {
    const text = content();
    const path = text === null ? `${folder.path}/none` : await folder.write('bad', text);
    const { code, stdout, stderr } = await submit('--sign-key', path, ...more);
    expect([code, stdout + stderr]).toEqual([2, expect.stringContaining('SIGN_KEY_UNUSABLE')]);
    expect(stdout + stderr).toContain(sentence);
    expect(stdout + stderr).not.toContain('secret words');
  });

  it('is needed for --sign-kid', async () => {
    const { code, stdout, stderr } = await runCli(['status', 'x', '--url', api.url, '--sign-kid', 'k']);
    expect([code, stdout + stderr]).toEqual([2, expect.stringContaining('--sign-kid needs --sign-key')]);
  });
});

it('a server with a broken file of keys does not start, and says so in one line', async () => {
  const { code, stdout, stderr } = await runCli(['serve'], {
    G2P_BRIDGE_SIGNATURE_VALIDATION_ENABLED: 'true',
    G2P_BRIDGE_PARTNER_JWKS_FILE: await folder.write('broken.json', '{'),
    G2P_BRIDGE_DATA_DIR: folder.path,
  });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/G2P_BRIDGE_PARTNER_JWKS_FILE names a file that is not JSON\./),
  ]);
});
