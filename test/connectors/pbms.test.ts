import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AllocationRequest, Allocator } from '../../src/connectors/allocation/allocator.ts';
import { createAgencyAllocator } from '../../src/connectors/allocation/pbms-agency.ts';
import { createWarehouseAllocator } from '../../src/connectors/allocation/pbms-warehouse.ts';
import { openReadOnly, type ReadOnlyDatabase } from '../../src/connectors/read-only-database.ts';
import { createPbms, type TestPbms } from '../support/pbms-tables.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const CTX = { signal: new AbortController().signal };

function request(zones: readonly string[], benefitCodeId = '5'): AllocationRequest {
  return {
    programId: '7',
    programMnemonic: 'FOOD',
    benefitCodeId,
    benefitCodeMnemonic: 'RICE',
    zones: zones.map((id) => ({ id, mnemonic: `Z-${id}` })),
  };
}

/** The two kinds: warehouses of large zones, agencies of small ones. */
const KINDS = [
  { server: 'warehouse', zone: 'large', create: createWarehouseAllocator },
  { server: 'agency', zone: 'small', create: createAgencyAllocator },
] as const;
/** Ids as PBMS may have them. */
const ID_TYPES = ['bigint', 'text'] as const;

const CASES = KINDS.flatMap((kind) => ID_TYPES.map((idType) => ({ ...kind, idType })));

describe.each(CASES)('the allocator of PBMS ($server, $idType ids)', ({ server, zone, create, idType }) => {
  const servers = `g2p_${server}`;
  const programs = `g2p_${server}_program_benefit_codes`;
  const links = `g2p_administrative_area_${zone}_g2p_${server}_rel`;
  let pbms: TestPbms;
  let proxy: TcpProxy;
  let database: ReadOnlyDatabase;
  let allocator: Allocator;

  beforeAll(async () => {
    pbms = await createPbms(idType);
    const { sql } = pbms;
    const people = { admin_name: 'Ann', admin_email: 'ann@example.org', admin_mobile: '+1 555' };
    const nobody = { admin_name: null, admin_email: null, admin_mobile: null };
    const mnemonic = `${server}_mnemonic`;
    await sql`insert into ${sql(servers)} ${sql([
      { id: 1, name: 'One', [mnemonic]: 'W-1', ...people },
      { id: 2, name: null, [mnemonic]: null, ...nobody },
      { id: 3, name: 'Three', [mnemonic]: 'W-3', ...nobody },
      { id: 10, name: 'Ten', [mnemonic]: null, ...nobody },
    ])}`;
    const row = { program_id: 7, benefit_code_id: 5, [mnemonic]: null, additional_info: null };
    const by = (id: number, of: number) => ({ ...row, id, [`${server}_id`]: of });
    await sql`insert into ${sql(programs)} ${sql([
      { ...by(1, 1), additional_info: '#BANK#B#ACCOUNT#1' },
      { ...by(2, 1), additional_info: 'entered twice' },
      by(3, 2),
      { ...by(4, 10), [mnemonic]: 'W-10' },
      { ...by(5, 3), benefit_code_id: 6 },
      { ...by(6, 3), program_id: 8 },
    ])}`;
    const link = (of: number, zoneId: number) => ({
      [`g2p_${server}_id`]: of,
      [`g2p_administrative_area_${zone}_id`]: zoneId,
    });
    await sql`insert into ${sql(links)} ${sql([
      link(1, 100),
      link(1, 100),
      link(2, 100),
      link(10, 100),
      link(3, 100),
      link(3, 200),
      link(1, 300),
    ])}`;
    proxy = await startTcpProxy(pbms.url);
    database = openReadOnly({
      name: 'PBMS',
      url: proxy.through(pbms.url),
      connectionsMax: 2,
      connectTimeoutMs: 1_000,
      queryTimeoutMs: 10_000,
    });
    allocator = create({ pbmsUrl: null, pbms: database, options: {} });
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await pbms.drop();
  });

  const idsOf = async (asked: AllocationRequest) => {
    const found = await allocator.candidates(asked, CTX);
    return Object.fromEntries([...found].map(([id, all]) => [id, all.map((one) => one.id).sort()]));
  };

  test('names who serves the program, the benefit code and the zone, each once', async () => {
    expect(await idsOf(request(['100', '200', '300', '400']))).toEqual({
      100: ['1', '10', '2'],
      300: ['1'],
    });
    expect(await idsOf(request(['100', '200'], '6'))).toEqual({ 100: ['3'], 200: ['3'] });
    expect(await idsOf(request(['100'], '55'))).toEqual({});
  });

  test('says whom to write to, and what the first row for the benefit adds', async () => {
    const found = await allocator.candidates(request(['100']), CTX);
    expect(found.get('100')?.find(({ id }) => id === '1')).toEqual({
      id: '1',
      mnemonic: 'W-1',
      name: 'One',
      adminName: 'Ann',
      adminEmail: 'ann@example.org',
      adminPhone: '+1 555',
      additionalAttributes: '#BANK#B#ACCOUNT#1',
    });
  });

  test('makes do with another name where the mnemonic is missing', async () => {
    const found = await allocator.candidates(request(['100']), CTX);
    const mnemonics = found.get('100')?.map(({ id, mnemonic }) => [id, mnemonic]);
    expect(Object.fromEntries(mnemonics ?? [])).toEqual({ 1: 'W-1', 2: '2', 10: 'W-10' });
  });

  test('takes any number of zones in one query, whatever their ids are', async () => {
    let queries = 0;
    const counting = {
      ...allocator,
      ...create({
        pbmsUrl: null,
        pbms: {
          query: (run, options) => {
            queries += 1;
            return database.query(run, options);
          },
          close: () => database.close(),
        },
        options: {},
      }),
    };
    const many = Array.from({ length: 70_000 }, (_, n) => String(n));
    const found = await counting.candidates(request([...many, `it's "odd" \\ {},é`]), CTX);
    expect([...found.keys()].sort()).toEqual(['100', '300']);
    expect(queries).toBe(1);
    expect(await counting.candidates(request([]), CTX)).toEqual(new Map());
    expect(queries).toBe(1);
  });

  test('reports that PBMS is down, and works as soon as it is back', async () => {
    await proxy.stop();
    const down = { code: 'PBMS_UNAVAILABLE', retryable: true };
    await expect(allocator.candidates(request(['300']), CTX)).rejects.toMatchObject(down);
    await expect(allocator.candidates(request(['300']), CTX)).rejects.toMatchObject(down);
    await proxy.start();
    expect(await idsOf(request(['300']))).toEqual({ 300: ['1'] });
  });

  test('is not waited for when the work is taken away', async () => {
    await expect(
      allocator.candidates(request(['300']), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'PBMS_CALL_ABORTED' });
  });

  test('names the table that is missing', async () => {
    await pbms.sql`alter table ${pbms.sql(links)} rename to elsewhere`;
    try {
      await expect(allocator.candidates(request(['300']), CTX)).rejects.toMatchObject({
        code: 'PBMS_QUERY_FAILED',
        retryable: false,
        message: `PBMS refused the query: relation "${links}" does not exist.`,
      });
    } finally {
      await pbms.sql`alter table elsewhere rename to ${pbms.sql(links)}`;
    }
  });

  test('is not made without PBMS', () => {
    expect(() => create({ pbmsUrl: null, pbms: null, options: {} })).toThrow(/needs db_datasource_pbms/);
  });
});
