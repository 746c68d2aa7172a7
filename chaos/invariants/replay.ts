import type { Actor, StageRegion } from '../../src/runtime/actor.ts';
import type { Transition } from '../../src/runtime/journal.ts';

type Columns = Record<string, unknown>;
/** What of an entry of the journal its actor's row is made of. */
export type ReplayedEntry = Pick<
  Transition,
  'at' | 'region' | 'event' | 'to_state' | 'attempt' | 'job_id' | 'due_at' | 'error_code'
>;

/**
 * Makes the status columns of an actor's row out of nothing but its journal.
 *
 * @param entries the whole journal of one actor, in order
 */
export function replay(actor: Actor, entries: readonly ReplayedEntry[]): Columns {
  const columns: Columns = {};
  for (const stage of actor.stages) Object.assign(columns, untouched(actor, stage));
  for (const [region, column] of Object.entries(actor.states)) columns[column] = initialState(actor, region);
  for (const entry of entries) {
    if (entry.event === 'late') continue;
    const stage = actor.stages.find(({ region }) => region === entry.region);
    if (stage) Object.assign(columns, afterwards(stage, entry, columns));
    const column = actor.states[entry.region];
    if (column !== undefined) columns[column] = entry.to_state;
  }
  return columns;
}

const initialState = (actor: Actor, region: string): string =>
  String(actor.machine.states[region]?.config.initial);

function untouched(actor: Actor, { region, columns }: StageRegion): Columns {
  return {
    [columns.status]: initialState(actor, region),
    [columns.timestamp]: null,
    [columns.attempts]: 0,
    [columns.latest_error_code]: null,
    [columns.job_id]: null,
    [columns.due_at]: null,
    ...(columns.submission === null ? {} : { [columns.submission]: 1 }),
    ...(columns.submitted_at === null ? {} : { [columns.submitted_at]: null }),
  };
}

function afterwards({ columns, processing }: StageRegion, entry: ReplayedEntry, before: Columns): Columns {
  const announces = entry.event === 'submitting';
  const refused = entry.event === 'refused';
  const anew = entry.event === 'restart' || entry.event === 'reset';
  const { submission, submitted_at } = columns;
  const submits = refused || (anew && submitted_at !== null && before[submitted_at] !== null);
  return {
    [columns.status]: entry.to_state,
    // Announcing a submission is not a change of the status.
    [columns.timestamp]: announces ? before[columns.timestamp] : entry.at,
    [columns.attempts]: entry.attempt,
    [columns.latest_error_code]: entry.error_code,
    // An entry also names the job that has just ended.
    [columns.job_id]: entry.to_state === processing ? entry.job_id : null,
    [columns.due_at]: entry.due_at,
    ...(submission === null || !submits ? {} : { [submission]: Number(before[submission]) + 1 }),
    ...(submitted_at === null || !(refused || anew) ? {} : { [submitted_at]: null }),
    ...(submitted_at === null || !announces ? {} : { [submitted_at]: before[submitted_at] ?? entry.at }),
  };
}
