/** The key manager's table: every key it ever made; the youngest of an application and reference signs. */
export const keyManagerTables = `
create table if not exists signing_keys (
  kid text collate "C" primary key,
  application_id text collate "C" not null,
  reference_id text collate "C" not null,
  alg text not null,
  private_jwk json not null,
  public_jwk json not null,
  published boolean not null,
  position bigint generated always as identity,
  made_at timestamptz not null default now()
);
create index if not exists signing_keys_by_use on signing_keys (application_id, reference_id, position);
`;
