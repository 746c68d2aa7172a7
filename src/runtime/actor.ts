import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { AnyStateMachine, EventFromLogic } from 'xstate';
import { columnTypes } from '../db/bulk.ts';
import { RuntimeError } from './errors.ts';

/** The columns of one stage region. Those that a table does not have are null and keep their default. */
export interface StageColumns {
  readonly status: string;
  readonly timestamp: string;
  readonly latest_error_code: string;
  readonly attempts: string;
  readonly job_id: string;
  readonly due_at: string;
  readonly submission: string | null;
  readonly submitted_at: string | null;
}

/** A stage region as the runtime sees it; the words for its states are read off the machine. */
export interface StageRegion {
  readonly region: string;
  readonly columns: StageColumns;
  /** Work that is dispatched as soon as it is due. */
  readonly pending: string;
  /** Work that was answered with "no" and is dispatched again by ticks only. */
  readonly askAgain: readonly string[];
  readonly processing: string;
}

/** A table that holds part of an actor's row; the first one of an actor is the one that is locked. */
export interface ActorTable {
  readonly table: PgTable;
  readonly name: string;
  readonly id: string;
  readonly columns: readonly string[];
}

/** How an XState machine lives in rows: see `src/runtime/README.md`. */
export interface Actor<M extends AnyStateMachine = AnyStateMachine> {
  readonly name: string;
  readonly machine: M;
  readonly tables: readonly [ActorTable, ...ActorTable[]];
  readonly stages: readonly StageRegion[];
  /** Regions that are not work: region → status column. */
  readonly states: Readonly<Record<string, string>>;
  readonly facts: readonly string[];
  /** Column with the parent's id; the actor's own id when it has no parent. */
  readonly parent: string;
  /** Column with the id that the actor's journal entries are filtered by; the parent's id unless told otherwise. */
  readonly correlation: string;
  /** Regions that are not work, and the states of which one must be reached before the actor has come to its end. */
  readonly ends: Readonly<Record<string, string>>;
}

export type EventOf<M extends AnyStateMachine> = EventFromLogic<M>;

/** What {@link defineActor} takes. */
export interface ActorSpec<M extends AnyStateMachine> {
  /** Name used in messages, the journal and the feed. */
  readonly name: string;
  readonly machine: M;
  /** Tables joined into one row by id; the first one holds the row that is locked. */
  readonly tables: readonly [{ table: PgTable; id: string }, ...{ table: PgTable; id: string }[]];
  /** Stage regions; columns are `<region>_<part>` unless named otherwise here. */
  readonly stages: Readonly<Record<string, Partial<StageColumns>>>;
  /** Other regions and their status columns. */
  readonly states?: Readonly<Record<string, string>>;
  /** Columns that the machine reads or writes as `context.facts`. */
  readonly facts?: readonly string[];
  readonly parent?: string;
  /** Column with the id that the whole family shares, when that is not the parent's. */
  readonly correlation?: string;
  /**
   * States of regions that are no stages: as long as none of them is reached, more is to come although no work is left.
   * Left out: the actor has come to its end as soon as no work is left.
   */
  readonly ends?: Readonly<Record<string, string>>;
}

/**
 * Binds a machine to its tables.
 *
 * @throws RuntimeError `BAD_ACTOR` at start-up when a region or column does not exist, or the machine needs what a row
 *   cannot hold; never later
 */
export function defineActor<M extends AnyStateMachine>(spec: ActorSpec<M>): Actor<M> {
  requireFlat(spec);
  const stages = Object.entries(spec.stages).map(([region, named]) => stageOf(spec, region, named));
  const states = spec.states ?? {};
  const facts = spec.facts ?? [];
  const owned = [
    ...stages.flatMap((stage) =>
      Object.values(stage.columns).filter((name): name is string => name !== null),
    ),
    ...Object.values(states),
    ...facts,
  ];
  const tables = spec.tables.map(({ table, id }): ActorTable => {
    const types = columnTypes(table);
    return { table, name: getTableName(table), id, columns: owned.filter((name) => types.has(name)) };
  });
  const missing = owned.filter((name) => !tables.some((table) => table.columns.includes(name)));
  if (missing.length > 0)
    throw new RuntimeError('BAD_ACTOR', `Actor ${spec.name} has no column ${missing.join(', ')}.`);
  const regions = Object.keys(spec.machine.states);
  const unknown = regions.filter((region) => !(region in spec.stages) && !(region in states));
  if (unknown.length > 0) {
    throw new RuntimeError(
      'BAD_ACTOR',
      `Actor ${spec.name} does not say where region ${unknown.join(', ')} is kept.`,
    );
  }
  const ends = spec.ends ?? {};
  const endless = Object.entries(ends).filter(
    ([region, state]) => !(region in states && spec.machine.states[region]?.states[state]),
  );
  if (endless.length > 0)
    throw new RuntimeError('BAD_ACTOR', `Actor ${spec.name} has no state ${endless.join(', ')} to end in.`);
  const [main, ...others] = tables;
  if (!main) throw new RuntimeError('BAD_ACTOR', `Actor ${spec.name} has no table.`);
  return {
    name: spec.name,
    machine: spec.machine,
    tables: [main, ...others],
    stages,
    states,
    facts,
    parent: spec.parent ?? main.id,
    correlation: spec.correlation ?? spec.parent ?? main.id,
    ends,
  };
}

/** A status column holds the name of one state, and nothing in memory outlives a transaction. */
function requireFlat({ name, machine }: ActorSpec<AnyStateMachine>): void {
  const bad = (what: string) => new RuntimeError('BAD_ACTOR', `Machine ${name} ${what}.`);
  if (machine.root.type !== 'parallel') throw bad('is not parallel: its regions are what columns hold');
  for (const region of Object.values(machine.states)) {
    for (const node of [machine.root, region, ...Object.values(region.states)]) {
      if (node.config.after || node.invoke.length > 0) {
        throw bad(`uses \`after\` or \`invoke\` in ${node.id}; send a durable message or make it a stage`);
      }
    }
    const nested = Object.values(region.states).find(({ type }) => type !== 'atomic' && type !== 'final');
    if (nested) throw bad(`has states within ${nested.id}, which a column cannot hold`);
  }
}

function stageOf(
  spec: ActorSpec<AnyStateMachine>,
  region: string,
  named: Partial<StageColumns>,
): StageRegion {
  const has = (name: string) => spec.tables.some(({ table }) => columnTypes(table).has(name));
  const column = (part: keyof StageColumns) => named[part] ?? `${region}_${part}`;
  const optional = (part: keyof StageColumns) => (has(column(part)) ? column(part) : null);
  const node = spec.machine.states[region];
  if (!node) throw new RuntimeError('BAD_ACTOR', `Machine ${spec.name} has no region ${region}.`);
  const reacting = (event: string) =>
    Object.values(node.states)
      .filter(
        (state) => (state.config.on as object | undefined) && `${region}.${event}` in (state.config.on ?? {}),
      )
      .map((state) => state.key);
  const [pending] = reacting('due');
  const [processing] = reacting('succeeded');
  if (!pending || !processing) {
    throw new RuntimeError('BAD_ACTOR', `Region ${region} of ${spec.name} is not made by stageRegion().`);
  }
  return {
    region,
    columns: {
      status: column('status'),
      timestamp: column('timestamp'),
      latest_error_code: column('latest_error_code'),
      attempts: column('attempts'),
      job_id: column('job_id'),
      due_at: column('due_at'),
      submission: optional('submission'),
      submitted_at: optional('submitted_at'),
    },
    pending,
    askAgain: reacting('dispatch').filter((state) => state !== pending),
    processing,
  };
}
