import { bigint, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { statusCheck, utc } from './stage-columns.ts';

export const OPERATOR_ROLES = ['viewer', 'operator', 'payer'] as const;

/** Tokens that operators sign in with where there is no identity provider; only their hashes are kept. */
export const operatorTokens = pgTable(
  'operator_tokens',
  {
    /** A name for the person or program that has it; goes into the journal. */
    name: text().primaryKey(),
    role: text().notNull(),
    /** SHA-256 of the token, hexadecimal. */
    digest: text().notNull().unique(),
    created_at: utc().notNull(),
  },
  (t) => [statusCheck('operator_tokens_role', t.role, OPERATOR_ROLES)],
);

/** Tickets that open one WebSocket each: whoever has a ticket is the operator who asked for it. */
export const operatorTickets = pgTable(
  'operator_tickets',
  {
    /** SHA-256 of the ticket, hexadecimal. */
    digest: text().primaryKey(),
    operator_id: text().notNull(),
    operator_name: text().notNull(),
    role: text().notNull(),
    expires_at: utc().notNull(),
  },
  (t) => [index('operator_tickets_expires').on(t.expires_at)],
);

/**
 * Everything that operators did, and what was refused to them: the audit log. Rows are only added; those of an action on
 * many records grow in their counts while it goes on.
 */
export const operatorActions = pgTable(
  'operator_actions',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: utc().notNull(),
    operator_id: text().notNull(),
    operator_name: text().notNull(),
    role: text().notNull(),
    /** `retry`, `release`, `dispatch`, `cancel`, `tick`, `pause`, `resume`, `upload`, `token_created`, `token_revoked`. */
    action: text().notNull(),
    /** What it was done to, as the request named it. */
    target: jsonb().notNull(),
    reason: text().notNull(),
    /** Records that did it, and records that could not (any more). */
    accepted: integer().notNull(),
    refused: integer().notNull(),
    /** The code with which the whole of it was refused; null when it was done, `UNFINISHED` as long as it goes on. */
    problem: text(),
  },
  (t) => [
    index('operator_actions_at').on(t.at),
    index('operator_actions_operator').on(t.operator_name, t.id),
    index('operator_actions_operator_id').on(t.operator_id, t.id),
    index('operator_actions_action').on(t.action, t.id),
  ],
);
