import { quoted } from '../../db/bulk.ts';
import type { Sql, Tx } from '../../db/connection.ts';
import type { Rows, Search } from '../storage.ts';

/** Finds and locks actors whose time has come, oldest first; parked actors and locked rows are skipped. */
export async function search(tx: Tx, by: Search): Promise<string[]> {
  const { actor } = by;
  const [main] = actor.tables;
  const table = actor.tables.find(({ columns }) => columns.includes(by.statusColumn)) ?? main;
  const t = table === main ? 'm' : 't';
  const id = `m.${quoted(main.id)}`;
  const time = `${t}.${quoted(by.timeColumn)}`;
  const rows = await tx.unsafe<{ id: string }[]>(
    `select ${id} as id
     from ${quoted(main.name)} m
     ${table === main ? '' : `join ${quoted(table.name)} t on t.${quoted(table.id)} = ${id}`}
     where ${t}.${quoted(by.statusColumn)} in (${by.states.map((state) => `'${state}'`).join(', ')})
       and ${time} <= $1
       and not exists (select from actor_parked p where p.machine = $2 and p.actor_id = ${id})
       ${by.unlessMailWaits ? `and not exists (select from actor_messages x where x.machine = $2 and x.actor_id = ${id})` : ''}
     order by ${time} limit $3 for no key update of m skip locked`,
    [by.until, actor.name, by.limit],
  );
  return rows.map((row) => row.id);
}

/** Notes why an actor is left alone. */
export async function park(tx: Tx, machine: string, id: string, reason: string, at: Date): Promise<void> {
  await tx`
    insert into actor_parked (machine, actor_id, reason, parked_at)
    values (${machine}, ${id}, ${reason}, ${at})
    on conflict (machine, actor_id) do update set reason = excluded.reason`;
}

/** Takes actors off the list of those that are parked, those first that were parked first. */
export async function takeParked(tx: Tx, machine: string, limit: number): Promise<string[]> {
  const rows = await tx<{ actor_id: string }[]>`
    delete from actor_parked where machine = ${machine} and actor_id in (
      select actor_id from actor_parked where machine = ${machine}
      order by parked_at limit ${limit} for update skip locked
    ) returning actor_id`;
  return rows.map(({ actor_id }) => actor_id);
}

/** Keeps the last tick of each stage, whichever process ran it. */
export async function keepTick(
  sql: Sql,
  { stage, at, dispatched, stale }: Parameters<Rows['keepTick']>[1],
): Promise<void> {
  await sql`
    insert into actor_ticks as t (stage, at, dispatched, stale)
    values (${stage}, ${at}, ${dispatched}, ${stale})
    on conflict (stage) do update set at = excluded.at, dispatched = excluded.dispatched, stale = excluded.stale
    where t.at <= excluded.at`;
}

/** What the database's clock shows. */
export async function now(sql: Sql): Promise<Date> {
  const [row] = await sql<{ at: Date }[]>`select clock_timestamp() as at`;
  return row?.at ?? new Date();
}
