import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from 'drizzle-orm/pg-core';
import { utc } from './stage-columns.ts';

/** The journal: one row for each region that a transition touched. Append-only. */
export const actorTransitions = pgTable(
  'actor_transitions',
  {
    seq: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: utc().notNull(),
    machine: text().notNull(),
    actor_id: text().notNull(),
    /** What the actor belongs to in the end (an envelope, or itself): the natural filter and shard key. */
    correlation_id: text().notNull(),
    region: text().notNull(),
    event: text().notNull(),
    from_state: text().notNull(),
    to_state: text().notNull(),
    attempt: integer().notNull(),
    job_id: text(),
    due_at: utc(),
    error_code: text(),
    error_message: text(),
    /** The operator who caused it; null for everything that happens by itself. */
    by: text(),
    /** Why, in the operator's words. */
    reason: text(),
  },
  (t) => [
    index('actor_transitions_actor').on(t.machine, t.actor_id, t.seq),
    index('actor_transitions_correlation').on(t.correlation_id, t.seq),
  ],
);

/** Messages between actors and to themselves later: kept until the transition they cause has been stored. */
export const actorMessages = pgTable(
  'actor_messages',
  {
    seq: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    machine: text().notNull(),
    /** The addressee; null when the message is for all children of `parent_id`. */
    actor_id: text(),
    parent_id: text(),
    event: jsonb().notNull(),
    deliver_at: utc().notNull(),
  },
  (t) => [
    index('actor_messages_deliver').on(t.machine, t.deliver_at, t.seq),
    index('actor_messages_actor').on(t.machine, t.actor_id, t.seq),
    index('actor_messages_broadcast').on(t.machine, t.seq).where(sql`${t.actor_id} is null`),
    check('actor_messages_addressee', sql`(${t.actor_id} is null) <> (${t.parent_id} is null)`),
  ],
);

/** Actors that cannot be loaded (a status no machine knows): left alone and shown, while the others go on. */
export const actorParked = pgTable(
  'actor_parked',
  {
    machine: text().notNull(),
    actor_id: text().notNull(),
    reason: text().notNull(),
    parked_at: utc().notNull(),
  },
  (t) => [primaryKey({ columns: [t.machine, t.actor_id] })],
);

/** Processes that run the system; each holds the advisory lock of its number while it lives. */
export const actorProcesses = pgTable('actor_processes', {
  number: integer().primaryKey().generatedAlwaysAsIdentity(),
  role: text().notNull(),
  host: text().notNull(),
  pid: integer().notNull(),
  started_at: utc().notNull(),
  /** What the process last said of itself, and when. */
  report: jsonb(),
  reported_at: utc(),
});

/** Which process performs which job, so that the work of a process that died is handed on at once. */
export const actorClaims = pgTable(
  'actor_claims',
  {
    job_id: text().primaryKey(),
    queue: text().notNull(),
    delivery: integer().notNull(),
    process: integer().notNull(),
    claimed_at: utc().notNull(),
  },
  (t) => [index('actor_claims_process').on(t.process)],
);

/** How many actors of one correlation have a region in a state; folded from the journal, see `actor_counts_position`. */
export const actorCounts = pgTable(
  'actor_counts',
  {
    correlation_id: text().notNull(),
    machine: text().notNull(),
    region: text().notNull(),
    state: text().notNull(),
    count: bigint({ mode: 'number' }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.correlation_id, t.machine, t.region, t.state] }),
    index('actor_counts_in_error').on(t.correlation_id, t.machine).where(sql`${t.state} = 'ERROR'`),
  ],
);

/** The same of all correlations together. */
export const actorTotals = pgTable(
  'actor_totals',
  {
    machine: text().notNull(),
    region: text().notNull(),
    state: text().notNull(),
    count: bigint({ mode: 'number' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.machine, t.region, t.state] })],
);

/** How many transitions led into a state, minute by minute. */
export const actorFlow = pgTable(
  'actor_flow',
  {
    minute: utc().notNull(),
    machine: text().notNull(),
    region: text().notNull(),
    state: text().notNull(),
    count: bigint({ mode: 'number' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.minute, t.machine, t.region, t.state] })],
);

/** Up to which sequence number the journal is in the counts: one row, locked by whoever folds. */
export const actorCountsPosition = pgTable('actor_counts_position', {
  one: boolean().primaryKey().default(true),
  seq: bigint({ mode: 'number' }).notNull().default(0),
});

/** Stages that do no work until somebody resumes them. */
export const actorPauses = pgTable('actor_pauses', {
  stage: text().primaryKey(),
  paused_at: utc().notNull(),
  by: text().notNull(),
  reason: text().notNull(),
});

/** The last tick of each stage. */
export const actorTicks = pgTable('actor_ticks', {
  stage: text().primaryKey(),
  at: utc().notNull(),
  dispatched: integer().notNull(),
  stale: integer().notNull(),
});

/**
 * The actors of one correlation whose history was removed: the journal has no entry of theirs up to `seq`. Written
 * before the first entry goes, so whoever reads a history knows whether it is whole.
 */
export const actorPruned = pgTable(
  'actor_pruned',
  {
    correlation_id: text().primaryKey(),
    seq: bigint({ mode: 'number' }).notNull(),
    pruned_at: utc().notNull(),
    /** Whether all entries are gone by now. */
    emptied: boolean().notNull().default(false),
  },
  (t) => [
    index('actor_pruned_seq').on(t.seq),
    index('actor_pruned_left').on(t.correlation_id).where(sql`not ${t.emptied}`),
  ],
);
