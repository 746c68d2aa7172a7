import { sql } from 'drizzle-orm';
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

/** The columns of a table under construction, by name. */
type Columns = Readonly<Record<string, PgColumn>>;

/**
 * What a stage adds to its table: a check that its status is one that the machine knows, and the indexes behind its
 * tick: what is due, oldest first, and what has been in progress for long; and behind the list of errors. The indexes are
 * partial, so they hold only the work that is open.
 *
 * @param t the table's columns
 */
export function stageConstraints(t: object, region: string) {
  const columns = t as Columns;
  const column = (part: string): PgColumn => {
    const found = columns[`${region}_${part}`];
    if (!found) throw new Error(`There is no column ${region}_${part}.`);
    return found;
  };
  const status = column('status');
  return [
    statusCheck(`${region}_status_known`, status, PROCESS_STATUSES),
    index(`${region}_due`).on(column('due_at')).where(sql`${status} = 'PENDING'`),
    index(`${region}_in_progress`).on(column('timestamp')).where(sql`${status} = 'PROCESSING'`),
    index(`${region}_in_error`)
      .on(column('latest_error_code'), column('timestamp'))
      .where(sql`${status} = 'ERROR'`),
  ];
}

/** The index behind the errors of one envelope, for tables with very many rows of each. */
export function errorsOfEnvelope(t: object, region: string) {
  const { [`${region}_status`]: status, disbursement_envelope_id: envelope, ...columns } = t as Columns;
  const code = columns[`${region}_latest_error_code`];
  const timestamp = columns[`${region}_timestamp`];
  if (!status || !envelope || !code || !timestamp) throw new Error(`${region} has no errors of envelopes.`);
  return index(`${region}_in_error_of_envelope`)
    .on(envelope, code, timestamp)
    .where(sql`${status} = 'ERROR'`);
}
