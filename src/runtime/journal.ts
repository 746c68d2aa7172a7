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
}

/** Entries after a sequence number, in order. */
export async function entriesAfter(
  sql: Queryable,
  after: number,
  limit: number,
  filter: JournalFilter = {},
): Promise<Transition[]> {
  const rows = await sql<(Omit<Transition, 'seq'> & { seq: string })[]>`
    select * from actor_transitions
    where seq > ${after}
      ${filter.machine === undefined ? sql`` : sql`and machine = ${filter.machine}`}
      ${filter.actor_id === undefined ? sql`` : sql`and actor_id = ${filter.actor_id}`}
      ${filter.correlation_id === undefined ? sql`` : sql`and correlation_id = ${filter.correlation_id}`}
    order by seq limit ${limit}`;
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
}

/** The highest sequence number that has been committed; 0 when the journal is empty. */
export async function latestSeq(sql: Queryable): Promise<number> {
  const [row] = await sql<{ seq: string | null }[]>`select max(seq) as seq from actor_transitions`;
  return Number(row?.seq ?? 0);
}
