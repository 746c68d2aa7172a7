import type { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import { ENVELOPE_UNKNOWN, envelopeParams, refuseUnknownEnvelope } from './envelope-detail.ts';
import { atOneMoment } from './one-moment.ts';
import { type StageInfo, stagesOfBenefit } from './stages.ts';
import { page } from './wire/common.ts';
import { type Batches, batches } from './wire/envelopes.ts';

type BatchColumns = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly receipt_time_stamp: Date;
  readonly number_of_disbursements: number;
  readonly total_disbursement_quantity: string;
};

/** `GET /operator/envelopes/{id}/batches`: page by page, in the order of their receipt. */
export const envelopeBatchesEndpoint = endpoint({
  method: 'GET',
  path: '/operator/envelopes/{id}/batches',
  summary: 'The batches of an envelope, in the order of their receipt',
  role: 'viewer',
  params: envelopeParams,
  query: page as z.ZodType<z.output<typeof page>>,
  answer: batches,
  refusals: { ...ENVELOPE_UNKNOWN, CURSOR_INVALID: 400 },
  handle({ database, system }, { params: { id }, query: { cursor, limit } }) {
    const after = decodeCursor(cursor, ['moment', 'text']);
    return atOneMoment(database, async (tx) => {
      const [envelope] = await tx<{ benefit_type: string }[]>`
        select benefit_type from disbursement_envelopes where id = ${id}`;
      if (!envelope) refuseUnknownEnvelope(id);
      const rows = await tx<BatchColumns[]>`
        select * from disbursement_batch_control
        where disbursement_envelope_id = ${id}
          ${after ? tx`and (receipt_time_stamp, id) > (${after[0]}::timestamptz, ${after[1]})` : tx``}
        order by receipt_time_stamp, id limit ${limit + 1}`;
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      const stages = stagesOfBenefit(system, envelope.benefit_type).filter(
        ({ actor }) => actor.name === 'batch',
      );
      return {
        batches: shown.map((row) => batchOnWire(row, stages)),
        next_cursor: last ? encodeCursor([last.receipt_time_stamp.toISOString(), last.id]) : null,
      };
    });
  },
});

function batchOnWire(row: BatchColumns, stages: readonly StageInfo[]): Batches['batches'][number] {
  return {
    id: row.id,
    received_at: row.receipt_time_stamp.toISOString(),
    number_of_disbursements: row.number_of_disbursements,
    quantity: row.total_disbursement_quantity,
    stages: stages.map(({ stage, region: { region, columns } }) => ({
      stage,
      region,
      state: String(row[columns.status]),
      attempts: Number(row[columns.attempts]),
      error_code: row[columns.latest_error_code] as string | null,
      due_at: (row[columns.due_at] as Date | null)?.toISOString() ?? null,
    })),
  };
}
