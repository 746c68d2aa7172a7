import { z } from 'zod';
import { actorRef } from './actors.ts';
import { count, line, moment, nextCursor, page } from './common.ts';

/** `GET /operator/errors?envelope=`: everything that stands in ERROR, by stage and code. */
export const errorsQuery = z.object({ envelope: line(200).optional() });
export const errorGroup = z.object({
  stage: z.string(),
  title: z.string(),
  machine: z.string(),
  region: z.string(),
  code: z.string(),
  count,
  first_at: moment,
  last_at: moment,
  /** What the latest of them says. */
  message: z.string().nullable(),
  actions: z.array(z.enum(['retry', 'release'])),
  /** What of it is for a payer only when it is for all of them: it may decide about money that is out. */
  payer_only: z.array(z.enum(['retry', 'release'])),
});
export const errors = z.object({ groups: z.array(errorGroup) });
export type Errors = z.infer<typeof errors>;

/** `GET /operator/errors/{stage}/{code}?envelope=`, the latest first. */
export const errorItemsQuery = page.extend({ envelope: line(200).optional() });
export const errorItems = z.object({
  items: z.array(
    actorRef.extend({
      envelope: z.string().nullable(),
      at: moment,
      attempts: count,
      message: z.string().nullable(),
    }),
  ),
  next_cursor: nextCursor,
});
export type ErrorItems = z.infer<typeof errorItems>;
