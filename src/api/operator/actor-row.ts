import { quoted } from '../../db/bulk.ts';
import type { Tx } from '../../db/connection.ts';
import type { Actor } from '../../runtime/actor.ts';
import type { Row } from '../../runtime/codec.ts';
import { joinedTables } from './family.ts';
import type { ActorDetail } from './wire/actors.ts';

/** An actor's row, all its tables joined; null when there is none. */
export async function readRow(sql: Tx, actor: Actor, id: string): Promise<Row | null> {
  const [main] = actor.tables;
  const [row] = await sql.unsafe<Row[]>(
    `select ${actor.tables.map((_, n) => `t${n}.*`).join(', ')} from ${joinedTables(actor)}
     where t0.${quoted(main.id)} = $1`,
    [id],
  );
  // Joined tables repeat the id, as null where they have no row.
  return row ? { ...row, [main.id]: id } : null;
}

/** The same row as text, column by column in the order of its tables. */
export async function readRowAsText(sql: Tx, actor: Actor, id: string): Promise<ActorDetail['row']> {
  const columns: ActorDetail['row'] = [];
  for (const table of actor.tables) {
    const rows = await sql<{ column: string; value: string | null }[]>`
      select c.key as column, c.value
      from ${sql(table.name)} t, lateral json_each_text(row_to_json(t)) c
      where t.${sql(table.id)} = ${id}`;
    columns.push(...rows.map(({ column, value }) => ({ table: table.name, column, value })));
  }
  return columns;
}
