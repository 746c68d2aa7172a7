import { z } from 'zod';

/** What operators may do: look; look and act; also let money go. Each role has the rights of those before it. */
export const ROLES = ['viewer', 'operator', 'payer'] as const;
export type Role = (typeof ROLES)[number];

/** Longest moment that the database reads as one; what `toISOString` writes has 24 characters. */
const MOMENT_CHARACTERS_MAX = 40;

/** A moment, ISO 8601 in UTC, from the year 1 on: the database has no year 0. */
export const moment = z.iso
  .datetime()
  .max(MOMENT_CHARACTERS_MAX)
  .refine((text) => !text.startsWith('0000'), 'There is no year 0');
/** An exact decimal number as text; money is never a JSON number. */
export const decimal = z.string().regex(/^-?\d+(\.\d+)?$/);
export const count = z.int().min(0);
/** A sequence number of the journal. */
export const sequence = z.int().min(0);

/** Who looks or acts. */
export const operator = z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES) });
export type Operator = z.infer<typeof operator>;

/** One line of text that the database takes: no control characters, nothing that is no character. */
export const line = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u);

/** Why an operator does something, in one or more lines; goes into the journal and the audit log. */
export const reason = z
  .string()
  .trim()
  .min(3)
  .max(500)
  .regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u);

/** Which page of a list: `cursor` is what the page before gave as `next_cursor`. */
export const page = z.object({
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Null on the last page. */
export const nextCursor = z.string().nullable();

/** One region that one transition touched, as the journal has it and the feed sends it. */
export const transition = z.object({
  seq: sequence,
  at: moment,
  machine: z.string(),
  id: z.string(),
  envelope: z.string().nullable(),
  region: z.string(),
  event: z.string(),
  from: z.string(),
  to: z.string(),
  attempt: count,
  job: z.string().nullable(),
  /** The code, and the sentence where there is one. */
  error: z.object({ code: z.string(), message: z.string().nullable() }).nullable(),
  /** The operator who caused it, and why. */
  by: z.string().nullable(),
  reason: z.string().nullable(),
});
export type TransitionOnWire = z.infer<typeof transition>;

/** A stage that does no work until somebody resumes it. */
export const pause = z.object({ since: moment, by: z.string(), reason: z.string() });

/** What became of one region's work, by the part each state plays; the words for the states differ. */
export const tally = z.object({
  pending: count,
  /** Answered with "no", and asked again at every tick. */
  ask_again: count,
  processing: count,
  processed: count,
  error: count,
});
export type Tally = z.infer<typeof tally>;

/** What is refused: problem details (RFC 9457) with our code. */
export const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
});
export type Problem = z.infer<typeof problem>;
