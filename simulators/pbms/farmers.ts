import type { Sql, TransactionSql } from 'postgres';
import type { Random } from '../shared/random.ts';
import { personName } from './names.ts';
import { insertRows } from './rows.ts';
import { type SmallZone, zoneDraw } from './zones.ts';

/** A farmer of the registry. */
export interface Farmer {
  /** The beneficiary id. */
  linkRegistryId: string;
  name: string | null;
  /** null: the registry does not know where the farmer lives. */
  zone: SmallZone | null;
}

/**
 * Makes farmers one after the other, spread over the zones by their weights. The first ones are the same
 * however many follow.
 *
 * @param prefix of the beneficiary ids, before a number from 0
 */
export function* makeFarmers(
  count: number,
  prefix: string,
  zones: readonly SmallZone[],
  random: Random,
): Generator<Farmer> {
  const draw = zoneDraw(zones, random);
  for (let number = 0; number < count; number += 1) {
    yield { linkRegistryId: `${prefix}${number}`, name: personName(random), zone: draw() };
  }
}

/**
 * Writes farmers, whose beneficiary ids are not there yet.
 *
 * @param idFirst the registry's own number of the first one
 * @returns how many
 */
export function insertFarmers(
  sql: Sql | TransactionSql,
  idFirst: number,
  farmers: Iterable<Farmer>,
): Promise<number> {
  return insertRows(
    sql,
    'g2p_farmer_registry',
    {
      id: 'bigint',
      link_registry_id: 'text',
      name: 'text',
      large_area_id: 'bigint',
      large_area_code: 'text',
      small_area_id: 'bigint',
      small_area_code: 'text',
    },
    farmerRows(idFirst, farmers),
  );
}

function* farmerRows(idFirst: number, farmers: Iterable<Farmer>) {
  let id = idFirst;
  for (const { linkRegistryId, name, zone } of farmers) {
    yield {
      id,
      link_registry_id: linkRegistryId,
      name,
      large_area_id: zone?.largeZone.id ?? null,
      large_area_code: zone?.largeZone.mnemonic ?? null,
      small_area_id: zone?.id ?? null,
      small_area_code: zone?.mnemonic ?? null,
    };
    id += 1;
  }
}
