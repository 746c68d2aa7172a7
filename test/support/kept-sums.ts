import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Sql } from '../../src/db/connection.ts';

/** What an envelope keeps of its money; null where it keeps nothing. */
interface Sums {
  readonly id: string;
  readonly shipped: string;
  readonly reconciled: string;
  readonly reversed: string;
}

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

/** With what messages are about to add. */
const keptSums = (sql: Sql) => sql<Sums[]>`
  select c.disbursement_envelope_id as id,
    trim_scale(c.quantity_shipped + coalesce(m.shipped, 0)) as shipped,
    trim_scale(c.quantity_reconciled + coalesce(m.reconciled, 0)) as reconciled,
    trim_scale(c.quantity_reversed + coalesce(m.reversed, 0)) as reversed
  from envelope_batch_status_for_cash c
  left join (
    select actor_id,
      sum((event->>'quantity')::numeric) filter (where event->>'type' = 'shipped') as shipped,
      sum((event->>'quantity')::numeric) filter (where event->>'type' = 'reconciled') as reconciled,
      sum((event->>'quantity')::numeric) filter (where event->>'type' = 'reversed') as reversed
    from actor_messages where machine = 'envelope' group by 1
  ) m on m.actor_id = c.disbursement_envelope_id
  order by 1`;

const sumsOfTables = (sql: Sql) => sql<Sums[]>`
  select c.disbursement_envelope_id as id,
    trim_scale(coalesce(p.shipped, 0)) as shipped,
    trim_scale(coalesce(r.reconciled, 0)) as reconciled,
    trim_scale(coalesce(r.reversed, 0)) as reversed
  from envelope_batch_status_for_cash c
  left join (
    -- A disbursement has been paid in a batch that is done and did not leave it out, whoever handed the cash out.
    select b.disbursement_envelope_id as id, sum(d.disbursement_quantity) as shipped
    from disbursement_batch_control b join disbursements d on d.disbursement_batch_control_id = b.id
    where b.sponsor_bank_dispatch_status = 'PROCESSED'
      and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null
    group by 1
  ) p on p.id = c.disbursement_envelope_id
  left join (
    select disbursement_envelope_id as id, sum(remittance_amount) as reconciled,
      sum(remittance_amount) filter (where reversal_found) as reversed
    from disbursement_recons group by 1
  ) r on r.id = c.disbursement_envelope_id
  order by 1`;
