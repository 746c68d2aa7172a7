import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWarehouseAllocator } from '../../src/connectors/allocation/pbms-warehouse.ts';
import { createGeoResolver } from '../../src/connectors/geo/farmer-registry.ts';
import type { MapperConnector } from '../../src/connectors/mapper/mapper-connector.ts';
import { createMapperConnector } from '../../src/connectors/mapper/spar.ts';
import type { Notification } from '../../src/connectors/notification/notification-connector.ts';
import { openReadOnly } from '../../src/connectors/read-only-database.ts';
import {
  type AllocatorHarness,
  allocatorContract,
  type ContractCheck,
  type FaultyProxy,
  type GeoHarness,
  geoResolverContract,
  type MapperHarness,
  mapperConnectorContract,
  type NotificationHarness,
  notificationConnectorContract,
  runContract,
  startFaultyProxy,
  unusedUrl,
} from '../../src/testing/index.ts';
import { novuAt } from '../connectors/novu-notes.ts';
import { get, post } from '../simulators/fixtures.ts';
import { createDatabase } from '../support/database.ts';
import { createPbms } from '../support/pbms-tables.ts';
import { startNovu, startSpar } from '../support/simulators.ts';

const LIMITS = { connectTimeoutMs: 500, responseBytesMax: 1_000_000, connectionsMax: 4 };
const NOWHERE = 'postgresql://127.0.0.1:1/nowhere';

const started: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const stop of started.reverse()) await stop();
});

/** Starts something for the tests of this file. */
function keep<T>(one: T, stop: (one: T) => Promise<unknown>): T {
  started.push(() => stop(one));
  return one;
}

function holds(checks: readonly ContractCheck[]): void {
  for (const check of checks) test.skipIf(check.skipped !== null)(check.name, check.run);
}

describe('the connector to SPAR keeps the contract', () => {
  let proxy: FaultyProxy<'resolve'>;
  let spar: { readonly url: string };
  beforeAll(async () => {
    const database = keep(await createDatabase('spar'), (one) => one.drop());
    spar = keep(await startSpar({ databaseUrl: database.url }), (one) => one.stop());
    proxy = keep(await startFaultyProxy(spar.url, () => 'resolve' as const), (one) => one.close());
  });

  const connectorAt = (apiUrl: string, requestTimeoutMs: number) =>
    createMapperConnector({ ...LIMITS, apiUrl, requestTimeoutMs, senderId: 'kit' });
  const harness: MapperHarness = {
    requestTimeoutMs: 500,
    connect: ({ requestTimeoutMs }) => connectorAt(proxy.url, requestTimeoutMs),
    connectNowhere: async ({ requestTimeoutMs }) => connectorAt(await unusedUrl(), requestTimeoutMs),
    misbehave: (fault) => proxy.misbehave('resolve', fault),
    address: (n) =>
      `email_address:a${n}@example.org.wallet_provider_name:P.wallet_provider_code:P1.fa_type:EMAIL_WALLET`,
    async link(fa) {
      const id = `ben-${randomUUID()}`;
      const email = /^email_address:(.*?)\.wallet/.exec(fa)?.[1];
      const wallet = { wallet_provider_name: 'P', wallet_provider_code: 'P1' };
      const links = [{ id, fa_type: 'EMAIL_WALLET', email_address: email, ...wallet }];
      expect(await post(spar.url, '/_admin/links', links)).toMatchObject({ status: 200 });
      return id;
    },
  };
  holds(mapperConnectorContract(harness));

  test.each<[string, (honest: MapperConnector) => MapperConnector['resolve'], readonly string[]]>([
    [
      'answers in another order',
      (honest) => async (requests, ctx) => (await honest.resolve(requests, ctx)).toReversed(),
      ['resolve.in_order', 'resolve.same_beneficiary'],
    ],
    [
      'leaves out who is unknown',
      (honest) => async (requests, ctx) =>
        (await honest.resolve(requests, ctx)).filter(({ fa }) => fa !== null),
      ['resolve.in_order'],
    ],
    [
      'knows nobody when the mapper is not there',
      (honest) => (requests, ctx) => honest.resolve(requests, ctx).catch(() => []),
      ['error_after', 'error_before', 'drop_after', 'drop_before', 'garbage', 'not_found']
        .concat('unreachable', 'aborted', 'aborted_before')
        .map((id) => `resolve.${id}`),
    ],
  ])('and one that %s does not', async (_, lie, expected) => {
    const connect: MapperHarness['connect'] = async (limits) => {
      const honest = await harness.connect(limits);
      return { ...honest, resolve: lie(honest) };
    };
    const connectNowhere: MapperHarness['connect'] = async () => {
      const honest = connectorAt(await unusedUrl(), 500);
      return { ...honest, resolve: lie(honest) };
    };
    const checks = mapperConnectorContract({ ...harness, connect, connectNowhere });
    const quick = checks.filter(({ id }) => !/\.(hang|trickle)$/.test(id));
    const failed = (await runContract(quick)).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ id }) => id).sort()).toEqual([...expected].sort());
  });
});

describe('the connector to Novu keeps the contract', () => {
  let proxy: FaultyProxy<'send'>;
  let novu: { readonly url: string };
  beforeAll(async () => {
    const database = keep(await createDatabase('novu'), (one) => one.drop());
    novu = keep(await startNovu({ databaseUrl: database.url }), (one) => one.stop());
    proxy = keep(await startFaultyProxy(novu.url, () => 'send' as const), (one) => one.close());
    const rules = { subscribers: { 'kit-bad': 'error' } };
    expect(await post(novu.url, '/_control', { rules })).toMatchObject({ status: 200 });
  });

  const noteTo = (subscriberId: string): Notification => ({
    notificationId: `kit-${randomUUID()}`,
    type: 'BENEFICIARY_NOTIFICATION',
    recipient: { subscriberId, name: 'Asha Devi', email: 'asha@example.org', phone: null },
    payload: { quantity: '10.50' },
  });
  const harness: NotificationHarness = {
    requestTimeoutMs: 500,
    connect: ({ requestTimeoutMs }) => novuAt(proxy.url, { ...LIMITS, requestTimeoutMs, bulkMax: 5 }),
    connectNowhere: async ({ requestTimeoutMs }) =>
      novuAt(await unusedUrl(), { ...LIMITS, requestTimeoutMs }),
    misbehave: (fault) => proxy.misbehave('send', fault),
    notification: () => noteTo('kit-good'),
    unacceptable: () => noteTo('kit-bad'),
    async delivered(id) {
      const { body } = await get(novu.url, `/_admin/notifications?transaction_id=${id}`);
      return Number(body.count);
    },
  };
  holds(notificationConnectorContract(harness));

  test('and one that makes up ids does not', async () => {
    const connect: NotificationHarness['connect'] = async (limits) => {
      const honest = await harness.connect(limits);
      return {
        ...honest,
        bulkMax: honest.bulkMax,
        async send(list, ctx) {
          const sent = list.map((one) => ({ ...one, notificationId: `kit-${randomUUID()}` }));
          const answers = await honest.send(sent, ctx);
          return answers.map((answer, n) => ({ ...answer, notificationId: list[n]?.notificationId ?? '' }));
        },
      };
    };
    const checks = notificationConnectorContract({ ...harness, connect });
    const quick = checks.filter(({ id }) => !/\.(hang|trickle)$/.test(id));
    const failed = (await runContract(quick)).filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ id }) => id)).toEqual([
      'send.in_order',
      'send.twice',
      'send.recovered',
      'send.same_id',
    ]);
  });
});

describe('the resolver of the farmer registry keeps the contract', () => {
  let url = '';
  beforeAll(async () => {
    const database = keep(await createDatabase('registry'), (one) => one.drop());
    url = database.url;
    const sql = postgres(url, { max: 1 });
    await sql`
      create table g2p_farmer_registry (id bigint, link_registry_id text, name text, large_area_id bigint,
        large_area_code text, small_area_id bigint, small_area_code text)`;
    await sql`
      insert into g2p_farmer_registry values (1, 'BEN-1', 'Ada', 1, 'L-1', 11, 'S-11'), (2, 'BEN-2', null, 2, 'L-2', 21, 'S-21')`;
    await sql.end();
  });
  const resolverAt = (databaseUrl: string, queryTimeoutMs: number) =>
    createGeoResolver({
      ...LIMITS,
      targetRegistry: 'farmer_registry',
      databaseUrl,
      queryTimeoutMs,
      options: {},
    });
  const lives = (n: number, name: string | null) => ({
    beneficiaryId: `BEN-${n}`,
    largeZone: { id: `${n}`, mnemonic: `L-${n}` },
    smallZone: { id: `${n}1`, mnemonic: `S-${n}1` },
    name,
    phone: null,
    email: null,
  });
  const harness: GeoHarness = {
    connect: ({ requestTimeoutMs }) => resolverAt(url, requestTimeoutMs),
    connectNowhere: ({ requestTimeoutMs }) => resolverAt(NOWHERE, requestTimeoutMs),
    known: () => [lives(1, 'Ada'), lives(2, null)],
  };
  holds(geoResolverContract(harness));
});

describe('the allocator of PBMS keeps the contract', () => {
  let url = '';
  beforeAll(async () => {
    const pbms = keep(await createPbms('bigint'), (one) => one.drop());
    url = pbms.url;
    const { sql } = pbms;
    await sql`insert into g2p_warehouse (id, name) values (1, 'One'), (2, 'Two')`;
    await sql`
      insert into g2p_warehouse_program_benefit_codes (id, warehouse_id, program_id, benefit_code_id)
      values (1, 1, 7, 5), (2, 2, 7, 5)`;
    await sql`
      insert into g2p_administrative_area_large_g2p_warehouse_rel values (1, 100), (2, 100), (2, 200)`;
  });
  const allocatorAt = (databaseUrl: string, queryTimeoutMs: number) => {
    const pbms = openReadOnly({ ...LIMITS, name: 'PBMS', url: databaseUrl, queryTimeoutMs });
    const allocator = createWarehouseAllocator({ pbms, pbmsUrl: databaseUrl, options: {} });
    return { ...allocator, close: () => pbms.close() };
  };
  const harness: AllocatorHarness = {
    connect: ({ requestTimeoutMs }) => allocatorAt(url, requestTimeoutMs),
    connectNowhere: ({ requestTimeoutMs }) => allocatorAt(NOWHERE, requestTimeoutMs),
    served: () => ({
      programId: '7',
      programMnemonic: 'FOOD',
      benefitCodeId: '5',
      benefitCodeMnemonic: 'RICE',
      zones: ['100', '200'].map((id) => ({ id, mnemonic: `Z-${id}` })),
    }),
    unserved: () => ({ id: '300', mnemonic: 'Z-300' }),
  };
  holds(allocatorContract(harness));

  test('and one that chooses by chance does not', async () => {
    let times = 0;
    const connect: AllocatorHarness['connect'] = async (limits) => ({
      ...(await harness.connect(limits)),
      choose(_zone, candidates) {
        times += 1;
        const one = candidates[times % candidates.length];
        if (!one) throw new RangeError('nobody');
        return one;
      },
    });
    const failed = (await runContract(allocatorContract({ ...harness, connect }))).filter(
      ({ outcome }) => outcome === 'failed',
    );
    expect(failed.map(({ id }) => id)).toEqual(['choose.deterministic']);
  });
});
