import { quoted } from '../src/db/bulk.ts';
import type { Sql } from '../src/db/connection.ts';
import type { Actor, StageRegion } from '../src/runtime/actor.ts';
import { ACTORS } from '../src/stages/actors.ts';

/** One region of one actor, as its row has it. */
export interface RegionOfRecord {
  readonly machine: string;
  readonly region: string;
  readonly id: string;
  /** The envelope, or the statement. */
  readonly correlation: string;
  readonly state: string;
  /** Null: it waits for something else. */
  readonly dueAt: Date | null;
  readonly since: Date | null;
  readonly code: string | null;
}

/** Listed of one region at most; whoever lists more has no use for it. */
const LISTED_MAX = 500;

/** Work of actors that has not come to an end, and is not in ERROR. */
export const unfinished = (sql: Sql): Promise<RegionOfRecord[]> =>
  regionsIn(sql, ({ pending, askAgain, processing }) => [pending, ...askAgain, processing]);

/** Work of actors that is in ERROR. */
export const inError = (sql: Sql): Promise<RegionOfRecord[]> => regionsIn(sql, () => ['ERROR']);

async function regionsIn(
  sql: Sql,
  statesOf: (stage: StageRegion) => readonly string[],
): Promise<RegionOfRecord[]> {
  const found: RegionOfRecord[] = [];
  for (const actor of ACTORS) {
    for (const stage of actor.stages) found.push(...(await regionIn(sql, actor, stage, statesOf(stage))));
  }
  return found;
}

async function regionIn(
  sql: Sql,
  actor: Actor,
  { region, columns }: StageRegion,
  states: readonly string[],
): Promise<RegionOfRecord[]> {
  const table = actor.tables.find((one) => one.columns.includes(columns.status)) ?? actor.tables[0];
  const correlation = table === actor.tables[0] ? actor.correlation : table.id;
  // States are named in the text, so that the partial indexes on what is open are used.
  const list = states.map((state) => `'${state}'`).join(', ');
  const rows = await sql.unsafe<Omit<RegionOfRecord, 'machine' | 'region'>[]>(
    `select ${quoted(table.id)} as id, ${quoted(correlation)} as correlation, ${quoted(columns.status)} as state,
       ${quoted(columns.due_at)} as "dueAt", ${quoted(columns.timestamp)} as since,
       ${quoted(columns.latest_error_code)} as code
     from ${quoted(table.name)} where ${quoted(columns.status)} in (${list}) limit ${LISTED_MAX}`,
  );
  return rows.map((row) => ({ machine: actor.name, region, ...row }));
}

/** As a person reads it: "batch B1, fa_resolution PENDING since …". */
export function describe({ machine, id, region, state, dueAt, since, code }: RegionOfRecord): string {
  const due = dueAt === null ? 'waiting for something else' : `due at ${dueAt.toISOString()}`;
  const open = state === 'ERROR' ? '' : `, ${due}`;
  return `${machine} ${id}: ${region} is ${state} since ${since?.toISOString() ?? 'ever'}${open}${code === null ? '' : `, ${code}`}`;
}
