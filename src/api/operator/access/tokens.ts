import type { Queryable } from '../../../db/connection.ts';
import type { ActionName } from '../audit-log.ts';
import type { Role } from '../wire/common.ts';
import { digestOf, newSecret } from './secrets.ts';

/** What tokens begin with, so that programs that look for leaked secrets can tell one. */
const PREFIX = 'g2p_';

/** The token that the first start makes. */
const FIRST: TokenHolder = { name: 'first', role: 'payer' };

/** Who has a token, and what it opens. */
export interface TokenHolder {
  /** Of a person or program. */
  readonly name: string;
  readonly role: Role;
}

/** A token in the list; the token itself is not kept. */
export interface ListedToken extends TokenHolder {
  readonly created_at: Date;
}

/** Names that are safe in a log, a table and a command: 1 to 100 letters, digits and a few marks. */
export const TOKEN_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,99}$/u;

/**
 * Makes the first token, which lets its holder do everything, unless there is any token. Of processes that start at the
 * same time one makes it.
 *
 * @returns the token, which is shown to nobody again; null when there was one
 */
export async function makeFirstToken(sql: Queryable, now: Date): Promise<string | null> {
  const token = PREFIX + newSecret();
  const made = await sql`
    with changed as (
      insert into operator_tokens (name, role, digest, created_at)
      select ${FIRST.name}, ${FIRST.role}, ${digestOf(token)}, ${now}::timestamptz
      where not exists (select 1 from operator_tokens)
      on conflict (name) do nothing
      returning name, role)
    ${recorded(sql, 'server', 'token_created', now)}`;
  return made.count === 1 ? token : null;
}

/**
 * Makes a token.
 *
 * @param holder with a name like {@link TOKEN_NAME}
 * @returns the token, which is shown to nobody again; null when the name is taken
 */
export async function createToken(
  sql: Queryable,
  { name, role }: TokenHolder,
  now: Date,
): Promise<string | null> {
  const token = PREFIX + newSecret();
  const made = await sql`
    with changed as (
      insert into operator_tokens (name, role, digest, created_at)
      values (${name}, ${role}, ${digestOf(token)}, ${now})
      on conflict (name) do nothing
      returning name, role)
    ${recorded(sql, 'cli', 'token_created', now)}`;
  return made.count === 1 ? token : null;
}

/** All tokens by name. */
export const listTokens = (sql: Queryable): Promise<readonly ListedToken[]> =>
  sql<ListedToken[]>`select name, role, created_at from operator_tokens order by name`;

/** Makes a token useless from now on. @returns false when there is none of that name */
export async function revokeToken(sql: Queryable, name: string, now: Date): Promise<boolean> {
  const gone = await sql`
    with changed as (delete from operator_tokens where name = ${name} returning name, role)
    ${recorded(sql, 'cli', 'token_revoked', now)}`;
  return gone.count === 1;
}

/**
 * The rest of a statement that changes tokens: its entry in the audit log. Whoever works on the database may do everything.
 *
 * @param by what changes them: nobody is signed in
 */
const recorded = (sql: Queryable, by: string, action: ActionName, now: Date) => sql`
  insert into operator_actions (at, operator_id, operator_name, role, action, target, reason, accepted, refused)
  select ${now}::timestamptz, ${by}, ${by}, 'payer', ${action},
    jsonb_build_object('token', name, 'role', role), '', 1, 0
  from changed`;

/** Whether somebody of this name has a token that opens this role. */
export async function isHolder(sql: Queryable, { name, role }: TokenHolder): Promise<boolean> {
  const rows = await sql`select from operator_tokens where name = ${name} and role = ${role}`;
  return rows.count === 1;
}

/** Whose token it is; null: nobody's. */
export async function holderOf(sql: Queryable, token: string): Promise<TokenHolder | null> {
  const [holder] = await sql<TokenHolder[]>`
    select name, role from operator_tokens where digest = ${digestOf(token)}`;
  return holder ?? null;
}
