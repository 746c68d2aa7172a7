import type { Sql } from '../db/connection.ts';
import type { Outcome } from '../runtime/stage.ts';

/** So long after a restore the outside is asked before anything is sent to it, in days. */
const ASKED_FOR_DAYS = 90;
/** Payments that a message names; the others are listed as missing once their batch is released. */
const NAMED_MAX = 20;

/** What a restore means for one record. */
export interface Restore {
  /**
   * Whether it may have been sent since the backup as far as its time tells: it came before the stage was resumed, be it
   * from the backup or sent again, and nobody has found out what became of it.
   */
  readonly mayBeForgotten: boolean;
}

/** What a bank is sent, of which a restored database may have forgotten that it was. */
interface Sent {
  readonly machine: string;
  /** Columns of the surrounding query: the record's id and when it was received. */
  readonly id: string;
  readonly receivedAt: string;
  /** Of the restore: when somebody let the stage go on. */
  readonly resumedAt: string;
  /** With which the record waits for a person. */
  readonly code: string;
}

export const PAYMENTS: Sent = {
  machine: 'batch',
  id: 'b.id',
  receivedAt: 'b.receipt_time_stamp',
  resumedAt: 'r.payments_resumed_at',
  code: 'PAYMENT_MAY_BE_FORGOTTEN',
};
export const BLOCKS: Sent = {
  machine: 'envelope',
  id: 'e.id',
  receivedAt: 'e.receipt_time_stamp',
  resumedAt: 'r.blocks_resumed_at',
  code: 'BLOCK_MAY_BE_FORGOTTEN',
};

/**
 * SQL: how a record stands to the last restore; null when there was none lately. What stood in ERROR with the code can
 * have left it only by a person's decision; the row alone does not tell, since attempts that follow have codes of their own.
 *
 * @param now the present moment
 */
export const restoreOf = (sql: Sql, { machine, id, receivedAt, resumedAt, code }: Sent, now: Date) => sql`(
  select json_build_object('mayBeForgotten', coalesce(${sql(receivedAt)} <= ${sql(resumedAt)}, true) and not exists (
    select from actor_transitions t where t.machine = ${machine} and t.actor_id = ${sql(id)} and t.seq > r.last_seq
      and t.error_code = ${code} and t.to_state = 'ERROR'))
  from database_restores r
  where r.noted_at > ${now}::timestamptz - make_interval(days => ${ASKED_FOR_DAYS})
  order by r.id desc limit 1)`;

/** Nothing is sent until a person has found out whether it was already: the next attempt, which only he can ask for, sends. */
export const mayBeForgotten = ({ code }: Sent, what: string): Outcome => ({
  kind: 'failed',
  code,
  message: `The database was restored from a backup, and the sponsor bank may have ${what}. Find out, then retry what it has not.`,
  final: true,
  unsent: true,
});

/** Those of some payments that are on none of the bank's statements, in the order of their references. */
export async function notOnStatements(sql: Sql, references: readonly string[]): Promise<string[]> {
  const rows = await sql<{ reference: string }[]>`
    select p.reference from unnest(${references as string[]}::text[]) p (reference)
    where not exists (select from disbursement_recons r where r.reconciliation_id = p.reference)
    order by p.reference`;
  return rows.map(({ reference }) => reference);
}

/**
 * Some of the payments of a batch that was never sent, as far as is known, are on statements: only a person can tell why.
 *
 * @param missing those that are on none
 * @param payments how many there are in all
 */
export function partlyOnStatements(batchId: string, missing: readonly string[], payments: number): Outcome {
  const named = missing.slice(0, NAMED_MAX).join(', ');
  const more = missing.length > NAMED_MAX ? ` and ${missing.length - NAMED_MAX} more` : '';
  return {
    kind: 'failed',
    code: 'PAYMENTS_PARTLY_ON_STATEMENTS',
    message:
      `${missing.length} of the ${payments} payments of batch ${batchId} are on none of the bank's statements (${named}${more}), ` +
      'the others are. If the bank made them, upload the statements that are missing and retry. If it surely did not, release ' +
      'the batch and have their disbursements submitted again in a new envelope, under new ids; these stay listed as missing.',
    final: true,
  };
}
