import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bankConnectorSettings,
  geoResolverSettings,
  loadConfig,
  mapperConnectorSettings,
  notificationConnectorSettings,
  pbmsSettings,
} from '../../src/config.ts';
import {
  loadAgencyAllocator,
  loadBankConnectors,
  loadGeoResolvers,
  loadMapperConnector,
  loadNotificationConnector,
  loadWarehouseAllocator,
} from '../../src/connectors/load.ts';
import { openReadOnly } from '../../src/connectors/read-only-database.ts';

const run = promisify(execFile);
const NOWHERE = 'postgresql://127.0.0.1:1/nowhere';
const CONFIG = loadConfig({ G2P_BRIDGE_DB_DATASOURCE_REGISTRY: NOWHERE });
const BANK_SETTINGS = bankConnectorSettings(CONFIG);
const MAPPER_SETTINGS = mapperConnectorSettings(CONFIG);
const CTX = { signal: new AbortController().signal };

const BANK = `export function createBankConnector(settings) {
  return {
    blockIsIdempotent: false,
    checkFunds: async () => ({ available: settings.options.available }),
    blockFunds: async () => ({ outcome: 'refused', code: settings.bankCode, message: 'no' }),
    initiatePayment: async () => ({ outcome: 'accepted' }),
    reconciliationId: (entry) => entry.bankReference ?? '',
    reversalReason: () => '',
  };
}`;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connectors-'));
  await put('bank.mjs', BANK);
  await put('typed.ts', `const later: Promise<void> = Promise.resolve();\n${BANK}\nawait later;`);
  await put(
    'node_modules/@acme/bank/package.json',
    '{"name":"@acme/bank","exports":{"import":"./main.mjs"}}',
  );
  await put('node_modules/@acme/bank/main.mjs', BANK);
  await put('mapper.mjs', 'export const createMapperConnector = async () => ({ resolve: async () => [] });');
  await put(
    'registry.mjs',
    `export const createGeoResolver = ({ targetRegistry, options }) => ({
      resolve: async ([beneficiaryId]) => [{ beneficiaryId, name: targetRegistry + options.suffix }],
    });`,
  );
  const allocator =
    'async ({ pbmsUrl }) => ({ candidates: async () => new Map(), choose: (zone, [one]) => pbmsUrl ?? one })';
  await put(
    'allocators.mjs',
    `export const createWarehouseAllocator = ${allocator}; export const createAgencyAllocator = ${allocator};`,
  );
  await put('unchoosing.mjs', 'export const createAgencyAllocator = () => ({ candidates() {}, choose: 1 });');
  await put(
    'notifier.mjs',
    'export const createNotificationConnector = ({ bulkMax }) => ({ bulkMax, send: async () => [] });',
  );
  await put('limitless.mjs', 'export const createNotificationConnector = () => ({ send: async () => [] });');
  await put('empty.mjs', 'export const nothing = 1;');
  await put('syntax.mjs', 'export const = 1;');
  await put(
    'throws.mjs',
    'export function createBankConnector() { throw new Error("no licence\\nsecond line"); }',
  );
  await put('number.mjs', 'export const createBankConnector = () => 5;');
  await put('partial.mjs', `${BANK.replace('initiatePayment', 'pay')}`);
  await put('flagless.mjs', `${BANK.replace('blockIsIdempotent: false,', '')}`);
  await put(
    'wrong.mjs',
    `${BANK.replace('blockIsIdempotent: false,', 'blockIsIdempotent: false, inquirePayment: true,')}`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, text: string): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function load(module: string, options: Record<string, unknown> = {}) {
  return loadBankConnectors({ 'MY-BANK': { module, options } }, BANK_SETTINGS, folder);
}

describe('a bank connector', () => {
  test.each(['./bank.mjs', './typed.ts', '@acme/bank'])('is loaded from %s', async (module) => {
    const bank = (await load(module, { available: true })).get('MY-BANK');
    const account = { accountNumber: '1', accountType: null, branchCode: null, currency: 'USD', amount: '1' };
    expect(await bank?.checkFunds(account, CTX)).toEqual({ available: true });
    expect(await bank?.blockFunds({ ...account, idempotencyKey: 'k' }, CTX)).toMatchObject({
      code: 'MY-BANK',
    });
  });

  test('is loaded from an absolute path', async () => {
    expect([...(await load(join(folder, 'bank.mjs'))).keys()]).toEqual(['MY-BANK']);
  });

  // In a process of its own, as the test runner has its own way with imports.
  test('is found whatever the working directory is called', async () => {
    await put(
      'a #%20 b/node_modules/@acme/bank/package.json',
      '{"name":"@acme/bank","exports":{"import":"./main.mjs"}}',
    );
    await put('a #%20 b/node_modules/@acme/bank/main.mjs', BANK);
    await put('a #%20 b/bank.mjs', BANK);
    const loader = new URL('../../src/connectors/load.ts', import.meta.url).href;
    const script = `
      const { loadBankConnectors } = await import(${JSON.stringify(loader)});
      const impls = { A: { module: './bank.mjs', options: {} }, B: { module: '@acme/bank', options: {} } };
      console.log([...(await loadBankConnectors(impls, {})).keys()].join());`;
    const args = ['--input-type=module', '--eval', script];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: join(folder, 'a #%20 b') });
    expect({ stdout, stderr }).toEqual({ stdout: 'A,B\n', stderr: '' });
  });

  test('may be the built-in one, which the default configuration names', async () => {
    const banks = await loadBankConnectors(CONFIG.bank_connectors_impls, BANK_SETTINGS);
    const bank = banks.get('EXAMPLE-BANK');
    expect(bank?.blockIsIdempotent).toBe(true);
    await bank?.close?.();
  });

  test.each([
    ['./missing.mjs', 'cannot be imported: Cannot find module'],
    ['not-installed', "cannot be imported: Cannot find module 'not-installed'."],
    ['./syntax.mjs', 'cannot be imported: '],
    ['./empty.mjs', 'exports no function createBankConnector'],
    ['./throws.mjs', 'failed in createBankConnector: no licence.'],
    ['./number.mjs', 'returned no object from createBankConnector'],
    ['./partial.mjs', 'made a connector without initiatePayment()'],
    ['./flagless.mjs', 'made a connector whose blockIsIdempotent is not true or false'],
    ['./wrong.mjs', 'made a connector whose inquirePayment is not a function'],
    ['spar', 'exports no function createBankConnector'],
  ])('named %s is refused in one line that names setting, module and reason', async (module, reason) => {
    const error = await load(module).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CONNECTOR_NOT_LOADED', retryable: false });
    const { message } = error as Error;
    expect(
      message.startsWith(`G2P_BRIDGE_BANK_CONNECTORS_IMPLS (MY-BANK): "${module}" ${reason}`),
      message,
    ).toBe(true);
    expect(message).not.toContain('\n');
  });
});

describe('the mapper connector', () => {
  test('is loaded from a file', async () => {
    expect(
      await (await loadMapperConnector('./mapper.mjs', MAPPER_SETTINGS, folder)).resolve([], CTX),
    ).toEqual([]);
  });

  test('may be the built-in one, which the default configuration names', async () => {
    const mapper = await loadMapperConnector(CONFIG.mapper_connector_impl, MAPPER_SETTINGS);
    expect(await mapper.resolve([], CTX)).toEqual([]);
    await mapper.close?.();
  });

  test('that is none is refused in one line', async () => {
    await expect(loadMapperConnector('./empty.mjs', MAPPER_SETTINGS, folder)).rejects.toThrow(
      /^G2P_BRIDGE_MAPPER_CONNECTOR_IMPL: ".\/empty.mjs" exports no function createMapperConnector\.$/,
    );
  });
});

describe('a geo resolver', () => {
  const settings = geoResolverSettings(CONFIG);

  test('is loaded from a file, for a target registry whose case does not matter', async () => {
    const impls = { Households: { module: './registry.mjs', options: { suffix: '!' } } };
    const resolvers = await loadGeoResolvers(impls, settings, folder);
    expect([...resolvers.keys()]).toEqual(['households']);
    expect(await resolvers.get('households')?.resolve(['B-1'], CTX)).toEqual([
      { beneficiaryId: 'B-1', name: 'households!' },
    ]);
  });

  test('may be the built-in one, which the default configuration names', async () => {
    const resolvers = await loadGeoResolvers(CONFIG.geo_resolvers_impls, settings);
    expect([...resolvers.keys()]).toEqual(['farmer_registry', 'farmer']);
    expect(await resolvers.get('farmer')?.resolve([], CTX)).toEqual([]);
    for (const resolver of resolvers.values()) await resolver.close?.();
  });

  test.each([
    ['./empty.mjs', 'exports no function createGeoResolver.'],
    ['farmer-registry', 'failed in createGeoResolver: the farmer registry needs db_datasource_registry.'],
  ])('named %s is refused in one line when it is none', async (module, reason) => {
    const loading = loadGeoResolvers(
      { farmer: { module, options: {} } },
      { ...settings, databaseUrl: null },
      folder,
    );
    await expect(loading).rejects.toMatchObject({
      code: 'CONNECTOR_NOT_LOADED',
      message: `G2P_BRIDGE_GEO_RESOLVERS_IMPLS (farmer): "${module}" ${reason}`,
    });
  });
});

describe.each([
  ['WAREHOUSE', loadWarehouseAllocator, CONFIG.warehouse_allocator_impl],
  ['AGENCY', loadAgencyAllocator, CONFIG.agency_allocator_impl],
] as const)('an allocator (%s)', (kind, loadAllocator, builtIn) => {
  const zone = { id: '1', mnemonic: 'Z-1' };
  const request = {
    programId: '1',
    programMnemonic: 'P',
    benefitCodeId: '1',
    benefitCodeMnemonic: 'B',
    zones: [],
  };

  test('is loaded from a file', async () => {
    const settings = { pbmsUrl: NOWHERE, pbms: null, options: {} };
    const allocator = await loadAllocator('./allocators.mjs', settings, folder);
    expect(await allocator.candidates({ ...request, zones: [zone] }, CTX)).toEqual(new Map());
    expect(allocator.choose?.(zone, [], new Map())).toBe(NOWHERE);
  });

  test('may be the built-in one, which the default configuration names', async () => {
    const pbms = openReadOnly(pbmsSettings(CONFIG, NOWHERE));
    const allocator = await loadAllocator(builtIn, { pbmsUrl: NOWHERE, pbms, options: {} });
    expect(await allocator.candidates(request, CTX)).toEqual(new Map());
    await expect(allocator.candidates({ ...request, zones: [zone] }, CTX)).rejects.toMatchObject({
      code: 'PBMS_UNAVAILABLE',
    });
    await pbms.close();
  });

  test.each([
    ['./empty.mjs', 'exports no function create'],
    ['pbms', 'failed in create'],
  ])('named %s is refused in one line when it is none', async (module, reason) => {
    await expect(
      loadAllocator(module, { pbmsUrl: null, pbms: null, options: {} }, folder),
    ).rejects.toMatchObject({
      code: 'CONNECTOR_NOT_LOADED',
      message: expect.stringMatching(`^G2P_BRIDGE_${kind}_ALLOCATOR_IMPL: "${module}" ${reason}.*\\.$`),
    });
  });
});

test('an allocator whose way of choosing is not a function is refused', async () => {
  await expect(
    loadAgencyAllocator('./unchoosing.mjs', { pbmsUrl: null, pbms: null, options: {} }, folder),
  ).rejects.toThrow('"./unchoosing.mjs" made a connector whose choose is not a function.');
});

describe('the notification connector', () => {
  const settings = notificationConnectorSettings(CONFIG);

  test('is loaded from a file', async () => {
    const notifier = await loadNotificationConnector('./notifier.mjs', settings, folder);
    expect([notifier.bulkMax, await notifier.send([], CTX)]).toEqual([100, []]);
  });

  test('may be the built-in one, which the default configuration names', async () => {
    const notifier = await loadNotificationConnector(CONFIG.notification_connector_impl, settings);
    expect([notifier.bulkMax, await notifier.send([], CTX)]).toEqual([100, []]);
    await notifier.close?.();
  });

  test.each([
    ['./empty.mjs', 'exports no function createNotificationConnector.'],
    ['./limitless.mjs', 'made a connector whose bulkMax is not a whole number from 1.'],
  ])('named %s is refused in one line when it is none', async (module, reason) => {
    await expect(loadNotificationConnector(module, settings, folder)).rejects.toMatchObject({
      code: 'CONNECTOR_NOT_LOADED',
      message: `G2P_BRIDGE_NOTIFICATION_CONNECTOR_IMPL: "${module}" ${reason}`,
    });
  });
});
