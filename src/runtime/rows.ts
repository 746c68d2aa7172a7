import { quoted, recordset } from '../db/bulk.ts';
import type { Tx } from '../db/connection.ts';
import type { Actor } from './actor.ts';
import type { Row } from './codec.ts';

/** What of an actor's row was read and what it is to become, by column. */
export interface RowChange {
  readonly id: string;
  readonly stored: Readonly<Record<string, unknown>>;
  readonly next: Readonly<Record<string, unknown>>;
}

const texts = new WeakMap<Actor, { readonly lock: string; readonly read: string }>();

/** Locks actors by id, in the order of their ids so that two transactions never wait crosswise, and reads their rows. */
export async function lockRows(tx: Tx, actor: Actor, ids: readonly string[]): Promise<readonly Row[]> {
  const { lock, read } = statements(actor);
  // Two statements: a join that locks one table would read the others as they were before it waited for the lock.
  await tx.unsafe(lock, [ids as string[]], { prepare: true });
  return tx.unsafe<Row[]>(read, [ids as string[]], { prepare: true });
}

/** Stores what has changed: one statement per table, whatever the number of rows. */
export async function updateRows(tx: Tx, actor: Actor, changes: readonly RowChange[]): Promise<void> {
  const changed = new Set<string>();
  const rows: RowChange[] = [];
  for (const change of changes) {
    const differing = Object.keys(change.next).filter((name) => change.next[name] !== change.stored[name]);
    for (const column of differing) changed.add(column);
    if (differing.length > 0) rows.push(change);
  }
  if (rows.length === 0) return;
  for (const table of actor.tables) {
    const columns = table.columns.filter((column) => changed.has(column));
    if (columns.length === 0) continue;
    const records = rows.map(({ id, next }) => {
      const record: Record<string, unknown> = { [table.id]: id };
      for (const column of columns) record[column] = next[column];
      return record;
    });
    const set = columns.map((column) => `${quoted(column)} = v.${quoted(column)}`).join(', ');
    const text =
      `update ${quoted(table.name)} as t set ${set} ` +
      `from json_to_recordset($1::json) as v(${recordset(table.table, [table.id, ...columns])}) ` +
      `where t.${quoted(table.id)} = v.${quoted(table.id)}`;
    await tx.unsafe(text, [JSON.stringify(records)], { prepare: true });
  }
}

function statements(actor: Actor): { readonly lock: string; readonly read: string } {
  const known = texts.get(actor);
  if (known) return known;
  const [main, ...others] = actor.tables;
  const columns = actor.tables.flatMap((table, index) =>
    table.columns.map((name) => `t${index}.${quoted(name)}`),
  );
  for (const name of new Set([main.id, actor.correlation])) {
    if (!main.columns.includes(name)) columns.push(`t0.${quoted(name)}`);
  }
  const joins = others.map(
    (table, index) =>
      ` join ${quoted(table.name)} t${index + 1} on t${index + 1}.${quoted(table.id)} = t0.${quoted(main.id)}`,
  );
  const these = `t0.${quoted(main.id)} = any($1::text[])`;
  const made = {
    lock: `select 1 from ${quoted(main.name)} t0 where ${these} order by t0.${quoted(main.id)} for no key update`,
    read: `select ${columns.join(', ')} from ${quoted(main.name)} t0${joins.join('')} where ${these}`,
  };
  texts.set(actor, made);
  return made;
}
