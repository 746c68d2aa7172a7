import { pgTable, text } from 'drizzle-orm/pg-core';

/**
 * The tables of PBMS that are read, as far as they are. All columns are declared as text, while ids may be integers in
 * the database: they are cast where they are read or compared.
 */

/** Who serves zones: warehouses large ones, agencies small ones. Both have three tables of one form. */
export type ServerTables = ReturnType<typeof serverTables>;

/** Warehouses, the programs and benefit codes they serve, and the large zones. */
export const warehouseTables = serverTables({
  servers: 'g2p_warehouse',
  programs: 'g2p_warehouse_program_benefit_codes',
  zones: 'g2p_administrative_area_large_g2p_warehouse_rel',
  serverId: 'warehouse_id',
  mnemonic: 'warehouse_mnemonic',
  zoneServerId: 'g2p_warehouse_id',
  zoneId: 'g2p_administrative_area_large_id',
});

/** Agencies, the programs and benefit codes they serve, and the small zones. */
export const agencyTables = serverTables({
  servers: 'g2p_agency',
  programs: 'g2p_agency_program_benefit_codes',
  zones: 'g2p_administrative_area_small_g2p_agency_rel',
  serverId: 'agency_id',
  mnemonic: 'agency_mnemonic',
  zoneServerId: 'g2p_agency_id',
  zoneId: 'g2p_administrative_area_small_id',
});

/** What differs between the tables of warehouses and of agencies. */
interface ServerNames {
  readonly servers: string;
  readonly programs: string;
  readonly zones: string;
  readonly serverId: string;
  readonly mnemonic: string;
  readonly zoneServerId: string;
  readonly zoneId: string;
}

function serverTables(names: ServerNames) {
  return {
    servers: pgTable(names.servers, {
      id: text(),
      name: text(),
      mnemonic: text(names.mnemonic),
      admin_name: text(),
      admin_email: text(),
      admin_mobile: text(),
    }),
    /** Has payment details in `additional_info`, see `additional-info.ts`. */
    programs: pgTable(names.programs, {
      id: text(),
      server_id: text(names.serverId),
      program_id: text(),
      benefit_code_id: text(),
      mnemonic: text(names.mnemonic),
      program_mnemonic: text(),
      benefit_code_mnemonic: text(),
      additional_info: text(),
    }),
    zones: pgTable(names.zones, {
      server_id: text(names.zoneServerId),
      zone_id: text(names.zoneId),
    }),
  };
}
