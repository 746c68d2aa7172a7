import { z } from 'zod';
import { line, moment, sequence, transition } from './common.ts';

/** What `/feed` takes in its query. All conditions must hold; `envelope` is an envelope's id. */
export const feedQuery = z.strictObject({
  after: z
    .stringFormat('whole number', /^\d{1,15}$/)
    .transform(Number)
    .optional(),
  machine: line(100).min(1).optional(),
  id: line(200).min(1).optional(),
  envelope: line(200).min(1).optional(),
  region: line(100).min(1).optional(),
  to: line(100).min(1).optional(),
  /** Sends a summary of what has happened at most so often, instead of every transition; milliseconds. */
  summary_ms: z.coerce.number().int().min(100).max(60_000).optional(),
  /** Leaves out what was removed as too old, where it would otherwise be refused to go on after `after`. */
  pruned: z.literal('skip').optional(),
  /** From `POST /operator/tickets`, where a browser cannot send the header. */
  ticket: z.string().optional(),
});
export type FeedQuery = z.infer<typeof feedQuery>;

/** The first message. */
export const feedHello = z.object({
  type: z.literal('hello'),
  protocol: z.literal(1),
  /** The last transition that this process knew of when the connection was made; without `after`, what follows it is sent. */
  latest: sequence,
  /** Up to here old entries that the filter lets through may have been removed; 0: none were. */
  pruned: sequence,
});
export const feedTransition = transition.extend({ type: z.literal('transition') });
/** How often each thing happened after `after` and up to `seq`. Transitions within a state (`from` equals `to`) are in it, too. */
export const feedSummary = z.object({
  type: z.literal('summary'),
  after: sequence,
  seq: sequence,
  at: moment,
  moves: z.array(
    z.object({
      machine: z.string(),
      region: z.string(),
      from: z.string(),
      to: z.string(),
      count: z.int().min(1),
    }),
  ),
});
/**
 * The stages that are paused, where summaries are asked for: once at the beginning and whenever it changes. Pauses are no
 * transitions, so they have no sequence number.
 */
export const feedPauses = z.object({ type: z.literal('pauses'), stages: z.array(z.string()) });
export const feedMessage = z.discriminatedUnion('type', [feedHello, feedTransition, feedSummary, feedPauses]);
export type FeedMessage = z.infer<typeof feedMessage>;

/** The close code for a client that did not read fast enough; the reason is `{"seq": <last sent>}`. */
export const FELL_BEHIND = 4008;

/** The close code when entries that are still to be sent have been removed; the reason is `{"seq": …, "pruned": …}`. */
export const PRUNED = 4010;
