import { z } from 'zod';
import { count, line, moment, reason } from './common.ts';

/** Work that an action is for: of one stage; single records, or all that fit. */
export const workTarget = z.object({
  stage: line(100),
  /** Single records; left out: all that fit the rest. */
  ids: z.array(line(200).min(1)).min(1).max(1_000).optional(),
  /** Of this error code. */
  code: line(200).optional(),
  /** Of this envelope. */
  envelope: line(200).optional(),
  /**
   * As they stood at this moment: what has come to stand there since is left alone. Whoever asks again until nothing
   * remains gives what the preview gave, so that work that fails again is not retried without end.
   */
  as_of: moment.optional(),
});
export type WorkTarget = z.infer<typeof workTarget>;

/**
 * `POST /operator/actions/retry`, `/release` and `/dispatch` (do waiting work now). Acts on 10,000 records at most; `remaining`
 * says how many are left for the next call.
 */
export const workAction = z.object({ target: workTarget, reason });
export type WorkAction = z.infer<typeof workAction>;
export const workActionAnswer = z.object({
  accepted: count,
  /** Records that could not do it: changed meanwhile, or not there. */
  refused: count,
  remaining: count,
});
export type WorkActionAnswer = z.infer<typeof workActionAnswer>;

/** `POST /operator/actions/preview`: how many records an action would be for. */
export const workPreview = z.object({
  action: z.enum(['retry', 'release', 'dispatch']),
  target: workTarget,
});
export const workPreviewAnswer = z.object({
  matching: count,
  /** Whether the action is for a payer only: it lets money go, or decides about money that is out. */
  payer_only: z.boolean(),
  as_of: moment,
});
export type WorkPreviewAnswer = z.infer<typeof workPreviewAnswer>;

/**
 * The errors that only a payer resolves: nobody knows whether, or to whom, the money went. Besides these, a payer's is all that
 * has been submitted to the bank, whatever its error.
 */
export const PAYER_CODES: readonly string[] = [
  'PAYMENT_OUTCOME_UNKNOWN',
  'PAYMENT_LIST_DIFFERS',
  'PAYMENT_MAY_BE_FORGOTTEN',
];

/** `POST /operator/envelopes/{id}/cancel`, `/operator/stages/{stage}/tick`, `/pause` and `/resume` */
export const withReason = z.object({ reason });
export const ticked = z.object({ dispatched: count, stale: count });
export type Ticked = z.infer<typeof ticked>;
/** Nothing to tell but that it is done. */
export const done = z.object({ done: z.literal(true) });
