import type { Sql } from '../../src/db/connection.ts';
import type { Finished, Submitted } from '../contract.ts';
import { inError } from '../records.ts';

/** What of an envelope is to reach people: all that was not cancelled. */
export interface Standing {
  readonly submitted: Submitted;
  readonly envelopeId: string;
  /** Whether the whole of it was cancelled. */
  readonly cancelled: boolean;
  /** Whether part of it stopped in ERROR, so that not all of it has reached people. */
  readonly stopped: boolean;
  /** Disbursements that were not cancelled one by one. */
  readonly disbursements: ReadonlyMap<string, { readonly beneficiary: string; readonly quantity: string }>;
}

/** Judges what was submitted by what was acknowledged; where that is unknown, by what the bridge has stored. */
export async function* standingOf(sql: Sql, { submitted }: Finished): AsyncGenerator<Standing, void, void> {
  const stopped = new Set((await inError(sql)).map(({ correlation }) => correlation));
  for (const one of submitted) {
    const disbursements = new Map([...one.disbursements].filter(([id]) => !one.cancelled.has(id)));
    yield {
      submitted: one,
      envelopeId: one.envelopeId,
      cancelled: one.cancellation === 'perhaps' ? await isCancelled(sql, one) : one.cancellation === 'yes',
      stopped: stopped.has(one.envelopeId),
      disbursements,
    };
  }
}

async function isCancelled(sql: Sql, { envelopeId }: Submitted): Promise<boolean> {
  const [row] = await sql<{ cancelled: boolean }[]>`
    select cancellation_status = 'Cancelled' as cancelled from disbursement_envelopes where id = ${envelopeId}`;
  return row?.cancelled ?? false;
}
