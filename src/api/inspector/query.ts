import { z } from 'zod';

/**
 * What is inspected: an envelope with its children (`machine` narrows them), or one actor with its own past; everything from
 * now on when neither is named.
 */
export const inspectorQuery = z
  .object({
    envelope: z.string().min(1).max(200).optional(),
    machine: z.string().max(40).optional(),
    id: z.string().min(1).max(200).optional(),
    ticket: z.string().optional(),
  })
  .refine(({ machine, id }) => id === undefined || machine !== undefined, {
    message: 'an id needs its machine',
    path: ['machine'],
  });
export type InspectorQuery = z.infer<typeof inspectorQuery>;
