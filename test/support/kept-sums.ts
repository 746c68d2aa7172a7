import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { keptSums, sumsOfTables } from '../../chaos/invariants/kept-sums.ts';
import type { Sql } from '../../src/db/connection.ts';

const MIGRATION = new URL('../../drizzle/0003_operators.sql', import.meta.url);

/**
 * Requires that what envelopes keep of their money is what the tables say, once the messages that are still on their way
 * are counted in; and that an update of a database without the sums comes to the same. Nothing may be running.
 */
export async function requireKeptSums(sql: Sql): Promise<void> {
  const expected = await sumsOfTables(sql);
  expect(await keptSums(sql)).toEqual(expected);
  const backfill = (await readFile(MIGRATION, 'utf8')).split('--> statement-breakpoint').at(-1) ?? '';
  await sql`delete from actor_messages where event->>'type' in ('shipped', 'reconciled', 'reversed')`;
  await sql`update envelope_batch_status_for_cash
    set quantity_shipped = 0, quantity_reconciled = 0, quantity_reversed = 0`;
  await sql.unsafe(backfill);
  expect(await keptSums(sql)).toEqual(expected);
}
