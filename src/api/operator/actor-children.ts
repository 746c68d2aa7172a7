import type { z } from 'zod';
import { quoted } from '../../db/bulk.ts';
import type { Actor } from '../../runtime/actor.ts';
import type { Row } from '../../runtime/codec.ts';
import { actorParams } from './actor-detail.ts';
import { readRow } from './actor-row.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import { actorNamed, actorUnknown, joinedTables, parentMachineOf } from './family.ts';
import { atOneMoment } from './one-moment.ts';
import { ProblemError } from './problem.ts';
import { children, childrenQuery } from './wire/actors.ts';

/** `GET /operator/actors/{machine}/{id}/children?machine=`: in the order of their ids. */
export const readChildren = endpoint({
  method: 'GET',
  path: '/operator/actors/{machine}/{id}/children',
  summary: 'The actors of one machine that belong to an actor',
  role: 'viewer',
  params: actorParams,
  query: childrenQuery as z.ZodType<z.output<typeof childrenQuery>>,
  answer: children,
  refusals: { MACHINE_UNKNOWN: 404, ACTOR_UNKNOWN: 404, NOT_CHILDREN: 400, CURSOR_INVALID: 400 },
  handle({ system, database }, { params: { machine, id }, query: { machine: of, cursor, limit } }) {
    const parent = actorNamed(system, machine);
    const actor = actorNamed(system, of);
    if (parentMachineOf(of) !== machine)
      throw new ProblemError(400, 'NOT_CHILDREN', `A ${machine} has no children of the machine ${of}.`);
    const [after] = decodeCursor(cursor, ['text']) ?? [''];
    return atOneMoment(database, async (sql) => {
      const rows = await sql.unsafe<(Row & { id: string })[]>(childrenText(actor), [id, after, limit + 1]);
      if (rows.length === 0 && !(await readRow(sql, parent, id))) throw actorUnknown(machine, id);
      const these = rows.slice(0, limit);
      const last = rows.length > limit ? these.at(-1) : undefined;
      return {
        children: these.map((row) => ({ machine: of, id: row.id, regions: statesOf(actor, row) })),
        next_cursor: last ? encodeCursor([last.id]) : null,
      };
    });
  },
});

/**
 * The children are found by their parent first, and sorted then: a parent has a batch's worth of them at most, or a few
 * thousand batches. The order of ids alone would lead through everybody else's children.
 */
function childrenText(actor: Actor): string {
  const [main] = actor.tables;
  const statuses = statusColumns(actor).map(([, column]) => quoted(column));
  return `
    with family as materialized (
      select t0.${quoted(main.id)} as id from ${quoted(main.name)} t0
      where t0.${quoted(actor.parent)} = $1 and t0.${quoted(main.id)} > $2
    ), these as materialized (select id from family order by id limit $3)
    select t0.${quoted(main.id)} as id, ${statuses.join(', ')}
    from these join ${joinedTables(actor)} on t0.${quoted(main.id)} = these.id order by 1`;
}

const statusColumns = ({ stages, states }: Actor): (readonly [region: string, column: string])[] => [
  ...stages.map(({ region, columns }) => [region, columns.status] as const),
  ...Object.entries(states),
];

const statesOf = (actor: Actor, row: Row) =>
  statusColumns(actor).map(([region, column]) => ({ region, state: String(row[column]) }));
