import { z } from 'zod';
import { count, decimal, line, moment, nextCursor, page } from './common.ts';

/** `GET /operator/statements`, the newest first. */
export const statementsQuery = page.extend({ state: line(40).optional() });
export const statementSummary = z.object({
  id: z.string(),
  uploaded_at: moment,
  account_number: z.string().nullable(),
  statement_number: z.string().nullable(),
  sequence_number: z.string().nullable(),
  statement_date: z.iso.date().nullable(),
  number_of_entries: count,
  state: z.string(),
  error_code: z.string().nullable(),
  /** Entries that could not be matched; counted up to 1,000. */
  discrepancies: count,
});
export const statements = z.object({ statements: z.array(statementSummary), next_cursor: nextCursor });
export type Statements = z.infer<typeof statements>;

/** `GET /operator/statements/{id}` */
export const statementDetail = statementSummary.extend({
  reference_number: z.string().nullable(),
  error_message: z.string().nullable(),
  /** Entries matched with a payment, and their sum; reversals on this statement, whichever statement had the payment. */
  matched: z.object({ count, quantity: decimal }),
  reversed: z.object({ count, quantity: decimal }),
  by_reason: z.array(z.object({ kind: z.string(), count, quantity: decimal })),
});
export type StatementDetail = z.infer<typeof statementDetail>;

/**
 * `GET /operator/discrepancies`: entries that match no payment (by the reason the reconciliation gave), the latest first,
 * then payments that came back (`REVERSED`), then payments that should be on a statement by now (`MISSING`), the longest
 * missing first.
 */
export const discrepanciesQuery = page.extend({
  kind: line(60).optional(),
  statement: line(200).optional(),
  envelope: line(200).optional(),
});
export const discrepancy = z.object({
  kind: z.string(),
  /** The payment's id: a disbursement's, or a geo record's for physical cash; null when the entry names none that we know. */
  payment: z.string().nullable(),
  /** The payment that the entry names, as the bank wrote it; null when it names none, or there is no entry. */
  names: z.string().nullable(),
  envelope: z.string().nullable(),
  batch: z.string().nullable(),
  statement: z.string().nullable(),
  entry: count.nullable(),
  quantity: decimal,
  at: moment.nullable(),
  /** What the bank said: its reference, or why a payment came back. */
  note: z.string().nullable(),
});
export const discrepancies = z.object({
  /**
   * How many there are of each kind, without regard to `kind`, counted up to 10,000; `MISSING` as of `missing_as_of`. Of one
   * statement none is missing.
   */
  kinds: z.array(z.object({ kind: z.string(), title: z.string(), count })),
  missing_as_of: moment.nullable(),
  items: z.array(discrepancy),
  next_cursor: nextCursor,
});
export type Discrepancies = z.infer<typeof discrepancies>;

/** `POST /operator/statements`, multipart as `/upload_mt940`. */
export const uploaded = z.object({
  statements: z.array(z.object({ statement_id: z.string(), already_uploaded: z.boolean() })),
});
export type Uploaded = z.infer<typeof uploaded>;
