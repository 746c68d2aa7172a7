import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { jsonNumber } from '../json.ts';
import { instant } from './answer-fields.ts';
import { storedEnvelope } from './envelope-payload.ts';
import { storedFields } from './envelope-store.ts';

/** An envelope that a request has changed, as it stands now. */
export const changedEnvelope = storedEnvelope.extend({
  receipt_time_stamp: instant,
  cancellation_status: z.enum(['Not_Cancelled', 'Cancelled']),
  cancellation_timestamp: instant.nullable(),
});

/** What has been changed of an envelope and is not in its row before the transaction ends. */
type Changes = Partial<z.infer<typeof changedEnvelope>>;

/**
 * The envelopes of a request, in its order.
 *
 * @param changes what the transaction makes of each
 */
export async function changedEnvelopes(
  sql: Queryable,
  ids: readonly string[],
  changes: (id: string) => Changes,
): Promise<z.infer<typeof changedEnvelope>[]> {
  const rows = await storedFields(sql, ids);
  return ids.map((id) => {
    const row = rows.get(id) ?? {};
    const said = {
      ...row,
      benefit_program_id: Number(row.benefit_program_id),
      benefit_code_id: Number(row.benefit_code_id),
      disbursement_cycle_id: Number(row.disbursement_cycle_id),
      total_disbursement_quantity: jsonNumber(String(row.total_disbursement_quantity)),
      ...changes(id),
    };
    return said as unknown as z.infer<typeof changedEnvelope>;
  });
}
