import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { csvOf, ENVELOPE_OPTIONS, rowFixtures } from '../cli/files.ts';
import { type Folder, makeFolder, type Running, runCli, startCli } from '../cli/run.ts';
import { createDatabase } from '../support/database.ts';
import { startKeyService, type TestKeyService } from '../support/key-service.ts';
import { makeKey } from '../support/signing.ts';
import { until } from '../support/wait.ts';

const first = makeKey('2024', 'ES256');
const second = makeKey('2025');

let keys: TestKeyService;
let folder: Folder;
let server: Running;
let url: string;
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createDatabase('signatures');
  drop = database.drop;
  [keys, folder] = await Promise.all([startKeyService(), makeFolder()]);
  keys.publish('PARTNER_MINISTRY', first);
  server = startCli(['serve', '--json'], {
    DATABASE_URL: database.url,
    G2P_BRIDGE_PORT: '0',
    G2P_BRIDGE_ROLE: 'api',
    G2P_BRIDGE_SIGNATURE_VALIDATION_ENABLED: 'true',
    G2P_BRIDGE_PARTNER_MGMT_API_URL: keys.url,
    G2P_BRIDGE_PARTNER_KEY_REFRESH_COOLDOWN_SECONDS: '1',
    G2P_BRIDGE_PARTNER_REQUESTS_PER_MINUTE: '50',
    G2P_BRIDGE_MT940_UPLOAD_TOKEN: 'token-of-the-bank',
  });
  await until('the server is ready', () => {
    url = /"url":"([^"]+)"/.exec(server.stdout())?.[1] ?? '';
    return url !== '';
  });
});
afterAll(async () => {
  server?.child.kill('SIGTERM');
  await server?.ended;
  await keys?.close();
  await folder?.remove();
  await drop?.();
});

/** Submits three disbursements, signed so or not at all. */
async function submit(run: string, ...options: string[]) {
  const file = await folder.write(`${run}.csv`, csvOf(rowFixtures(run, 3)));
  const to = ['--url', url, '--sender', 'ministry', '--retry-for', '0', '--json'];
  return runCli(['submit', file, ...ENVELOPE_OPTIONS, '--cycle-mnemonic', run, ...to, ...options]);
}

const keyFile = (key: typeof first): string[] => {
  const path = `${folder.path}/${key.kid}.pem`;
  writeFileSync(path, key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return ['--sign-key', path, '--sign-kid', key.kid];
};

it('a server with signatures takes what a partner has signed, before and after it changes its key', async () => {
  const unsigned = await submit('unsigned');
  expect([unsigned.code, unsigned.stdout + unsigned.stderr]).toEqual([
    1,
    expect.stringContaining('rjct.jwt.invalid'),
  ]);
  expect(await submit('old', ...keyFile(first))).toMatchObject({ code: 0, stderr: '' });
  expect(await submit('unknown', ...keyFile(second))).toMatchObject({ code: 1 });
  keys.publish('PARTNER_MINISTRY', second);
  await until('the new key is known', async () => (await submit('new', ...keyFile(second))).code === 0);
  expect(await submit('withdrawn', ...keyFile(first))).toMatchObject({ code: 1 });
  const log = server.stdout();
  expect(log).toContain('"claimed_partner":"PARTNER_MINISTRY"');
  expect(log).not.toMatch(/Almaz Bekele|July support|BEN-/);
});

it('and wants the token of uploads, and limits what it takes', async () => {
  const upload = async (authorization: string) => {
    const form = new FormData();
    form.append('statement_file', new Blob(['no MT940']), 's.sta');
    return (await fetch(`${url}/upload_mt940`, { method: 'POST', headers: { authorization }, body: form }))
      .status;
  };
  expect(await upload('Bearer wrong')).toBe(401);
  expect(await upload('Bearer token-of-the-bank')).toBe(200);
  await until('the address has had its share', async () => (await upload('Bearer wrong')) === 429);
});
