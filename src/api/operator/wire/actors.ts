import { z } from 'zod';
import { count, line, moment, nextCursor, page, sequence, transition } from './common.ts';

/** One machine as it can be drawn: made from the machine that runs, not kept beside it. */
export const chart = z.object({
  machine: z.string(),
  /** For people: `Batch`. */
  title: z.string(),
  /** Events that it takes in any state: passed on to regions or kept in columns. The journal has them without a region. */
  events: z.array(z.object({ event: z.string(), guard: z.string().nullable() })),
  regions: z.array(
    z.object({
      region: z.string(),
      /** The stage that does this region's work; null when none does. */
      stage: z.string().nullable(),
      initial: z.string(),
      states: z.array(
        z.object({
          state: z.string(),
          /** Nothing leads out of it, unless the stage is begun anew (`restart`, `reset`). */
          final: z.boolean(),
          /** The part it plays in a stage: pending, ask_again, processing, processed, error, not_applicable. */
          part: z.string().nullable(),
        }),
      ),
      transitions: z.array(
        z.object({
          from: z.string(),
          to: z.string(),
          /**
           * As in the journal: without the region's prefix. `always`: taken as soon as the guard holds; the journal names
           * the event that made it hold.
           */
          event: z.string(),
          /** What must hold, in words; null when nothing must. */
          guard: z.string().nullable(),
        }),
      ),
    }),
  ),
});
export type Chart = z.infer<typeof chart>;
/** `GET /operator/machines` */
export const machines = z.object({ machines: z.array(chart) });

export const actorRef = z.object({ machine: z.string(), id: z.string() });

/** `GET /operator/actors/{machine}/{id}` */
export const actorDetail = z.object({
  machine: z.string(),
  id: z.string(),
  envelope: z.string().nullable(),
  parent: actorRef.nullable(),
  /** Machines of which it has children; counted up to 100,000. */
  children: z.array(z.object({ machine: z.string(), count })),
  /** Why it is left alone; null unless its row cannot be read. */
  parked: z.string().nullable(),
  regions: z.array(
    z.object({
      region: z.string(),
      stage: z.string().nullable(),
      state: z.string(),
      attempts: count,
      max_attempts: count.nullable(),
      since: moment.nullable(),
      due_at: moment.nullable(),
      job: z.string().nullable(),
      error: z.object({ code: z.string(), message: z.string().nullable() }).nullable(),
      /** What an operator can do about it now: `retry`, `release`, `dispatch`. */
      actions: z.array(z.enum(['retry', 'release', 'dispatch'])),
    }),
  ),
  /** The edges of its chart that it took, by the chart's events; without a region: events that moved none. */
  taken: z.array(
    z.object({
      region: z.string(),
      event: z.string(),
      from: z.string(),
      to: z.string(),
      count,
      last_at: moment,
    }),
  ),
  /** The first sequence number that `taken` counts, when it has more entries than are counted; null when all are. */
  taken_since: sequence.nullable(),
  /** Its row, column by column, as text. */
  row: z.array(z.object({ table: z.string(), column: z.string(), value: z.string().nullable() })),
  /** Everything above has at least what the journal says up to here: follow the feed after it. */
  seq: sequence,
});
export type ActorDetail = z.infer<typeof actorDetail>;

/** `GET /operator/actors/{machine}/{id}/transitions`, the latest first. */
export const transitions = z.object({
  transitions: z.array(transition),
  next_cursor: nextCursor,
  /** When the older part of its history was removed, see `journal_retention_days`; null: it is whole. */
  removed_at: moment.nullable(),
});
export type Transitions = z.infer<typeof transitions>;

/** `GET /operator/actors/{machine}/{id}/children?machine=geo` */
export const childrenQuery = page.extend({ machine: line(40) });
export const children = z.object({
  children: z.array(
    actorRef.extend({ regions: z.array(z.object({ region: z.string(), state: z.string() })) }),
  ),
  next_cursor: nextCursor,
});
export type Children = z.infer<typeof children>;

/** `GET /operator/jobs/{stage}/{id}`: a job as the queue has it. Completed ones are kept for 15 minutes. */
export const job = z.object({
  id: z.string(),
  queue: z.string(),
  state: z.string(),
  created_at: moment,
  started_at: moment.nullable(),
  completed_at: moment.nullable(),
  /** How often it was handed out before. */
  deliveries: count,
  data: z.record(z.string(), z.unknown()),
  /** The process that works on it. */
  process: z.int().nullable(),
});
export type JobDetail = z.infer<typeof job>;

/** `GET /operator/find?q=`: whatever has this id, and the latest disbursements of a beneficiary of this id. */
export const findQuery = z.object({ q: line(200).trim().min(1) });
export const found = z.object({
  found: z.array(
    z.object({
      kind: z.enum(['envelope', 'batch', 'geo', 'beneficiary', 'statement', 'disbursement']),
      id: z.string(),
      /** Where it is shown: the actor. For a disbursement its batch. */
      actor: actorRef,
      envelope: z.string().nullable(),
      /** One line about it. */
      about: z.string(),
    }),
  ),
});
export type Found = z.infer<typeof found>;
