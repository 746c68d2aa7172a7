import type { Tx } from '../db/connection.ts';

/** First part of the keys of locks by name. */
const NAMES = 7_240_943;

/**
 * Waits until nobody else holds any of the names, and holds them until the transaction ends. Taken in one order for
 * everybody, so that two transactions never wait crosswise; therefore all at once, and before rows are locked.
 */
export async function lockNames(sql: Tx, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await sql`
    select pg_advisory_xact_lock(${NAMES}, key)
    from (select distinct hashtext(name) as key from unnest(${names as string[]}::text[]) name order by key) keys`;
}
