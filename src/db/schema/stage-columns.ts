import { type SQL, sql } from 'drizzle-orm';
import { check, index, integer, type PgColumn, text, timestamp } from 'drizzle-orm/pg-core';

/** ProcessStatus, the states of every stage region but the two funds regions. */
export const PROCESS_STATUSES = ['NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR'] as const;

export const utc = () => timestamp({ withTimezone: true, precision: 3 });

const columns = {
  status: () => text().notNull().default('NOT_APPLICABLE'),
  timestamp: () => utc(),
  latest_error_code: () => text(),
  attempts: () => integer().notNull().default(0),
  job_id: () => text(),
  due_at: () => utc(),
};

const submissionColumns = {
  submission: () => integer().notNull().default(1),
  submitted_at: () => utc(),
};

type Prefixed<R extends string, C extends Record<string, () => unknown>> = {
  [K in keyof C & string as `${R}_${K}`]: ReturnType<C[K]>;
};

function prefixed<R extends string, C extends Record<string, () => unknown>>(
  region: R,
  parts: C,
): Prefixed<R, C> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, build]) => [`${region}_${name}`, build()]),
  ) as Prefixed<R, C>;
}

/** The columns `<region>_status`, `_timestamp`, `_latest_error_code`, `_attempts`, `_job_id` and `_due_at` of a stage. */
export const stageColumns = <const R extends string>(region: R) => prefixed(region, columns);

/** The columns of a stage whose outside effect must happen once, see `StageData.submission`. */
export const stageSubmissionColumns = <const R extends string>(region: R) =>
  prefixed(region, submissionColumns);

/** A check that a status column holds one of the states its machine knows. */
export function statusCheck(name: string, status: PgColumn, states: readonly string[]) {
  const list = states.map((state) => `'${state}'`).join(', ');
  return check(name, sql`${status} in (${sql.raw(list)})`);
}

/**
 * The indexes behind a stage's tick: what is due, oldest first, and what has been processing for long. They are
 * partial, so they hold only the work that is open.
 */
export function stageIndexes(
  region: string,
  column: { status: PgColumn; due_at: PgColumn; timestamp: PgColumn },
  states: { due: readonly string[]; processing: string } = { due: ['PENDING'], processing: 'PROCESSING' },
) {
  const inStates = (list: readonly string[]): SQL =>
    sql`${column.status} in (${sql.raw(list.map((state) => `'${state}'`).join(', '))})`;
  return [
    index(`${region}_due`).on(column.due_at).where(inStates(states.due)),
    index(`${region}_in_progress`)
      .on(column.timestamp)
      .where(inStates([states.processing])),
  ];
}
