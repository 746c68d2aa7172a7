import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGeoResolver } from '../../src/connectors/geo/farmer-registry.ts';
import type { GeoResolver } from '../../src/connectors/geo/geo-resolver.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const CTX = { signal: new AbortController().signal };
const SETTINGS = {
  targetRegistry: 'farmer_registry',
  connectionsMax: 2,
  connectTimeoutMs: 1_000,
  queryTimeoutMs: 10_000,
  options: {},
};

describe.each([
  ['bigint', 'text'],
  ['text', 'text'],
  ['int', 'bigint'],
])('the farmer registry (%s ids, %s beneficiary ids)', (idType, beneficiaryIdType) => {
  let database: TestDatabase;
  let sql: postgres.Sql;
  let proxy: TcpProxy;
  let registry: GeoResolver;

  beforeAll(async () => {
    database = await createDatabase('registry');
    sql = postgres(database.url, { max: 1 });
    const id = sql.unsafe(idType);
    await sql`
      create table g2p_farmer_registry (
        id ${id}, link_registry_id ${sql.unsafe(beneficiaryIdType)}, name text,
        large_area_id ${id}, large_area_code text, small_area_id ${id}, small_area_code text)`;
    const lives = { name: 'Ada', large_area_id: 1, large_area_code: 'L-1', small_area_id: 11 };
    const row = { ...lives, small_area_code: 'S-11' };
    await sql`insert into g2p_farmer_registry ${sql([
      { ...row, id: 1, link_registry_id: 101 },
      { ...row, id: 2, link_registry_id: 102, name: null, large_area_code: null, small_area_code: null },
      { ...row, id: 3, link_registry_id: 103, large_area_id: null },
      { ...row, id: 4, link_registry_id: 104, small_area_id: null },
      { ...row, id: 6, link_registry_id: 105, small_area_id: 12, small_area_code: 'S-12' },
      { ...row, id: 5, link_registry_id: 105 },
    ])}`;
    await sql`
      insert into g2p_farmer_registry
      select ${idType === 'text' ? sql`n::text` : sql`n`}, ${beneficiaryIdType === 'text' ? sql`n::text` : sql`n`}, 'F' || n,
        ${idType === 'text' ? sql`(n % 5)::text` : sql`n % 5`}, 'L-' || n % 5,
        ${idType === 'text' ? sql`(n % 200)::text` : sql`n % 200`}, 'S-' || n % 200
      from generate_series(1000, 80999) as n`;
    proxy = await startTcpProxy(database.url);
    registry = createGeoResolver({ ...SETTINGS, databaseUrl: proxy.through(database.url) });
  });
  afterAll(async () => {
    await registry.close?.();
    await proxy.close();
    await sql.end();
    await database.drop();
  });

  test('says where beneficiaries live', async () => {
    expect(await registry.resolve(['101'], CTX)).toEqual([
      {
        beneficiaryId: '101',
        largeZone: { id: '1', mnemonic: 'L-1' },
        smallZone: { id: '11', mnemonic: 'S-11' },
        name: 'Ada',
        phone: null,
        email: null,
      },
    ]);
  });

  test('makes do with the id of an area that has no code', async () => {
    const [located] = await registry.resolve(['102'], CTX);
    expect(located).toMatchObject({
      largeZone: { id: '1', mnemonic: '1' },
      smallZone: { id: '11', mnemonic: '11' },
      name: null,
    });
  });

  test('leaves out whom it does not know, and of whom it knows no area', async () => {
    const located = await registry.resolve(['103', '104', '99', '101', '', "x' or true --", 'é"\\'], CTX);
    expect(located.map(({ beneficiaryId }) => beneficiaryId)).toEqual(['101']);
  });

  test('says one thing of a beneficiary who was entered twice: what was entered first', async () => {
    const located = await registry.resolve(['105'], CTX);
    expect(located).toMatchObject([{ beneficiaryId: '105', smallZone: { id: '11' } }]);
  });

  test('asks nothing for nobody', async () => {
    const before = proxy.taken;
    const other = createGeoResolver({ ...SETTINGS, databaseUrl: proxy.through(database.url) });
    expect(await other.resolve([], CTX)).toEqual([]);
    await other.close?.();
    expect(proxy.taken).toBe(before);
  });

  test('answers for more beneficiaries than a query may have parameters', async () => {
    const ids = Array.from({ length: 80_000 }, (_, n) => String(n + 1_000));
    const located = await registry.resolve([...ids, 'unknown'], CTX);
    expect(located).toHaveLength(80_000);
    const wrong = located.filter(
      ({ beneficiaryId: id, largeZone, smallZone }) =>
        largeZone.id !== String(Number(id) % 5) || smallZone.mnemonic !== `S-${Number(id) % 200}`,
    );
    expect(wrong).toEqual([]);
  });

  test('answers for any part of its people with that part', async () => {
    const anyPart = fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 900, max: 1_100 }).map(String), { maxLength: 40 }),
      async (ids) => {
        const located = await registry.resolve(ids, CTX);
        const known = ids.filter((id) => Number(id) >= 1_000);
        expect(located.map(({ beneficiaryId }) => beneficiaryId).sort()).toEqual(known.sort());
      },
    );
    await fc.assert(anyPart, { numRuns: 30 });
  });

  test('is reported as down, and works as soon as it is back', async () => {
    await registry.resolve(['101'], CTX);
    await proxy.stop();
    const down = { code: 'REGISTRY_UNAVAILABLE', retryable: true };
    await expect(registry.resolve(['101'], CTX)).rejects.toMatchObject(down);
    await proxy.start();
    expect(await registry.resolve(['101'], CTX)).toHaveLength(1);
  });

  test('is given up when a query takes too long', async () => {
    const impatient = createGeoResolver({ ...SETTINGS, databaseUrl: database.url, queryTimeoutMs: 200 });
    const blocker = postgres(database.url, { max: 1 });
    await blocker.begin(async (tx) => {
      await tx`lock table g2p_farmer_registry in access exclusive mode`;
      await expect(impatient.resolve(['101'], CTX)).rejects.toMatchObject({
        code: 'REGISTRY_UNAVAILABLE',
        retryable: true,
      });
    });
    expect(await impatient.resolve(['101'], CTX)).toHaveLength(1);
    await impatient.close?.();
    await blocker.end();
  });

  test('names the table that is missing', async () => {
    await sql`alter table g2p_farmer_registry rename to elsewhere`;
    try {
      await expect(registry.resolve(['101'], CTX)).rejects.toMatchObject({
        code: 'REGISTRY_QUERY_FAILED',
        retryable: false,
        message: 'The registry refused the query: relation "g2p_farmer_registry" does not exist.',
      });
    } finally {
      await sql`alter table elsewhere rename to g2p_farmer_registry`;
    }
  });
});

test('a farmer registry without a database is not made', () => {
  expect(() => createGeoResolver({ ...SETTINGS, databaseUrl: null })).toThrow(/needs db_datasource_registry/);
});
