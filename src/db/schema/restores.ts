import { bigint, boolean, pgTable, text } from 'drizzle-orm/pg-core';
import { utc } from './stage-columns.ts';

/** Which database this is: what is found to be another one was copied, and may be behind what the outside has seen. */
export const databaseOrigin = pgTable('database_origin', {
  one: boolean().primaryKey().default(true),
  identity: text().notNull(),
  noted_at: utc().notNull(),
});

/** When the database was put back to an earlier state, as from a backup; since then the outside may know more than it. */
export const databaseRestores = pgTable('database_restores', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  noted_at: utc().notNull(),
  /** Which database it was found in. */
  identity: text().notNull(),
  /** How it was found out, for people. */
  reason: text().notNull(),
  /** The journal ends here, and goes on behind a gap that no number given out after the backup can reach. */
  last_seq: bigint({ mode: 'number' }).notNull(),
  /** When somebody resumed these stages: what came before may have been sent already. Null: nobody has yet. */
  blocks_resumed_at: utc(),
  payments_resumed_at: utc(),
});
