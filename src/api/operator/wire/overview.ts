import { z } from 'zod';
import { count, decimal, moment, pause, sequence, tally } from './common.ts';

/** The states of a stage region by the part they play, in the region's own words. */
export const stateWords = z.object({
  pending: z.string(),
  ask_again: z.string().nullable(),
  processing: z.string(),
  processed: z.string(),
  error: z.string(),
});

/** One stage of the pipeline. */
export const stageOverview = z.object({
  /** As in its queues: `mapper_resolution`. */
  stage: z.string(),
  /** For people: `Resolve accounts`. */
  title: z.string(),
  machine: z.string(),
  region: z.string(),
  states: stateWords,
  tally,
  /** Since when the oldest work waits that is due; null when none is. */
  oldest_due_at: moment.nullable(),
  /** Processed in the last full minute. */
  per_minute: count,
  paused: pause.nullable(),
});

/** The cash of all envelopes that stand, in one unit. */
export const moneyOverview = z.object({
  measurement_unit: z.string(),
  declared: decimal,
  received: decimal,
  blocked: decimal,
  shipped: decimal,
  reconciled: decimal,
  reversed: decimal,
  /** Shipped and on no statement yet. */
  in_flight: decimal,
});

/** Something that needs a person. The most pressing first. */
export const attention = z.object({
  kind: z.enum([
    'outcome_unknown',
    'errors',
    'paused',
    'circuit_open',
    'parked',
    'missing_payments',
    'mismatches',
    'oldest_waiting',
    'no_funds',
    'no_worker',
  ]),
  severity: z.enum(['high', 'medium', 'low']),
  /** One sentence: what it is and what to do. */
  sentence: z.string(),
  count,
  since: moment.nullable(),
  stage: z.string().nullable(),
  code: z.string().nullable(),
});

export type Attention = z.infer<typeof attention>;

/** `GET /operator/overview` */
export const overview = z.object({
  as_of: moment,
  /** The tallies hold exactly what the journal says up to here: follow the feed after it. */
  seq: sequence,
  stages: z.array(stageOverview),
  money: z.array(moneyOverview),
  envelopes: z.object({
    receiving: count,
    under_way: count,
    needs_attention: count,
    complete: count,
    cancelled: count,
  }),
  attention: z.array(attention),
});
export type Overview = z.infer<typeof overview>;

/** `GET /operator/throughput?minutes=60`: processed per minute and stage; minutes without any are left out. */
export const throughputQuery = z.object({
  minutes: z.coerce.number().int().min(5).max(2_880).default(60),
});
export const throughput = z.object({
  from: moment,
  to: moment,
  stages: z.array(
    z.object({
      stage: z.string(),
      points: z.array(z.object({ minute: moment, processed: count, errors: count })),
    }),
  ),
});
export type Throughput = z.infer<typeof throughput>;
