import { connect, type Queryable, type Sql, type Tx } from './connection.ts';
import { PROCESSES_END_WITHIN_MS, processesRunning } from './processes-running.ts';

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

/** The columns of a restore that say when a stage was resumed, for what may have been sent before is asked after. */
const RESUMED_AT: Readonly<Record<string, string>> = {
  block_funds_with_bank: 'blocks_resumed_at',
  disburse_funds_from_bank: 'payments_resumed_at',
};

/** Processes work on a database of which somebody says that it was restored or moved. Nothing was changed. */
export class ProcessesRunningError extends Error {
  override readonly name = 'ProcessesRunningError';
  readonly code = 'PROCESSES_RUNNING';

  constructor(running: number) {
    super(
      `${running === 1 ? 'A process works' : `${running} processes work`} on the database: stop all of them first, then ` +
        'say it again, then start. Nothing was changed.',
    );
  }
}

/** Another database was put in the place of the one that a process was started for: what it has in mind is of that one. */
export class DatabaseReplacedError extends Error {
  override readonly name = 'DatabaseReplacedError';
  readonly code = 'DATABASE_REPLACED';

  constructor() {
    super(
      'Another database was put in the place of the one that this process was started for, as a restored one is: ' +
        'the process ends. Start it again, which prepares it: docs/backup.md.',
    );
  }
}

/** What was found of a database before it is used. */
export type Origin =
  /** The one that it was, or a new one. */
  | { readonly kind: 'known' }
  /** It has been used before, by a version that did not note where: nobody can tell whether it was put back. */
  | { readonly kind: 'untold' }
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
    if (known === undefined) return firstNoted(sql, identity);
    if (known.identity === identity) return { kind: 'known' };
    const reason = 'The database is a copy of another, as after a restore from a backup.';
    return { kind: 'restored', held: await noteRestore(sql, identity, reason) };
  });
}

/**
 * Notes that a database was put back to an earlier state.
 *
 * @param url of a migrated database
 * @param reason in a person's words
 * @returns the stages that are paused now
 * @throws ProcessesRunningError when anybody works on it
 */
export function announceRestore(url: string, reason: string): Promise<readonly string[]> {
  return inTransaction(url, async (sql) => {
    await requireNobodyWorking(sql);
    return noteRestore(sql, await identityOf(sql), reason);
  });
}

/**
 * Notes that a database was moved and is exactly what it was: nothing is paused, nobody is asked. Where it was taken for
 * restored already, and nobody has resumed anything that moves money, that is taken back.
 *
 * @param url of a migrated database
 * @returns the stages that were paused for that and go on, and those that are paused still, for other reasons
 * @throws ProcessesRunningError when anybody works on it
 */
export function announceMove(url: string): Promise<Moved> {
  return inTransaction(url, async (sql) => {
    await requireNobodyWorking(sql);
    const identity = await identityOf(sql);
    const resumed = await takeBack(sql, identity);
    await noteOrigin(sql, identity);
    const paused = await sql<{ stage: string }[]>`select stage from actor_pauses order by stage`;
    return { resumed, paused: paused.map(({ stage }) => stage) };
  });
}

export interface Moved {
  readonly resumed: readonly string[];
  readonly paused: readonly string[];
}

/**
 * Notes that somebody lets a stage go on that a restore had paused, so that what comes from now on is not taken for
 * something that the backup lacks. The first time counts. Its time is the moment of the call: the transaction may have waited.
 */
export async function noteResumed(sql: Queryable, stage: string): Promise<void> {
  const column = RESUMED_AT[stage];
  if (column === undefined) return;
  await sql`update database_restores set ${sql(column)} = clock_timestamp() where ${sql(column)} is null`;
}

/** Whether the database is the one it was when somebody last looked who may note it. */
export async function isKnownOrigin(sql: Queryable): Promise<boolean> {
  const [known] = await sql<{ identity: string }[]>`select identity from database_origin`;
  return known === undefined || known.identity === (await identityOf(sql));
}

/** Remembers which database this is. @returns whether a connection leads to it, and not to one that was put in its place */
export async function remember(sql: Queryable): Promise<(other: Queryable) => Promise<boolean>> {
  const identity = await identityOf(sql);
  return async (other) => (await identityOf(other)) === identity;
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

/** A new database has nothing that could be lost; of one in use only people know. */
async function firstNoted(sql: Tx, identity: string): Promise<Origin> {
  await noteOrigin(sql, identity);
  const { count } = await sql`select from disbursement_envelopes limit 1`;
  return { kind: count > 0 ? 'untold' : 'known' };
}

/** Takes back that this database, the last one to be noted, was restored. @returns the stages that go on */
async function takeBack(sql: Tx, identity: string): Promise<readonly string[]> {
  const [taken] = await sql<{ noted_at: Date; reason: string }[]>`
    delete from database_restores where id = (select max(id) from database_restores) and identity = ${identity}
      and blocks_resumed_at is null and payments_resumed_at is null
    returning noted_at, reason`;
  if (!taken) return [];
  const prefix = `${reasonOf(taken.reason)}${BEFORE}`;
  await sql`
    update actor_pauses set reason = substr(reason, length(${prefix}) + 1) where starts_with(reason, ${prefix})`;
  const resumed = await sql<{ stage: string }[]>`
    delete from actor_pauses where by = ${BY} and paused_at = ${taken.noted_at} returning stage`;
  return resumed.map(({ stage }) => stage);
}

async function requireNobodyWorking(sql: Tx): Promise<void> {
  const running = await processesRunning(sql, PROCESSES_END_WITHIN_MS);
  if (running > 0) throw new ProcessesRunningError(running);
}

/** Why a stage waits; {@link BEFORE} goes before the reason of an earlier pause, which stays. */
const reasonOf = (reason: string): string =>
  `${reason} Compare with the bank before resuming: docs/backup.md.`;
const BEFORE = ' Before: ';

async function noteRestore(sql: Tx, identity: string, reason: string): Promise<readonly string[]> {
  const held = await sql<{ stage: string }[]>`
    insert into actor_pauses (stage, paused_at, by, reason)
    select stage, now(), ${BY}, ${reasonOf(reason)}
    from unnest(${[...HELD_AFTER_RESTORE]}::text[]) stage
    on conflict (stage) do update set reason = excluded.reason || ${BEFORE} || actor_pauses.reason
    returning stage`;
  await sql`
    insert into database_restores (noted_at, identity, reason, last_seq)
    select now(), ${identity}, ${reason}, coalesce(max(seq), 0) from actor_transitions`;
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
