import { z } from 'zod';
import { line } from '../operator/wire/common.ts';

/**
 * What is inspected: an envelope with its children (`machine` narrows them), or one actor with its own past; everything from
 * now on when neither is named.
 */
export const inspectorQuery = z
  .object({
    envelope: line(200).min(1).optional(),
    machine: line(40).optional(),
    id: line(200).min(1).optional(),
    ticket: line(200).optional(),
  })
  .refine(({ machine, id }) => id === undefined || machine !== undefined, {
    message: 'an id needs its machine',
    path: ['machine'],
  });
export type InspectorQuery = z.infer<typeof inspectorQuery>;
