import type { Sql } from '../../src/db/connection.ts';
import type { Finished, Invariant, Violation } from '../contract.ts';

/** Something that an invariant found. */
export interface Finding {
  /** Names the records. */
  readonly found: string;
  readonly at?: Date | null;
}

/** Found of one invariant at most: whoever reads on looks for one cause, not for a thousand effects. */
const FOUND_MAX = 50;

/**
 * An invariant that is looked for with a connection to the bridge's database of its own.
 *
 * @param name a sentence
 * @param look yields what is not so; is not asked for more after fifty
 */
export function invariant(
  name: string,
  look: (sql: Sql, run: Finished) => AsyncGenerator<Finding, void, void>,
): Invariant {
  return {
    name,
    async check(run) {
      const database = run.world.openDatabase();
      const violations: Violation[] = [];
      try {
        for await (const { found, at } of look(database.sql, run)) {
          if (violations.length === FOUND_MAX) {
            violations.push({ invariant: name, found: 'There is more of this.', at: null });
            break;
          }
          violations.push({ invariant: name, found, at: at ?? null });
        }
      } finally {
        await database.close();
      }
      return violations;
    },
  };
}

/** When the journal last mentions an envelope; null: never. */
export async function lastHeardOf(sql: Sql, correlation: string): Promise<Date | null> {
  const [row] = await sql<{ at: Date }[]>`
    select at from actor_transitions where correlation_id = ${correlation} order by seq desc limit 1`;
  return row?.at ?? null;
}
