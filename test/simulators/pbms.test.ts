import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeFarmers } from '../../simulators/pbms/farmers.ts';
import { addFarmers, forgetFarmers, generate, setAgencies } from '../../simulators/pbms/generate.ts';
import { makeAgencies } from '../../simulators/pbms/providers.ts';
import { zoneTree } from '../../simulators/pbms/zones.ts';
import { seededRandom } from '../../simulators/shared/random.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const main = fileURLToPath(new URL('../../simulators/pbms/main.ts', import.meta.url));
const run = promisify(execFile);

const maize = {
  program_id: 1,
  program_mnemonic: 'SEEDS',
  benefit_code_id: 11,
  benefit_code_mnemonic: 'MAIZE',
};
const cash = {
  program_id: '2',
  program_mnemonic: 'CASH',
  benefit_code_id: 'c-12',
  benefit_code_mnemonic: 'LEAN-SEASON',
  sponsor_bank: { code: 'EXAMPLE-BANK', account: 'PROGRAM-2', type: 'CURRENT', branch: 'B-7' },
};
const programs = [maize, cash];
const small = { largeZones: 3, smallZones: 20, warehouses: 7, agencies: 30, farmers: 500 };

let databases: TestDatabase[];
let urls: { pbmsUrl: string; registryUrl: string };
let pbms: postgres.Sql;
let registry: postgres.Sql;

beforeAll(async () => {
  databases = await Promise.all([createDatabase('pbms'), createDatabase('registry')]);
  const [pbmsUrl = '', registryUrl = ''] = databases.map((database) => database.url);
  urls = { pbmsUrl, registryUrl };
  pbms = postgres(pbmsUrl, { max: 2, onnotice: () => {} });
  registry = postgres(registryUrl, { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  await Promise.all([pbms.end(), registry.end()]);
  await Promise.all(databases.map((database) => database.drop()));
});

/** Every row of a database, as text. */
async function dump(sql: postgres.Sql): Promise<Record<string, string[]>> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public' order by 1`;
  const rows = tables.map(async ({ name }): Promise<[string, string[]]> => {
    const found = await sql<{ row: string }[]>`select t::text as row from ${sql(name)} t order by 1`;
    return [name, found.map(({ row }) => row)];
  });
  return Object.fromEntries(await Promise.all(rows));
}

async function servedSmallZones(): Promise<string[]> {
  const rows = await pbms<{ id: string }[]>`
    select distinct g2p_administrative_area_small_id as id
    from g2p_administrative_area_small_g2p_agency_rel order by 1`;
  return rows.map(({ id }) => id);
}

async function count(sql: postgres.Sql, table: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from ${sql(table)}`;
  return row?.n ?? 0;
}

describe('the command', () => {
  const withPrograms = () => [
    ...['--pbms-url', urls.pbmsUrl, '--registry-url', urls.registryUrl],
    ...['--programs', JSON.stringify(programs)],
  ];

  it('makes a middle-sized country and says so in one line', async () => {
    const { stdout, stderr } = await run(process.execPath, [main, ...withPrograms()]);
    expect(stdout).toBe(
      '{"large_zones":5,"small_zones":200,"warehouses":30,"agencies":400,"farmers":10000}\n',
    );
    expect(stderr).toBe('');
    expect({
      warehouses: await count(pbms, 'g2p_warehouse'),
      agencies: await count(pbms, 'g2p_agency'),
      warehouseCodes: await count(pbms, 'g2p_warehouse_program_benefit_codes'),
      agencyCodes: await count(pbms, 'g2p_agency_program_benefit_codes'),
      farmers: await count(registry, 'g2p_farmer_registry'),
    }).toEqual({ warehouses: 31, agencies: 400, warehouseCodes: 31, agencyCodes: 800, farmers: 10_000 });
    const [ids] = await registry`
      select bool_and(link_registry_id = 'BEN-' || (id - 1)) as numbered,
        count(distinct small_area_id)::int as places
      from g2p_farmer_registry`;
    expect(ids).toEqual({ numbered: true, places: 200 });
  });

  it('spreads farmers over the zones as unevenly as people live', async () => {
    const { smallZones } = await generate({ ...urls, programs, farmers: 20_000 });
    const people = await registry<{ id: string; n: number }[]>`
      select small_area_id as id, count(*)::int as n from g2p_farmer_registry group by 1 order by n`;
    expect(people.length).toBe(smallZones.length);
    const median = people[100]?.n ?? 0;
    expect(people.filter(({ n }) => n >= median * 5).length).toBeGreaterThan(5);
    expect(people.at(0)?.n).toBeGreaterThan(median / 5);
  });

  it.each([
    [['--pbms-url', 'x'], /^error: required option '--registry-url <url>' not specified\n$/],
    [
      ['--farmers', 'many'],
      /^error: option '--farmers <n>' argument 'many' is invalid. Must be a whole number/,
    ],
    [['--programs', '[{'], /^error: option '--programs <json>' .* It is not JSON\.\n$/],
    [['--programs', '[{"program_id":1}]'], /programs \(0\.program_mnemonic\): .*\n$/],
    [['--programs', JSON.stringify([maize, maize])], /twice\.\n$/],
    [['--agencies', '99'], /^pbms-simulator: agencies must be at least half as many as small zones: .*\n$/],
    [['--small-zones', '4'], /^pbms-simulator: small zones must be at least as many as large zones\.\n$/],
    [['--zones-without-agency', '201'], /^pbms-simulator: zones without agency must not be more than .*\n$/],
    [['--pbms-url', 'postgres://127.0.0.1:1/nowhere'], /^pbms-simulator: .*ECONNREFUSED.*\n$/],
  ])('with %j ends with one line that says what is wrong', async (args, line) => {
    const others = args[1] === 'x' ? [] : withPrograms();
    const error = await run(process.execPath, [main, ...others, ...args]).catch((failure) => failure);
    expect(error).toMatchObject({ code: 1, stdout: '' });
    expect(error.stderr).toMatch(line);
    expect(error.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('what is generated', () => {
  it('has every farmer in a small zone and in the large zone that it lies in', async () => {
    const { largeZones, smallZones } = await generate({ ...urls, programs, ...small });
    expect([largeZones.length, smallZones.length]).toEqual([3, 20]);
    const pairs = await registry`
      select distinct large_area_id, large_area_code, small_area_id, small_area_code
      from g2p_farmer_registry order by small_area_id`;
    expect([...pairs]).toEqual(
      smallZones.map((zone) => ({
        large_area_id: zone.largeZone.id,
        large_area_code: zone.largeZone.mnemonic,
        small_area_id: zone.id,
        small_area_code: zone.mnemonic,
      })),
    );
  });

  it('has several warehouses in every large zone and agencies in every small one', async () => {
    const { largeZones, smallZones } = await generate({ ...urls, programs, ...small });
    const zones = await pbms<{ id: string; n: number }[]>`
      select g2p_administrative_area_large_id as id, count(*)::int as n
      from g2p_administrative_area_large_g2p_warehouse_rel
      join g2p_warehouse on id = g2p_warehouse_id and warehouse_mnemonic like 'WH-%'
      group by 1 order by 1`;
    expect(zones.map(({ id }) => id)).toEqual(largeZones.map(({ id }) => id));
    for (const { n } of zones) expect(n).toBeGreaterThanOrEqual(2);
    expect(await servedSmallZones()).toEqual(smallZones.map(({ id }) => id));
    const served = await pbms<{ n: number }[]>`
      select count(*)::int as n from g2p_administrative_area_small_g2p_agency_rel group by g2p_agency_id`;
    expect(served.length).toBe(small.agencies);
    expect(new Set(served.map(({ n }) => n))).toEqual(new Set([1, 2]));
  });

  it('pays a program with a sponsor bank from the account of that bank, everywhere', async () => {
    const { largeZones } = await generate({ ...urls, programs, ...small });
    const banks = await pbms`
      select program_id, benefit_code_id, program_mnemonic, benefit_code_mnemonic, c.warehouse_mnemonic,
        additional_info,
        array(select g2p_administrative_area_large_id::text
              from g2p_administrative_area_large_g2p_warehouse_rel r
              where r.g2p_warehouse_id = w.id order by 1) as zones
      from g2p_warehouse_program_benefit_codes c
      join g2p_warehouse w on w.id = warehouse_id and w.warehouse_mnemonic = c.warehouse_mnemonic
      where program_id = '2'`;
    expect([...banks]).toEqual([
      {
        program_id: '2',
        benefit_code_id: 'c-12',
        program_mnemonic: 'CASH',
        benefit_code_mnemonic: 'LEAN-SEASON',
        warehouse_mnemonic: 'EXAMPLE-BANK',
        additional_info: '#ACCOUNT#PROGRAM-2#TYPE#CURRENT#BRANCH#B-7',
        zones: largeZones.map(({ id }) => id),
      },
    ]);
    const [maizeStores] = await pbms`
      select count(*)::int as n, count(additional_info)::int as infos
      from g2p_warehouse_program_benefit_codes where program_id = '1' and benefit_code_id = '11'`;
    expect(maizeStores).toEqual({ n: small.warehouses, infos: 0 });
  });

  it('gives every agency every program, and one account of its own', async () => {
    await generate({ ...urls, programs, ...small });
    const agencies = await pbms<{ programs: string[]; accounts: string[] }[]>`
      select array_agg(program_id order by program_id) as programs,
        array_agg(distinct additional_info) as accounts
      from g2p_agency_program_benefit_codes group by agency_id`;
    expect(agencies.length).toBe(small.agencies);
    for (const agency of agencies) {
      expect(agency.programs).toEqual(['1', '2']);
      expect(agency.accounts).toEqual([
        expect.stringMatching(/^#BANK#EXAMPLE-BANK#BRANCH#BR-\d{3}#ACCOUNT#\d{10}#TYPE#CURRENT$/),
      ]);
    }
    expect(new Set(agencies.map((agency) => agency.accounts[0]?.split('#')[6])).size).toBe(small.agencies);
  });

  it('is the same for the same seed, another for another, and replaces what was there', async () => {
    const first = { ...urls, programs, ...small, seed: 7, zonesWithoutAgency: 2 };
    await generate(first);
    const made = [await dump(pbms), await dump(registry)];
    await generate({ ...urls, programs: [maize], seed: 8, beneficiaryPrefix: 'F\t"\\', farmers: 3 });
    const other = await registry`select link_registry_id as id, small_area_id from g2p_farmer_registry`;
    expect(other.map(({ id }) => id)).toEqual(['F\t"\\0', 'F\t"\\1', 'F\t"\\2']);
    expect(await count(pbms, 'g2p_warehouse')).toBe(30);
    await generate({ ...first, seed: 8 });
    const names = (await dump(registry)).g2p_farmer_registry;
    expect(names).not.toEqual(made[1]?.g2p_farmer_registry);
    await generate(first);
    expect([await dump(pbms), await dump(registry)]).toEqual(made);
  });

  it('may stand in one database, and be nothing but zones and who serves them', async () => {
    const both = await createDatabase('pbms');
    const made = await generate({ pbmsUrl: both.url, registryUrl: both.url, programs: [], farmers: 0 });
    expect(made).toMatchObject({ warehouses: 30, agencies: 400, farmers: 0 });
    await both.drop();
  });

  it('covers every zone with any number of providers that can', () => {
    const sizes = fc.record({
      largeZones: fc.integer({ min: 1, max: 12 }),
      more: fc.integer({ min: 0, max: 60 }),
      extraAgencies: fc.integer({ min: 0, max: 200 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(sizes, ({ largeZones: large, more, extraAgencies, seed }) => {
        const { largeZones, smallZones } = zoneTree({ largeZones: large, smallZones: large + more, seed });
        expect(smallZones).toHaveLength(large + more);
        expect(new Set(smallZones.map((zone) => zone.largeZone))).toEqual(new Set(largeZones));
        const zones = [...largeZones, ...smallZones];
        expect(new Set(zones.map(({ id }) => id)).size).toBe(zones.length);
        expect(new Set(zones.map(({ mnemonic }) => mnemonic)).size).toBe(zones.length);

        const agencies = makeAgencies(
          Math.ceil(smallZones.length / 2) + extraAgencies,
          smallZones,
          seededRandom(seed),
        );
        for (const agency of agencies) {
          expect([1, 2]).toContain(agency.zones.length);
          expect(new Set(agency.zones).size).toBe(agency.zones.length);
        }
        expect(new Set(agencies.flatMap((agency) => agency.zones)).size).toBe(smallZones.length);

        const farmers = [...makeFarmers(smallZones.length + 5, 'F', smallZones, seededRandom(seed))];
        expect(new Set(farmers.slice(0, -5).map((farmer) => farmer.zone)).size).toBe(smallZones.length);
        expect([...makeFarmers(3, 'F', smallZones, seededRandom(seed))]).toEqual(farmers.slice(0, 3));
      }),
    );
  });
});

describe('what tests switch', () => {
  beforeEach(async () => {
    await generate({ ...urls, programs, ...small, zonesWithoutAgency: 3 });
  });

  it('the zones without agency are the last ones, and get theirs when switched on', async () => {
    const made = await generate({ ...urls, programs, ...small });
    const zones = made.smallZones.map(({ id }) => id);
    const everywhere = (await dump(pbms)).g2p_administrative_area_small_g2p_agency_rel;
    await generate({ ...urls, programs, ...small, zonesWithoutAgency: 3 });
    expect(await servedSmallZones()).toEqual(zones.slice(0, -3));
    await setAgencies(urls.pbmsUrl, zones.slice(-2), true);
    expect(await servedSmallZones()).toEqual([...zones.slice(0, -3), ...zones.slice(-2)]);
    await setAgencies(urls.pbmsUrl, zones, true);
    expect((await dump(pbms)).g2p_administrative_area_small_g2p_agency_rel).toEqual(everywhere);
  });

  it('agencies of a zone go off and on again, however often that is said', async () => {
    const before = await dump(pbms);
    const zone = '1002';
    await setAgencies(urls.pbmsUrl, [zone], false);
    await setAgencies(urls.pbmsUrl, [zone], false);
    expect(await servedSmallZones()).not.toContain(zone);
    expect(await servedSmallZones()).toHaveLength(16);
    await setAgencies(urls.pbmsUrl, [zone], true);
    await setAgencies(urls.pbmsUrl, [zone], true);
    expect(await dump(pbms)).toEqual(before);
  });

  it('single farmers are forgotten, added, moved, and added without an area', async () => {
    const { smallZones } = zoneTree({ largeZones: 3, smallZones: 20, seed: 5 });
    expect(await forgetFarmers(urls.registryUrl, ['BEN-0', 'BEN-499', 'BEN-500'])).toBe(2);
    const zone = smallZones[4] ?? null;
    await addFarmers(urls.registryUrl, [
      { linkRegistryId: 'BEN-0', name: 'Asha', zone },
      { linkRegistryId: 'BEN-1', name: null, zone: null },
    ]);
    const farmers = await registry`
      select * from g2p_farmer_registry where link_registry_id in ('BEN-0', 'BEN-1') order by 2`;
    expect([...farmers]).toMatchObject([
      {
        link_registry_id: 'BEN-0',
        name: 'Asha',
        large_area_id: zone?.largeZone.id,
        small_area_id: zone?.id,
        small_area_code: zone?.mnemonic,
      },
      { link_registry_id: 'BEN-1', name: null, large_area_id: null, small_area_id: null },
    ]);
    expect(await count(registry, 'g2p_farmer_registry')).toBe(499);
  });
});
