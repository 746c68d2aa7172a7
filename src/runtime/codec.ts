import type { AnyStateMachine, SnapshotFrom } from 'xstate';
import type { Actor, StageRegion } from './actor.ts';
import { UnknownStateError } from './errors.ts';

/** A row as the driver gives it, all tables of the actor joined. */
export type Row = Readonly<Record<string, unknown>>;

/** What the runtime reads of any snapshot: the convention that all durable machines share. */
export interface StageView {
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly timestamp: Date | null;
  readonly jobId: string | null;
  readonly dueAt: Date | null;
  readonly submission: number;
  readonly submittedAt: Date | null;
}

export interface SnapshotView {
  readonly value: Readonly<Record<string, string>>;
  readonly context: {
    readonly id: string;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly stages: Readonly<Record<string, StageView>>;
  };
}

/** Any snapshot of an actor's machine, seen through the convention. */
export const view = (snapshot: unknown): SnapshotView => snapshot as SnapshotView;

/**
 * Makes the snapshot that a row stands for.
 *
 * @param maxAttempts attempts allowed for each stage region, by region
 * @throws UnknownStateError naming table, id and column when a status is not a state of the machine
 */
export function decode<M extends AnyStateMachine>(
  actor: Actor<M>,
  row: Row,
  maxAttempts: Readonly<Record<string, number>>,
): SnapshotFrom<M> {
  const id = String(row[actor.tables[0].id]);
  const value: Record<string, string> = {};
  const stages: Record<string, StageView> = {};
  for (const stage of actor.stages) {
    value[stage.region] = stateOf(actor, row, id, stage.region, stage.columns.status);
    stages[stage.region] = stageData(stage, row);
  }
  for (const [region, column] of Object.entries(actor.states)) {
    value[region] = stateOf(actor, row, id, region, column);
  }
  const facts = Object.fromEntries(actor.facts.map((column) => [column, row[column]]));
  return actor.machine.resolveState({
    value,
    context: { id, facts, stages, maxAttempts },
  }) as SnapshotFrom<M>;
}

function stateOf(actor: Actor, row: Row, id: string, region: string, column: string): string {
  const state = row[column];
  if (typeof state === 'string' && Object.hasOwn(actor.machine.states[region]?.states ?? {}, state))
    return state;
  const table = actor.tables.find(({ columns }) => columns.includes(column)) ?? actor.tables[0];
  throw new UnknownStateError({ table: table.name, id, column }, state);
}

function stageData({ columns }: StageRegion, row: Row): StageView {
  return {
    attempts: row[columns.attempts] as number,
    errorCode: row[columns.latest_error_code] as string | null,
    timestamp: row[columns.timestamp] as Date | null,
    jobId: row[columns.job_id] as string | null,
    dueAt: row[columns.due_at] as Date | null,
    submission: columns.submission === null ? 1 : (row[columns.submission] as number),
    submittedAt: columns.submitted_at === null ? null : (row[columns.submitted_at] as Date | null),
  };
}

/** The columns that a snapshot stands for: the inverse of {@link decode}. */
export function encode(actor: Actor, snapshot: unknown): Record<string, unknown> {
  const { value, context } = view(snapshot);
  const row: Record<string, unknown> = {};
  for (const { region, columns } of actor.stages) {
    const stage = context.stages[region];
    if (!stage) continue;
    row[columns.status] = value[region];
    row[columns.attempts] = stage.attempts;
    row[columns.latest_error_code] = stage.errorCode;
    row[columns.timestamp] = stage.timestamp;
    row[columns.job_id] = stage.jobId;
    row[columns.due_at] = stage.dueAt;
    if (columns.submission !== null) row[columns.submission] = stage.submission;
    if (columns.submitted_at !== null) row[columns.submitted_at] = stage.submittedAt;
  }
  for (const [region, column] of Object.entries(actor.states)) row[column] = value[region];
  for (const column of actor.facts) row[column] = context.facts[column];
  return row;
}
