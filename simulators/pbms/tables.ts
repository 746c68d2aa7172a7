/**
 * Warehouses, agencies and what they serve. `simulator_agencies_off` is the generator's own: the links that
 * are switched off wait there to be switched on again.
 */
export const pbmsTables = `
create table if not exists g2p_warehouse (
  id bigint primary key,
  name text,
  warehouse_mnemonic text,
  admin_name text,
  admin_email text,
  admin_mobile text
);
create table if not exists g2p_agency (
  id bigint primary key,
  name text,
  agency_mnemonic text,
  admin_name text,
  admin_email text,
  admin_mobile text
);
create table if not exists g2p_warehouse_program_benefit_codes (
  id bigint primary key,
  warehouse_id bigint not null references g2p_warehouse,
  program_id text not null,
  benefit_code_id text not null,
  warehouse_mnemonic text,
  program_mnemonic text,
  benefit_code_mnemonic text,
  additional_info text
);
create table if not exists g2p_agency_program_benefit_codes (
  id bigint primary key,
  agency_id bigint not null references g2p_agency,
  program_id text not null,
  benefit_code_id text not null,
  agency_mnemonic text,
  program_mnemonic text,
  benefit_code_mnemonic text,
  additional_info text
);
create table if not exists g2p_administrative_area_large_g2p_warehouse_rel (
  g2p_warehouse_id bigint not null references g2p_warehouse,
  g2p_administrative_area_large_id bigint not null,
  primary key (g2p_administrative_area_large_id, g2p_warehouse_id)
);
create table if not exists g2p_administrative_area_small_g2p_agency_rel (
  g2p_agency_id bigint not null references g2p_agency,
  g2p_administrative_area_small_id bigint not null,
  primary key (g2p_administrative_area_small_id, g2p_agency_id)
);
create table if not exists simulator_agencies_off (
  g2p_agency_id bigint not null references g2p_agency,
  g2p_administrative_area_small_id bigint not null,
  primary key (g2p_administrative_area_small_id, g2p_agency_id)
);
`;

/** The farmer registry's table: a row per farmer, with the area where the farmer lives, if it is known. */
export const registryTables = `
create table if not exists g2p_farmer_registry (
  id bigint primary key,
  link_registry_id text not null,
  name text,
  large_area_id bigint,
  large_area_code text,
  small_area_id bigint,
  small_area_code text,
  constraint g2p_farmer_registry_link_registry_id unique (link_registry_id)
);
`;
