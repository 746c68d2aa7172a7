import type { Database } from '../../src/db/connection.ts';

/** Tables that hold only what is under way or lately done: they must stop growing. */
export const BOUNDED_TABLES = [
  'public.actor_transitions',
  'public.actor_messages',
  'public.actor_claims',
  'public.actor_flow',
  'public.partner_requests',
  'pgboss.job_common',
] as const;

/** Tables of records that are written again and again while they are worked on. */
export const WORKED_TABLES = [
  'public.disbursement_batch_control',
  'public.envelope_control',
  'public.envelope_batch_status_for_cash',
  'public.actor_counts',
] as const;

/** What the server knows of a table at a moment. */
export interface TableSize {
  readonly table: string;
  /** With its indexes. */
  readonly bytes: number;
  readonly rows: number;
  readonly dead: number;
  /** Of 100 updates so many needed no entry in an index; null when there was none. */
  readonly hot_percent: number | null;
}

/** The sizes of the hot tables, as the statistics of the server have them. */
export async function tableSizes({ sql }: Database): Promise<TableSize[]> {
  const names = [...BOUNDED_TABLES, ...WORKED_TABLES];
  return sql<TableSize[]>`
    select schemaname || '.' || relname as table, pg_total_relation_size(relid)::float8 as bytes,
      n_live_tup::float8 as rows, n_dead_tup::float8 as dead,
      round(100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0))::int as hot_percent
    from pg_stat_user_tables where schemaname || '.' || relname = any(${names as unknown as string[]})
    order by array_position(${names as unknown as string[]}, schemaname || '.' || relname)`;
}

/** All tables of the database with their indexes, in bytes. */
export async function databaseBytes({ sql }: Database): Promise<number> {
  const [row] = await sql<[{ bytes: number }]>`
    select sum(pg_total_relation_size(relid))::float8 as bytes from pg_stat_user_tables`;
  return row.bytes;
}
