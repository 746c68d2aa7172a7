import type { Sql, TransactionSql } from 'postgres';
import { openDatabase } from '../shared/database.ts';
import { type Farmer, insertFarmers } from './farmers.ts';
import { pbmsTables, registryTables } from './tables.ts';

/** What the simulator's connections are called. */
export const applicationName = 'pbms-simulator';

/**
 * Takes all agencies of some small zones away, or gives these zones the agencies that they were made with.
 * What is as it should be already stays.
 *
 * @param on whether the zones shall have agencies
 */
export async function setAgencies(
  pbmsUrl: string,
  smallZoneIds: readonly string[],
  on: boolean,
): Promise<void> {
  await withDatabase(pbmsUrl, pbmsTables, (sql) => moveAgencies(sql, smallZoneIds, on));
}

/** {@link setAgencies} in a transaction that is open. */
export async function moveAgencies(
  sql: Sql | TransactionSql,
  smallZoneIds: readonly string[],
  on: boolean,
): Promise<void> {
  const active = sql('g2p_administrative_area_small_g2p_agency_rel');
  const off = sql('simulator_agencies_off');
  const [from, to] = on ? [off, active] : [active, off];
  await sql`
    with moved as (
      delete from ${from} where g2p_administrative_area_small_id = any(${[...smallZoneIds]}::bigint[])
      returning g2p_agency_id, g2p_administrative_area_small_id
    )
    insert into ${to} (g2p_agency_id, g2p_administrative_area_small_id) select * from moved`;
}

/** Puts farmers into the registry, in place of those with the same beneficiary ids. */
export async function addFarmers(registryUrl: string, farmers: readonly Farmer[]): Promise<void> {
  await withDatabase(registryUrl, registryTables, (sql) =>
    sql.begin(async (tx) => {
      await tx`lock table g2p_farmer_registry in share row exclusive mode`;
      await deleteFarmers(
        tx,
        farmers.map((farmer) => farmer.linkRegistryId),
      );
      const [last] = await tx<{ id: string }[]>`select coalesce(max(id), 0) as id from g2p_farmer_registry`;
      await insertFarmers(tx, Number(last?.id) + 1, farmers);
    }),
  );
}

/** Removes farmers from the registry. @returns how many of them were there */
export async function forgetFarmers(registryUrl: string, beneficiaryIds: readonly string[]): Promise<number> {
  return withDatabase(registryUrl, registryTables, (sql) => deleteFarmers(sql, beneficiaryIds));
}

/** Runs with a database whose tables are there, and closes the connections. */
export async function withDatabase<T>(
  url: string,
  tables: string,
  run: (sql: Sql) => Promise<T>,
): Promise<T> {
  const sql = await openDatabase(url, applicationName, tables);
  try {
    return await run(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function deleteFarmers(sql: Sql | TransactionSql, beneficiaryIds: readonly string[]): Promise<number> {
  const { count } = await sql`
    delete from g2p_farmer_registry where link_registry_id = any(${[...beneficiaryIds]})`;
  return count;
}
