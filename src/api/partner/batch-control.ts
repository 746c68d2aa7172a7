import { BATCH_REGIONS } from '../../machines/batch.ts';
import { jsonNumber } from '../json.ts';
import { identifier } from './fields.ts';
import { geoRecords } from './geo-records.ts';
import { type Answer, messageOf, Refusal } from './message.ts';
import type { Operation } from './operation.ts';

const schema = messageOf({ request_payload: identifier });

const REGION_COLUMNS = BATCH_REGIONS.flatMap((region) =>
  (['status', 'timestamp', 'latest_error_code', 'attempts'] as const).map((column) => `${region}_${column}`),
);

interface BatchRow {
  readonly total_disbursement_quantity: string;
  readonly disbursement_cycle_id: string;
  readonly benefit_code_id: string;
  readonly [column: string]: unknown;
}

/** `/get_disbursement_batch_control`: where each stage of a batch stands, what it is of, and its geo records. */
export const batchControl: Operation<(typeof schema)['_output']> = {
  path: '/get_disbursement_batch_control',
  schema,
  async perform({ database: { sql } }, { request_payload: id, pagination_request: page }): Promise<Answer> {
    const [row] = await sql<BatchRow[]>`
      select b.id as disbursement_batch_control_id, b.disbursement_cycle_id,
        e.cycle_code_mnemonic as disbursement_cycle_code_mnemonic, b.disbursement_envelope_id, e.benefit_code_id,
        e.benefit_code_mnemonic, b.benefit_type, e.measurement_unit, b.number_of_disbursements,
        b.total_disbursement_quantity, ${sql(REGION_COLUMNS.map((name) => `b.${name}`))}
      from disbursement_batch_control b join disbursement_envelopes e on e.id = b.disbursement_envelope_id
      where b.id = ${id}`;
    if (!row) {
      throw new Refusal('DISBURSEMENT_BATCH_CONTROL_NOT_FOUND', `There is no batch by the id ${id}.`);
    }
    const geos = await geoRecords(sql, { column: 'disbursement_batch_control_id', id }, page);
    const payload = {
      ...row,
      disbursement_cycle_id: Number(row.disbursement_cycle_id),
      benefit_code_id: Number(row.benefit_code_id),
      total_disbursement_quantity: jsonNumber(row.total_disbursement_quantity),
      disbursement_batch_control_geos: geos.records,
    };
    return { payload, pagination: geos.pagination };
  },
};
