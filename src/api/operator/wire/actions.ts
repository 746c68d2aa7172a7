import { z } from 'zod';
import { count, reason } from './common.ts';

/** Work that an action is for: of one stage; single records, or all that fit. */
export const workTarget = z.object({
  stage: z.string().max(100),
  /** Single records; left out: all that fit the rest. */
  ids: z.array(z.string().min(1).max(200)).min(1).max(1_000).optional(),
  /** Of this error code. */
  code: z.string().max(200).optional(),
  /** Of this envelope. */
  envelope: z.string().max(200).optional(),
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
export const workPreviewAnswer = z.object({ matching: count, payer_only: z.boolean() });
export type WorkPreviewAnswer = z.infer<typeof workPreviewAnswer>;

/** `POST /operator/envelopes/{id}/cancel`, `/operator/stages/{stage}/tick`, `/pause` and `/resume` */
export const withReason = z.object({ reason });
export const ticked = z.object({ dispatched: count, stale: count });
export type Ticked = z.infer<typeof ticked>;
/** Nothing to tell but that it is done. */
export const done = z.object({ done: z.literal(true) });
