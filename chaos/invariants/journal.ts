import { quoted } from '../../src/db/bulk.ts';
import type { Sql } from '../../src/db/connection.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import { ACTORS, statementActor } from '../../src/stages/actors.ts';
import { type ReplayedEntry, replay } from './replay.ts';
import { type Finding, invariant } from './with-database.ts';

type Row = Readonly<Record<string, unknown>>;
interface Entry extends ReplayedEntry {
  readonly machine: string;
  readonly actor_id: string;
}

const ENVELOPES_AT_ONCE = 20;
const STATEMENTS_AT_ONCE = 500;
const OF_ENVELOPES = ACTORS.filter((actor) => actor !== statementActor);

/** What the journal says of every actor is what its row says. */
export const journalGivesRows = invariant(
  'The journal of every actor, replayed, gives its row.',
  async function* (sql, { submitted }) {
    for (let n = 0; n < submitted.length; n += ENVELOPES_AT_ONCE) {
      const envelopes = submitted.slice(n, n + ENVELOPES_AT_ONCE).map(({ envelopeId }) => envelopeId);
      const entries = await entriesOf(sql, envelopes);
      for (const actor of OF_ENVELOPES) {
        yield* compare(actor, await rowsOf(sql, actor, actor.correlation, envelopes), entries);
      }
    }
    for (let after = ''; ; ) {
      const ids = (
        await sql<{ id: string }[]>`
          select statement_id as id from account_statements where statement_id > ${after}
          order by statement_id limit ${STATEMENTS_AT_ONCE}`
      ).map(({ id }) => id);
      const last = ids.at(-1);
      if (last === undefined) return;
      const rows = await rowsOf(sql, statementActor, statementActor.correlation, ids);
      yield* compare(statementActor, rows, await entriesOf(sql, ids));
      after = last;
    }
  },
);

/** The journal of some correlations, by machine and actor. */
async function entriesOf(sql: Sql, correlations: readonly string[]): Promise<ReadonlyMap<string, Entry[]>> {
  const entries = await sql<Entry[]>`
    select machine, actor_id, at, region, event, to_state, attempt, job_id, due_at, error_code
    from actor_transitions where correlation_id = any(${correlations as string[]}) order by seq`;
  return Map.groupBy(entries, ({ machine, actor_id }) => `${machine} ${actor_id}`);
}

async function rowsOf(sql: Sql, actor: Actor, column: string, values: readonly string[]): Promise<Row[]> {
  const [main, ...others] = actor.tables;
  const joins = others.map(
    ({ name, id }, n) => `join ${quoted(name)} t${n} on t${n}.${quoted(id)} = m.${quoted(main.id)}`,
  );
  return sql.unsafe<Row[]>(
    `select *, m.${quoted(main.id)} as "the id" from ${quoted(main.name)} m ${joins.join(' ')}
     where m.${quoted(column)} = any($1::text[])`,
    [values as string[]],
  );
}

function* compare(
  actor: Actor,
  rows: readonly Row[],
  entries: ReadonlyMap<string, readonly Entry[]>,
): Generator<Finding> {
  for (const row of rows) {
    const id = String(row['the id']);
    const journal = entries.get(`${actor.name} ${id}`) ?? [];
    for (const [column, said] of Object.entries(replay(actor, journal))) {
      const stored = row[column];
      if (textOf(said) === textOf(stored)) continue;
      if (isSubmission(actor, column, journal, stored)) continue;
      const found = `${actor.name} ${id}: ${column} is ${textOf(stored)}, and by its journal ${textOf(said)}.`;
      yield { found, at: journal.at(-1)?.at ?? null };
    }
  }
}

/**
 * Whether a row may say so of a submission: the journal tells when something was about to be sent, but not whether an
 * attempt that failed has sent it. So it may be any such moment since the submission was begun anew, or none when an
 * attempt has failed since.
 */
function isSubmission(actor: Actor, column: string, journal: readonly Entry[], stored: unknown): boolean {
  const stage = actor.stages.find(({ columns }) => columns.submitted_at === column);
  if (!stage) return false;
  let moments: string[] = [];
  let mayBeNone = true;
  for (const { region, event, at } of journal) {
    if (region !== stage.region) continue;
    if (event === 'submitting') {
      moments.push(at.toISOString());
      mayBeNone = false;
    } else if (event === 'failed' || event === 'postponed') mayBeNone = true;
    else if (event === 'refused' || event === 'restart' || event === 'reset') {
      moments = [];
      mayBeNone = true;
    }
  }
  return stored === null ? mayBeNone : moments.includes(textOf(stored));
}

const textOf = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));
