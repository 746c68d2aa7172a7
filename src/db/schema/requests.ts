import { index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { utc } from './stage-columns.ts';

/** What partners were answered to requests that changed something, so that a repetition gets the first answer again. */
export const partnerRequests = pgTable(
  'partner_requests',
  {
    /** `sender_app_mnemonic` of the request. */
    sender: text().notNull(),
    path: text().notNull(),
    request_id: text().notNull(),
    /** SHA-256 (hexadecimal) of the request's body: another body under the same id is another request. */
    digest: text().notNull(),
    /** The answer's body, JSON. */
    answer: text().notNull(),
    answered_at: utc().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.sender, t.path, t.request_id, t.digest] }),
    index('partner_requests_answered').on(t.answered_at),
  ],
);

/** Signed requests that change something, by the SHA-256 (hexadecimal) of their bytes: a signature does not say which path. */
export const partnerSignedRequests = pgTable(
  'partner_signed_requests',
  {
    digest: text().primaryKey(),
    /** Where it came first. */
    path: text().notNull(),
    received_at: utc().notNull(),
  },
  (t) => [index('partner_signed_requests_received').on(t.received_at)],
);
