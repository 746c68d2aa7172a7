import { insertRows } from '../db/bulk.ts';
import type { Queryable, Tx } from '../db/connection.ts';
import { actorTransitions } from '../db/schema/runtime.ts';

/** One region that one transition touched; what the feed streams. */
export interface Transition {
  readonly seq: number;
  readonly at: Date;
  readonly machine: string;
  readonly actor_id: string;
  readonly correlation_id: string;
  readonly region: string;
  readonly event: string;
  readonly from_state: string;
  readonly to_state: string;
  readonly attempt: number;
  readonly job_id: string | null;
  readonly due_at: Date | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  /** The operator who caused it; null for what happens by itself. */
  readonly by: string | null;
  /** Why, in the operator's words. */
  readonly reason: string | null;
}

export type NewTransition = Omit<Transition, 'seq'>;

/** Held in share mode by every transaction that takes a sequence number, until it ends; see {@link readJournal}. */
const JOURNAL_LOCK = 7_240_941;

/**
 * Appends to the journal. The lock is taken before the sequence numbers are, so whoever sees a number missing can
 * wait for exactly the transactions that may still bring it.
 */
export async function appendJournal(tx: Tx, entries: readonly NewTransition[]): Promise<void> {
  if (entries.length === 0) return;
  await tx`select pg_advisory_xact_lock_shared(${JOURNAL_LOCK})`;
  await insertRows(tx, actorTransitions, entries as unknown as Record<string, unknown>[]);
}

/** Transactions that have taken sequence numbers and have not ended. */
export async function journalWriters(sql: Queryable): Promise<ReadonlySet<string>> {
  const rows = await sql<{ holder: string }[]>`
    select virtualtransaction || '/' || pid as holder from pg_locks
    where locktype = 'advisory' and classid = 0 and objid = ${JOURNAL_LOCK} and objsubid = 1 and granted
      and database = (select oid from pg_database where datname = current_database())`;
  return new Set(rows.map((row) => row.holder));
}

/** What to read of the journal; all conditions must hold. */
export interface JournalFilter {
  readonly machine?: string;
  readonly actor_id?: string;
  readonly correlation_id?: string;
  readonly region?: string;
  readonly to_state?: string;
}

/** Whether an entry fulfils all conditions of a filter; the same as {@link entriesAfter} asks the database for. */
export function matches(entry: Transition, filter: JournalFilter): boolean {
  return (
    (filter.machine === undefined || entry.machine === filter.machine) &&
    (filter.actor_id === undefined || entry.actor_id === filter.actor_id) &&
    (filter.correlation_id === undefined || entry.correlation_id === filter.correlation_id) &&
    (filter.region === undefined || entry.region === filter.region) &&
    (filter.to_state === undefined || entry.to_state === filter.to_state)
  );
}

/** Entries after a sequence number, and up to `until`, in order. */
export async function entriesAfter(
  sql: Queryable,
  after: number,
  limit: number,
  filter: JournalFilter = {},
  until?: number,
): Promise<Transition[]> {
  const rows = await sql<(Omit<Transition, 'seq'> & { seq: string })[]>`
    select * from actor_transitions
    where seq > ${after}
      ${until === undefined ? sql`` : sql`and seq <= ${until}`}
      ${filter.machine === undefined ? sql`` : sql`and machine = ${filter.machine}`}
      ${filter.actor_id === undefined ? sql`` : sql`and actor_id = ${filter.actor_id}`}
      ${filter.correlation_id === undefined ? sql`` : sql`and correlation_id = ${filter.correlation_id}`}
      ${filter.region === undefined ? sql`` : sql`and region = ${filter.region}`}
      ${filter.to_state === undefined ? sql`` : sql`and to_state = ${filter.to_state}`}
    order by seq limit ${limit}`;
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
}

/**
 * How many entries there are after a sequence number, up to `limit`, and the number of the last of them: without a gap
 * the two tell the same. Reads nothing but the index.
 */
export async function rangeAfter(
  sql: Queryable,
  after: number,
  limit: number,
): Promise<{ readonly count: number; readonly last: number }> {
  const [row] = await sql<{ count: string; last: string | null }[]>`
    select count(*) as count, max(seq) as last
    from (select seq from actor_transitions where seq > ${after} order by seq limit ${limit}) range`;
  return { count: Number(row?.count ?? 0), last: Number(row?.last ?? after) };
}

/** The highest sequence number that has been committed, also when its entry was removed since; 0 when there was none. */
export async function latestSeq(sql: Queryable): Promise<number> {
  const [row] = await sql<{ seq: string | null }[]>`
    select greatest((select max(seq) from actor_transitions), (select max(seq) from actor_pruned)) as seq`;
  return Number(row?.seq ?? 0);
}

/** When the history of some actors was removed as too old; null when it is whole. */
export async function prunedAt(sql: Queryable, correlationId: string): Promise<Date | null> {
  const [row] = await sql<{ at: Date }[]>`
    select pruned_at as at from actor_pruned where correlation_id = ${correlationId}`;
  return row?.at ?? null;
}

/**
 * Up to which sequence number the journal is not whole any more: the last entry that was removed, or is just being
 * removed, because it was older than is kept; 0 when there is none.
 *
 * @param correlationId only the entries of these actors; all unless told otherwise
 */
export async function prunedThrough(sql: Queryable, correlationId?: string): Promise<number> {
  const [row] = await sql<{ seq: string | null }[]>`
    select max(seq) as seq from actor_pruned
    ${correlationId === undefined ? sql`` : sql`where correlation_id = ${correlationId}`}`;
  return Number(row?.seq ?? 0);
}
