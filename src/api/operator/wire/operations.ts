import { z } from 'zod';
import { count, line, moment, nextCursor, page, pause, ROLES } from './common.ts';

/** A circuit of one process to one system. */
export const circuit = z.object({
  system: z.string(),
  state: z.enum(['closed', 'open', 'half_open']),
  since: moment,
  failures: count,
  openings: count,
});

/** What a process says of itself every few seconds. */
export const processReport = z.object({
  version: z.string(),
  resident_bytes: count,
  circuits: z.array(circuit),
});

/** `GET /operator/operations` */
export const operations = z.object({
  as_of: moment,
  stages: z.array(
    z.object({
      stage: z.string(),
      title: z.string(),
      frequency_seconds: count,
      max_attempts: count,
      last_tick: z.object({ at: moment, dispatched: count, stale: count }).nullable(),
      next_tick_at: moment,
      paused: pause.nullable(),
      /** Whether only a payer may resume it. */
      payer_only: z.boolean(),
      /** Jobs: waiting for a worker, being worked on, failed for good. */
      queue: z.object({ waiting: count, active: count, failed: count }),
    }),
  ),
  processes: z.array(
    z.object({
      number: z.int(),
      role: z.string(),
      host: z.string(),
      pid: z.int(),
      started_at: moment,
      reported_at: moment.nullable(),
      /** Whether it holds its lock. */
      alive: z.boolean(),
      report: processReport.nullable(),
    }),
  ),
  /** Actors whose rows cannot be read; at most 100. */
  parked: z.array(z.object({ machine: z.string(), id: z.string(), reason: z.string(), since: moment })),
});
export type Operations = z.infer<typeof operations>;

/** `GET /operator/configuration`: what is in force in the process that answers. */
export const configuration = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      /** As text; null when it is not set. Secrets and passwords are masked. */
      value: z.string().nullable(),
      is_default: z.boolean(),
      is_secret: z.boolean(),
    }),
  ),
});
export type Configuration = z.infer<typeof configuration>;

/** `GET /operator/audit`, the latest first. */
export const auditQuery = page.extend({
  action: line(40).optional(),
  /** Name or id. */
  operator: line(200).optional(),
});
export const audit = z.object({
  actions: z.array(
    z.object({
      id: z.int(),
      at: moment,
      operator: z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES) }),
      action: z.string(),
      target: z.record(z.string(), z.unknown()),
      reason: z.string(),
      accepted: count,
      refused: count,
      /** The code with which the whole of it was refused; null when it was done, `UNFINISHED` as long as it goes on. */
      problem: z.string().nullable(),
    }),
  ),
  next_cursor: nextCursor,
});
export type Audit = z.infer<typeof audit>;

/** `GET /operator/inspector`: where the page finds the XState inspector. */
export const inspectorSettings = z.object({ url: z.string() });
export type InspectorSettings = z.infer<typeof inspectorSettings>;
