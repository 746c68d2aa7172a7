/** The mapper's table: one financial address per id. */
export const sparTables = `
create table if not exists links (
  id text collate "C" primary key,
  fa text not null,
  name text,
  provider_name text,
  provider_code text,
  linked_at timestamptz not null default now()
);
`;
