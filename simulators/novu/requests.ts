import { z } from 'zod';
import { listOf } from '../shared/validation.ts';

/** The most events of one bulk, as at the real service. */
export const eventsMax = 100;

const idCharactersMax = 256;
const emailPattern = /^[^\s@]{1,64}@[^\s@]{1,190}$/;
const phonePattern = /^[+\d][\d ()-]{3,31}$/;

const id = z.string().trim().min(1).max(idCharactersMax);

const recipientSchema = z.strictObject({
  subscriberId: id,
  firstName: z.string().max(256).nullish(),
  lastName: z.string().max(256).nullish(),
  email: z.string().regex(emailPattern, 'must be an email').nullish(),
  phone: z.string().regex(phonePattern, 'must be a phone number').nullish(),
});

/** One event: `name` is the id of the workflow that it triggers. */
export const eventSchema = z.strictObject({
  name: id,
  to: recipientSchema,
  payload: z.record(z.string(), z.unknown()).default({}),
  transactionId: id.optional(),
});

export type Event = z.infer<typeof eventSchema>;

/** A bulk of events; one that is malformed makes the whole bulk malformed. */
export const bulkSchema = z.strictObject({ events: listOf(eventSchema, eventsMax) });

export type Bulk = z.infer<typeof bulkSchema>;
