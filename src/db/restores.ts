import { connect, type Queryable, type Sql, type Tx } from './connection.ts';

/**
 * The stages that act on the outside or on what it says. After a restore they wait for a person: the outside has seen
 * what the database has forgotten.
 */
export const HELD_AFTER_RESTORE = [
  'block_funds_with_bank',
  'disburse_funds_from_bank',
  'release_funds_with_bank',
  'mt940_processor',
  'warehouse_notification',
  'agency_notification',
  'beneficiary_notification',
] as const;

/** In whose name they are paused. */
const BY = 'g2p-bridge';
/** More entries than a journal gets between a backup and the loss, so that no number of the feed ever means two things. */
const NUMBERS_LEFT_OUT = 100_000_000;
/** Any fixed number: processes that find it out at once take turns. */
const RESTORE_LOCK = 7_240_946;

/** What was found of a database before it is used. */
export type Origin =
  /** The one that it was, or a new one. */
  | { readonly kind: 'known' }
  /** It was put back to an earlier state, which has been noted now. */
  | { readonly kind: 'restored'; readonly held: readonly string[] };

/**
 * Finds out whether a database is a copy of another, as everything is that was restored with `pg_restore`; if so, the
 * stages that act on the outside are paused, so that nothing is paid before a person has compared, and the journal goes on
 * behind a gap. What is copied file by file looks like the original: that must be said, see {@link announceRestore}.
 *
 * @param url of a migrated database
 */
export function checkOrigin(url: string): Promise<Origin> {
  return inTransaction(url, async (sql) => {
    const [known] = await sql<{ identity: string }[]>`select identity from database_origin`;
    const identity = await identityOf(sql);
    if (known === undefined) await noteOrigin(sql, identity);
    if (known === undefined || known.identity === identity) return { kind: 'known' };
    const reason = 'The database is a copy of another, as after a restore from a backup.';
    return { kind: 'restored', held: await noteRestore(sql, identity, reason) };
  });
}

/**
 * Notes that a database was put back to an earlier state.
 *
 * @param url of a migrated database that nobody works on
 * @param reason in a person's words
 * @returns the stages that are paused now
 */
export function announceRestore(url: string, reason: string): Promise<readonly string[]> {
  return inTransaction(url, async (sql) => noteRestore(sql, await identityOf(sql), reason));
}

/** Notes that a database was moved and is exactly what it was: nothing is paused, nobody is asked. */
export async function announceMove(url: string): Promise<void> {
  await inTransaction(url, async (sql) => noteOrigin(sql, await identityOf(sql)));
}

/** Whether the database is the one it was when somebody last looked who may note it. */
export async function isKnownOrigin(sql: Queryable): Promise<boolean> {
  const [known] = await sql<{ identity: string }[]>`select identity from database_origin`;
  return known === undefined || known.identity === (await identityOf(sql));
}

/** The server, the database and a table in it: a restored one differs in one of them at least. */
async function identityOf(sql: Queryable): Promise<string> {
  const [row] = await sql<{ identity: string }[]>`
    select concat_ws(':', (select system_identifier from pg_control_system()), d.oid,
      'actor_transitions'::regclass::oid) as identity
    from pg_database d where d.datname = current_database()`;
  return row?.identity ?? '';
}

async function noteOrigin(sql: Tx, identity: string): Promise<void> {
  await sql`
    insert into database_origin (identity, noted_at) values (${identity}, now())
    on conflict (one) do update set identity = excluded.identity, noted_at = excluded.noted_at`;
}

async function noteRestore(sql: Tx, identity: string, reason: string): Promise<readonly string[]> {
  const held = await sql<{ stage: string }[]>`
    insert into actor_pauses (stage, paused_at, by, reason)
    select stage, now(), ${BY}, ${`${reason} Compare with the bank before resuming: docs/backup.md.`}
    from unnest(${[...HELD_AFTER_RESTORE]}::text[]) stage
    on conflict (stage) do nothing returning stage`;
  await sql`
    insert into database_restores (noted_at, reason, last_seq)
    select now(), ${reason}, coalesce(max(seq), 0) from actor_transitions`;
  const sequence = sql`pg_get_serial_sequence('actor_transitions', 'seq')`;
  await sql`select setval(${sequence}, nextval(${sequence}) + ${NUMBERS_LEFT_OUT})`;
  await noteOrigin(sql, identity);
  return held.map(({ stage }) => stage);
}

async function inTransaction<T>(url: string, work: (sql: Tx) => Promise<T>): Promise<T> {
  const database = connect(url, { max: 1, applicationName: 'g2p-bridge migrate' });
  try {
    return (await (database.sql as Sql).begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(${RESTORE_LOCK})`;
      return work(sql);
    })) as T;
  } finally {
    await database.close();
  }
}
