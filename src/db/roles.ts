import type { Queryable } from './connection.ts';
import { GRANTS, type Grantee } from './grants.ts';

/** Names of the database's roles. */
export interface RoleNames extends Readonly<Record<Grantee, string>> {
  /** Owns the database and all tables; migrations run as it, and nothing else does. */
  readonly owner: string;
}

/** How names of roles may begin: what PostgreSQL needs no quotes for, and short enough for what follows. */
export const ROLE_PREFIX = /^[a-z_][a-z0-9_]{0,39}$/;

/** What names of roles begin with unless told otherwise. */
export const ROLE_PREFIX_DEFAULT = 'g2p_bridge';

/** @param prefix like {@link ROLE_PREFIX} */
export function roleNames(prefix: string): RoleNames {
  if (!ROLE_PREFIX.test(prefix)) throw new Error(`${prefix} is no prefix of names of roles.`);
  return {
    owner: `${prefix}_owner`,
    api: `${prefix}_api`,
    worker: `${prefix}_worker`,
    readonly: `${prefix}_readonly`,
  };
}

const GRANTEES = ['api', 'worker', 'readonly'] as const satisfies readonly Grantee[];

/**
 * SQL by which an administrator makes the roles, without passwords, and gives the current database to its owner; may be
 * run again. Whoever is none of the roles can then not even connect, superusers apart.
 */
export function rolesSql(names: RoleNames): string {
  const all = [names.owner, ...GRANTEES.map((grantee) => names[grantee])];
  return `do $$
declare
  name text;
  database text := current_database();
begin
  foreach name in array array[${all.map(literal).join(', ')}] loop
    if not exists (select from pg_roles where rolname = name) then
      execute format('create role %I login', name);
    end if;
    execute format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', name);
  end loop;
  execute format('alter database %I owner to ${names.owner}', database);
  execute format('revoke all on database %I from public, ${grantees(names)}', database);
  execute format('grant connect on database %I to ${all.join(', ')}', database);
  -- Statements are reconciled in temporary tables.
  execute format('grant temporary on database %I to ${names.worker}', database);
end $$;
revoke all on schema public from public, ${grantees(names)};
grant usage on schema public to ${grantees(names)};
`;
}

/**
 * SQL by which the owner gives the other roles exactly what they need of the tables that there are, and takes away
 * whatever else they had; may be run again, and must be after each migration.
 */
export function grantsSql(names: RoleNames): string {
  const rows = Object.entries(GRANTS).flatMap(([schema, tables]) =>
    Object.entries(tables).flatMap(([table, grants]) =>
      GRANTEES.flatMap((grantee) => {
        const privileges = grants[grantee];
        return privileges === undefined ? [] : [[`${schema}.${table}`, privileges, names[grantee]]];
      }),
    ),
  );
  return `do $$
declare
  given record;
  schema text;
begin
  foreach schema in array array[${Object.keys(GRANTS).map(literal).join(', ')}] loop
    continue when to_regnamespace(schema) is null;
    execute format('revoke all on all tables in schema %I from public, ${grantees(names)}', schema);
    execute format('revoke all on all sequences in schema %I from public, ${grantees(names)}', schema);
    execute format('grant usage on schema %I to ${grantees(names)}', schema);
  end loop;
  for given in
    select * from (values
${rows.map((row) => `      (${row.map(literal).join(', ')})`).join(',\n')}
    ) as g (relation, privileges, role)
  loop
    continue when to_regclass(given.relation) is null;
    execute format('grant %s on %s to %I', given.privileges, given.relation, given.role);
  end loop;
end $$;
`;
}

/** Runs {@link grantsSql}. @throws the server's error when a role is missing or the tables are somebody else's */
export async function applyGrants(sql: Queryable, names: RoleNames): Promise<void> {
  // Nothing of it comes from input: the names are checked, the rest is the table of grants.
  await sql.unsafe(grantsSql(names));
}

const grantees = (names: RoleNames): string => GRANTEES.map((grantee) => names[grantee]).join(', ');
const literal = (text: string | undefined): string => `'${text}'`;
