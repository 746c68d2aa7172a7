import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type {
  Allocator,
  GeoResolver,
  MapperConnector,
  NotificationConnector,
} from '../../src/connectors/index.ts';
import {
  allocatorContract,
  type ContractCheck,
  geoResolverContract,
  mapperConnectorContract,
  notificationConnectorContract,
  runContract,
  startFaultyProxy,
  unusedUrl,
} from '../../src/testing/index.ts';
import { json, startHttpServer } from '../connectors/http-servers.ts';
import { type AuthorsFolder, authorsFolder } from '../support/kit.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Block {
  readonly language: string;
  readonly code: string;
}

let folder: AuthorsFolder;
let blocks: readonly Block[];
beforeAll(async () => {
  const page = await readFile(join(ROOT, 'docs/connectors.md'), 'utf8');
  blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
  folder = await authorsFolder();
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
  await copyFile(
    join(ROOT, 'examples/acme-bank-connector/tsconfig.json'),
    join(folder.path, 'tsconfig.json'),
  );
  for (const code of codeIn('js')) {
    const path = join(folder.path, /^\/\/ (\S+\.js)\n/.exec(code)?.[1] ?? 'nameless');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
  await copyFile(join(ROOT, 'test/testing/small-bank.js'), join(folder.path, 'test/small-bank.js'));
});
afterAll(() => folder?.remove());

const codeIn = (wanted: string): string[] =>
  blocks.filter(({ language }) => language === wanted).map(({ code }) => code);

/** Makes a connector by a module of the page. */
async function make<T>(file: string, factory: string, settings: object): Promise<T> {
  const module = await import(pathToFileURL(join(folder.path, file)).href);
  return module[factory](settings);
}

async function failed(checks: readonly ContractCheck[]): Promise<readonly string[]> {
  const results = await runContract(checks);
  return results.flatMap(({ id, outcome, reason }) => (outcome === 'failed' ? [`${id}: ${reason}`] : []));
}

describe('the page about connectors', () => {
  test('has no code that is not tried here', () => {
    const languages = blocks.map(({ language }) => language);
    expect(new Set(languages)).toEqual(new Set(['js', 'sh', 'text']));
    expect(codeIn('js').every((code) => /^\/\/ \S+\.js\n/.test(code))).toBe(true);
  });

  test('shows code that has the types of the ports', async () => {
    const all = { extends: './tsconfig.json', include: ['src', 'test', 'other'] };
    await writeFile(join(folder.path, 'all.json'), JSON.stringify(all));
    expect(await folder.run('tsc', ['-p', 'all.json'])).toEqual({ code: 0, output: '' });
  });

  test('shows a bank connector that keeps the contract', { timeout: 90_000 }, async () => {
    const args = ['--test', '--test-reporter', 'tap', 'test/contract.test.js'];
    const { code, output } = await folder.run('node', args);
    expect(output.split('\n').filter((line) => line.startsWith('not ok'))).toEqual([]);
    expect(code).toBe(0);
    expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(50);
  });

  test('shows what a broken rule says', async () => {
    const [message = ''] = codeIn('text');
    const kit = await readFile(join(ROOT, 'src/testing/bank/payments.ts'), 'utf8');
    const [rule = '', , , remedy = ''] = message.split('\n').map((line) => line.replace(/^ +to do: /, ''));
    expect(kit).toContain(rule);
    expect(kit).toContain(remedy);
  });

  test('shows settings that the server takes', () => {
    const lines = codeIn('sh').join('').trim().split('\n');
    const env = Object.fromEntries(
      lines.map((line) => [line.split('=', 1)[0], line.replace(/^.*?='(.*)'$/, '$1')]),
    );
    expect(loadConfig(env).bank_connectors_impls).toMatchObject({ ACME: { module: 'acme-bank-connector' } });
  });

  test('shows a geo resolver and an allocator that keep their contracts', async () => {
    const zone = (id: string) => ({ id, mnemonic: `Z-${id}` });
    const lives = { largeZone: zone('1'), smallZone: zone('11'), name: 'Asha' };
    const geo = geoResolverContract({
      connect: () =>
        make<GeoResolver>('other/geo.js', 'createGeoResolver', { options: { people: { 'BEN-1': lives } } }),
      known: () => [{ beneficiaryId: 'BEN-1', ...lives, phone: null, email: null }],
    });
    expect(await failed(geo)).toEqual([]);
    const candidate = {
      id: '5',
      mnemonic: 'W',
      name: null,
      adminName: null,
      adminEmail: null,
      adminPhone: null,
    };
    const byZone = { 1: [{ ...candidate, additionalAttributes: null }] };
    const allocator = allocatorContract({
      connect: () =>
        make<Allocator>('other/warehouses.js', 'createWarehouseAllocator', { options: { byZone } }),
      served: () => ({
        programId: '1',
        programMnemonic: 'P',
        benefitCodeId: '1',
        benefitCodeMnemonic: 'B',
        zones: [zone('1')],
      }),
      unserved: () => zone('2'),
    });
    expect(await failed(allocator)).toEqual([]);
  });

  test('shows a mapper connector that keeps its contract', { timeout: 60_000 }, async () => {
    const known = new Map<string, string>();
    const server = await startHttpServer(({ body }, response) => {
      const ids: string[] = JSON.parse(body);
      json(response, 200, Object.fromEntries(ids.map((id) => [id, known.get(id)])));
    });
    const proxy = await startFaultyProxy(server.url, () => 'resolve' as const);
    const connect = (apiUrl: string, requestTimeoutMs: number) =>
      make<MapperConnector>('other/mapper.js', 'createMapperConnector', { apiUrl, requestTimeoutMs });
    const checks = mapperConnectorContract({
      requestTimeoutMs: 500,
      connect: (limits) => connect(proxy.url, limits.requestTimeoutMs),
      connectNowhere: async (limits) => connect(await unusedUrl(), limits.requestTimeoutMs),
      misbehave: (fault) => proxy.misbehave('resolve', fault),
      address: (n) => `address ${n}`,
      link(fa) {
        known.set(`BEN-${known.size}`, fa);
        return `BEN-${known.size - 1}`;
      },
    });
    expect(await failed(checks)).toEqual([]);
    await proxy.close();
    await server.close();
  });

  test('shows a notification connector that keeps its contract', { timeout: 60_000 }, async () => {
    const taken = new Set<string>();
    const server = await startHttpServer(({ path, body }, response) => {
      const bad = JSON.parse(body).recipient.subscriberId === 'bad';
      if (!bad) taken.add(path.split('/').at(-1) ?? '');
      response.writeHead(bad ? 422 : 204).end();
    });
    const proxy = await startFaultyProxy(server.url, () => 'send' as const);
    const connect = (apiUrl: string, requestTimeoutMs: number) =>
      make<NotificationConnector>('other/notifier.js', 'createNotificationConnector', {
        apiUrl,
        bulkMax: 3,
        requestTimeoutMs,
      });
    let notes = 0;
    const noteTo = (subscriberId: string) => {
      notes += 1;
      const recipient = { subscriberId, name: 'Asha Devi', email: null, phone: null };
      return {
        notificationId: `note-${notes}`,
        type: 'AGENCY_NOTIFICATION' as const,
        recipient,
        payload: {},
      };
    };
    const checks = notificationConnectorContract({
      requestTimeoutMs: 500,
      connect: (limits) => connect(proxy.url, limits.requestTimeoutMs),
      connectNowhere: async (limits) => connect(await unusedUrl(), limits.requestTimeoutMs),
      misbehave: (fault) => proxy.misbehave('send', fault),
      notification: () => noteTo('good'),
      unacceptable: () => noteTo('bad'),
      delivered: (id) => Number(taken.has(id)),
    });
    expect(await failed(checks)).toEqual([]);
    await proxy.close();
    await server.close();
  });
});
