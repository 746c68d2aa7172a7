import type { Sql, TransactionSql } from 'postgres';
import { type Random, seededRandom } from '../shared/random.ts';
import { moveAgencies, withDatabase } from './admin.ts';
import { insertFarmers, makeFarmers } from './farmers.ts';
import { type GenerateOptions, type Program, programsOf, type Sizes, sizesOf } from './options.ts';
import {
  agencyServices,
  makeAgencies,
  makeBanks,
  makeWarehouses,
  type Provider,
  type Service,
  warehouseServices,
} from './providers.ts';
import { insertRows } from './rows.ts';
import { pbmsTables, registryTables } from './tables.ts';
import { type ZoneTree, zoneTree } from './zones.ts';

export { addFarmers, forgetFarmers, setAgencies } from './admin.ts';

/** What was made: the zones, and how many rows of the rest. */
export interface Generated extends ZoneTree {
  /** Those of the programs' banks are not counted. */
  warehouses: number;
  agencies: number;
  farmers: number;
}

/**
 * Fills PBMS and the farmer registry, each in one transaction, in place of whatever was there.
 *
 * @throws OptionsError when the options cannot be met; the server's error when a database cannot be reached
 */
export async function generate(options: GenerateOptions): Promise<Generated> {
  const sizes = sizesOf(options);
  const programs = programsOf(options.programs);
  const seed = options.seed ?? 1;
  const zones = zoneTree({ ...sizes, seed: streamSeed(seed, 0) });
  await withDatabase(options.pbmsUrl, pbmsTables, (sql) =>
    sql.begin((tx) => fillPbms(tx, sizes, programs, zones, seed)),
  );
  const farmers = makeFarmers(
    sizes.farmers,
    options.beneficiaryPrefix ?? 'BEN-',
    zones.smallZones,
    stream(seed, 4),
  );
  await withDatabase(options.registryUrl, registryTables, async (sql) => {
    await sql.begin(async (tx) => {
      await tx`truncate g2p_farmer_registry`;
      await insertFarmers(tx, 1, farmers);
    });
    await sql`analyze g2p_farmer_registry`;
  });
  return { ...zones, warehouses: sizes.warehouses, agencies: sizes.agencies, farmers: sizes.farmers };
}

async function fillPbms(
  tx: TransactionSql,
  sizes: Sizes,
  programs: readonly Program[],
  { largeZones, smallZones }: ZoneTree,
  seed: number,
): Promise<void> {
  const warehouses = makeWarehouses(sizes.warehouses, largeZones, stream(seed, 1));
  const bankIdFirst = 1 + Math.max(0, ...warehouses.map((warehouse) => warehouse.id));
  const banks = makeBanks(programs, bankIdFirst, largeZones, stream(seed, 2));
  const agenciesRandom = stream(seed, 3);
  const agencies = makeAgencies(sizes.agencies, smallZones, agenciesRandom);
  await tx`
    truncate g2p_warehouse, g2p_agency, g2p_warehouse_program_benefit_codes, g2p_agency_program_benefit_codes,
      g2p_administrative_area_large_g2p_warehouse_rel, g2p_administrative_area_small_g2p_agency_rel,
      simulator_agencies_off`;
  await insertProviders(tx, 'warehouse', [...warehouses, ...banks.map((bank) => bank.provider)]);
  await insertProviders(tx, 'agency', agencies);
  await insertServices(tx, 'warehouse', [...warehouseServices(warehouses, programs), ...banks]);
  await insertServices(tx, 'agency', agencyServices(agencies, programs, agenciesRandom));
  const unserved = smallZones.slice(smallZones.length - sizes.zonesWithoutAgency);
  await moveAgencies(
    tx,
    unserved.map((zone) => zone.id),
    false,
  );
}

/** The two kinds of providers have tables of the same shapes, with the kind in the names. */
type Kind = 'warehouse' | 'agency';

async function insertProviders(
  sql: Sql | TransactionSql,
  kind: Kind,
  providers: readonly Provider[],
): Promise<void> {
  const columns = {
    id: 'bigint',
    name: 'text',
    [`${kind}_mnemonic`]: 'text',
    admin_name: 'text',
    admin_email: 'text',
    admin_mobile: 'text',
  } as const;
  const rows = providers.map((provider) => ({
    id: provider.id,
    name: provider.name,
    [`${kind}_mnemonic`]: provider.mnemonic,
    admin_name: provider.adminName,
    admin_email: provider.adminEmail,
    admin_mobile: provider.adminMobile,
  }));
  await insertRows(sql, `g2p_${kind}`, columns, rows);
  const size = kind === 'warehouse' ? 'large' : 'small';
  const links = providers.flatMap((provider) =>
    provider.zones.map((zone) => ({
      [`g2p_${kind}_id`]: provider.id,
      [`g2p_administrative_area_${size}_id`]: zone.id,
    })),
  );
  const linkColumns = {
    [`g2p_${kind}_id`]: 'bigint',
    [`g2p_administrative_area_${size}_id`]: 'bigint',
  } as const;
  await insertRows(sql, `g2p_administrative_area_${size}_g2p_${kind}_rel`, linkColumns, links);
}

async function insertServices(
  sql: Sql | TransactionSql,
  kind: Kind,
  services: readonly Service[],
): Promise<void> {
  const columns = {
    id: 'bigint',
    [`${kind}_id`]: 'bigint',
    program_id: 'text',
    benefit_code_id: 'text',
    [`${kind}_mnemonic`]: 'text',
    program_mnemonic: 'text',
    benefit_code_mnemonic: 'text',
    additional_info: 'text',
  } as const;
  const rows = services.map(({ provider, program, additionalInfo }, index) => ({
    id: index + 1,
    [`${kind}_id`]: provider.id,
    program_id: program.program_id,
    benefit_code_id: program.benefit_code_id,
    [`${kind}_mnemonic`]: provider.mnemonic,
    program_mnemonic: program.program_mnemonic,
    benefit_code_mnemonic: program.benefit_code_mnemonic,
    additional_info: additionalInfo,
  }));
  await insertRows(sql, `g2p_${kind}_program_benefit_codes`, columns, rows);
}

/** Random numbers of one subject, which do not change with how many of them another one takes. */
function stream(seed: number, subject: number): Random {
  return seededRandom(streamSeed(seed, subject));
}

function streamSeed(seed: number, subject: number): number {
  return seed * 7_919 + subject;
}
