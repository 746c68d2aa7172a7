import { quoted } from '../../db/bulk.ts';
import type { Queryable } from '../../db/connection.ts';
import type { SnapshotView } from '../../runtime/codec.ts';
import { isPayersWork, isSubmittedText } from './payers-work.ts';
import type { StageInfo } from './stages.ts';
import { PAYER_CODES } from './wire/actions.ts';

/** What can be done to work. */
export type WorkActionName = 'retry' | 'release' | 'dispatch';

/** Work of one stage that an action is for. */
export interface WorkSelection {
  readonly info: StageInfo;
  readonly action: WorkActionName;
  /** Undefined: all that fit the rest. */
  readonly ids?: readonly string[] | undefined;
  readonly code?: string | undefined;
  readonly envelope?: string | undefined;
  /** Only what has stood there since this moment or longer. */
  readonly asOf?: Date | undefined;
}

/**
 * Ids of the work that an action is for, what has stood there longest first. Found by the partial indexes of the stage.
 *
 * @param now what is due at this moment counts as waiting
 */
export async function selectWork(
  sql: Queryable,
  selection: WorkSelection,
  now: Date,
  limit: number,
): Promise<string[]> {
  const { id, from, where, order, values } = textsOf(selection, now);
  const rows = await sql.unsafe<{ id: string }[]>(
    `select t.${id} as id from ${from} t
     where ${where} and not ${isParked(id, values.push(selection.info.actor.name))}
     order by ${order}, t.${id} limit $${values.push(limit)}`,
    values as never[],
  );
  return rows.map((row) => row.id);
}

/**
 * How many pieces of work an action is for, exactly.
 *
 * @param only `payer`: those of which only a payer may decide, see {@link isPayersWork}
 */
export async function countWork(
  sql: Queryable,
  selection: WorkSelection,
  now: Date,
  only: 'all' | 'payer' = 'all',
): Promise<number> {
  const { id, from, where, code, values } = textsOf(selection, now);
  const payers = only === 'payer' ? `and ${isPayersText(selection.info, code, values)}` : '';
  // Few are parked: taking them off is quicker than asking of each record whether it is.
  const machine = `$${values.push(selection.info.actor.name)}`;
  const [row] = await sql.unsafe<{ count: string }[]>(
    `select (select count(*) from ${from} t where ${where} ${payers})
       - (select count(*) from actor_parked p join ${from} t on t.${id} = p.actor_id
          where p.machine = ${machine} and ${where} ${payers}) as count`,
    values as never[],
  );
  return Number(row?.count ?? 0);
}

/**
 * Whether an actor, as it stands under its lock, is still one that an action is for. Whether its state allows the action
 * is the runtime's affair.
 *
 * @param isPayer whether what only a payer may decide about may be among them
 */
export function stillFits(
  { info, code, asOf }: WorkSelection,
  { context }: SnapshotView,
  isPayer: boolean,
): boolean {
  const stage = context.stages[info.region.region];
  if (!stage) return false;
  if (code !== undefined && stage.errorCode !== code) return false;
  if (!isPayer && isPayersWork(info, stage)) return false;
  return asOf === undefined || stage.timestamp === null || stage.timestamp <= asOf;
}

interface Texts {
  readonly id: string;
  readonly from: string;
  readonly where: string;
  readonly order: string;
  readonly code: string;
  /** Of the parameters so far. */
  readonly values: unknown[];
}

/** The states are written out, as the partial indexes have them; they are the machine's words and no input. */
function textsOf({ info, action, ids, code, envelope, asOf }: WorkSelection, now: Date): Texts {
  const { actor, region, states } = info;
  const [main] = actor.tables;
  const table = actor.tables.find(({ columns }) => columns.includes(region.columns.status)) ?? main;
  // Further tables hold the rest of the same row, under the same id.
  const correlation = table === main ? actor.correlation : table.id;
  const column = {
    status: quoted(region.columns.status),
    code: quoted(region.columns.latest_error_code),
    timestamp: quoted(region.columns.timestamp),
    dueAt: quoted(region.columns.due_at),
  };
  const values: unknown[] = [];
  const is = (state: string) => `t.${column.status} = '${state}'`;
  const waits = [region.pending, ...region.askAgain].map((state) => `'${state}'`).join(', ');
  const conditions =
    action === 'dispatch'
      ? [
          region.askAgain.length === 0 ? is(region.pending) : `t.${column.status} in (${waits})`,
          // What has no time waits for something else; what was never tried has its time for a reason (a schedule date).
          `t.${column.dueAt} is not null`,
          `(t.${column.dueAt} <= $${values.push(now)} or t.${column.code} is not null)`,
        ]
      : [is(states.error)];
  if (ids) conditions.push(`t.${quoted(table.id)} = any($${values.push([...new Set(ids)])}::text[])`);
  if (code !== undefined) conditions.push(`t.${column.code} = $${values.push(code)}`);
  if (envelope !== undefined) conditions.push(`t.${quoted(correlation)} = $${values.push(envelope)}`);
  if (asOf) {
    const at = `t.${column.timestamp}`;
    conditions.push(`(${at} is null or ${at} <= $${values.push(asOf)})`);
  }
  return {
    id: quoted(table.id),
    from: quoted(table.name),
    where: conditions.join(' and '),
    order: action === 'dispatch' ? `t.${column.dueAt}` : `t.${column.timestamp}`,
    code: column.code,
    values,
  };
}

/** {@link isPayersWork} as the database has it. */
function isPayersText(info: StageInfo, code: string, values: unknown[]): string {
  const isSubmitted = isSubmittedText(info, 't.');
  const hasCode = `coalesce(t.${code} = any($${values.push([...PAYER_CODES])}::text[]), false)`;
  return isSubmitted === null ? hasCode : `(${hasCode} or ${isSubmitted})`;
}

const isParked = (id: string, parameter: number): string =>
  `exists (select from actor_parked p where p.machine = $${parameter} and p.actor_id = t.${id})`;
