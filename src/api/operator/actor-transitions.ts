import type { z } from 'zod';
import { prunedAt, type Transition } from '../../runtime/journal.ts';
import { actorParams } from './actor-detail.ts';
import { readRow } from './actor-row.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import { actorNamed, actorUnknown } from './family.ts';
import { atOneMoment } from './one-moment.ts';
import { onWire } from './transition-on-wire.ts';
import { transitions } from './wire/actors.ts';
import { page } from './wire/common.ts';

/** `GET /operator/actors/{machine}/{id}/transitions`: its journal, also of an actor that is not there any more. */
export const readTransitions = endpoint({
  method: 'GET',
  path: '/operator/actors/{machine}/{id}/transitions',
  summary: 'What happened to one actor, the latest first',
  role: 'viewer',
  params: actorParams,
  query: page as z.ZodType<z.output<typeof page>>,
  answer: transitions,
  refusals: { MACHINE_UNKNOWN: 404, ACTOR_UNKNOWN: 404, CURSOR_INVALID: 400 },
  handle({ system, database }, { params: { machine, id }, query: { cursor, limit } }) {
    const actor = actorNamed(system, machine);
    const [before] = decodeCursor(cursor, ['number']) ?? [Number.MAX_SAFE_INTEGER];
    return atOneMoment(database, async (sql) => {
      const rows = await sql<(Omit<Transition, 'seq'> & { seq: string })[]>`
        select * from actor_transitions
        where machine = ${machine} and actor_id = ${id} and seq < ${before}
        order by seq desc limit ${limit + 1}`;
      const row = rows.length === 0 ? await readRow(sql, actor, id) : null;
      if (rows.length === 0 && !row) throw actorUnknown(machine, id);
      const correlation = rows[0]?.correlation_id ?? String(row?.[actor.correlation]);
      const entries = rows.slice(0, limit).map((row) => onWire({ ...row, seq: Number(row.seq) }));
      const last = rows.length > limit ? entries.at(-1) : undefined;
      return {
        transitions: entries,
        next_cursor: last ? encodeCursor([last.seq]) : null,
        removed_at: (await prunedAt(sql, correlation))?.toISOString() ?? null,
      };
    });
  },
});
