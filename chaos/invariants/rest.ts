import { describe, inError } from '../records.ts';
import { actorsLeft, envelopesLeft } from '../what-is-left.ts';
import { invariant } from './with-database.ts';

/** What is in ERROR says why: in its row, and in the journal, whenever it came to stand there. */
export const atAnEnd = invariant(
  'Every actor is at an end, or in ERROR with a cause.',
  async function* (sql, { submitted }) {
    yield* await actorsLeft(sql);
    yield* await envelopesLeft(sql, submitted);
    for (const record of await inError(sql)) {
      if (record.code === null) yield { found: `${describe(record)}, without a code.`, at: record.since };
    }
    const causeless = await sql<{ seq: string; machine: string; id: string; region: string; at: Date }[]>`
      select seq, machine, actor_id as id, region, at from actor_transitions
      where to_state = 'ERROR' and from_state <> 'ERROR' and (error_code is null or error_message is null)
      order by seq limit 50`;
    for (const { seq, machine, id, region, at } of causeless) {
      yield {
        found: `${machine} ${id}: ${region} went to ERROR without a cause (journal entry ${seq}).`,
        at,
      };
    }
  },
);
