import type { Sql } from '../db/connection.ts';
import type { Outcome } from '../runtime/stage.ts';

/** So long after a restore the outside is asked before anything is sent to it, in days. */
const ASKED_FOR_DAYS = 90;

/** What a restore means for one record. */
export interface Restore {
  /** Whether the record was there already: it may have been sent since the backup. */
  readonly existed: boolean;
}

/**
 * SQL: how a record that was received at a moment stands to the last restore; null when there was none lately.
 *
 * @param receivedAt column of the surrounding query
 * @param now the present moment
 */
export const restoreOf = (sql: Sql, receivedAt: string, now: Date) => sql`(
  select json_build_object('existed', ${sql(receivedAt)} < r.noted_at) from database_restores r
  where r.noted_at > ${now}::timestamptz - make_interval(days => ${ASKED_FOR_DAYS})
  order by r.id desc limit 1)`;

/** How many of some payments are on the bank's statements. */
export async function onStatements(sql: Sql, references: readonly string[]): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from disbursement_recons where reconciliation_id = any(${references as string[]})`;
  return row?.n ?? 0;
}

/** Some of the payments of a batch that was never sent, as far as is known, are on statements: only a person can tell why. */
export function partlyOnStatements(batchId: string, found: number, payments: number): Outcome {
  return {
    kind: 'failed',
    code: 'PAYMENTS_PARTLY_ON_STATEMENTS',
    message:
      `${found} of the ${payments} payments of batch ${batchId} are on the bank's statements and the others are not; ` +
      'upload the statements that are missing, or have the bank say what it took.',
    final: true,
  };
}
