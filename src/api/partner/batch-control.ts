import { z } from 'zod';
import { BATCH_REGIONS, type BatchRegion } from '../../machines/batch.ts';
import { BENEFIT_TYPES } from '../../machines/benefit-type.ts';
import { jsonNumber } from '../json.ts';
import { amount, foreignId, instant, processStatus, tally, textOrNull } from './answer-fields.ts';
import { identifier } from './fields.ts';
import { geoRecord, geoRecords } from './geo-records.ts';
import { messageOf, Refusal } from './message.ts';
import type { Operation } from './operation.ts';

const schema = messageOf({ request_payload: identifier });

/** What is said of each stage, in columns `<region>_<name>`. */
const STAGE_FIELDS = {
  status: processStatus,
  timestamp: instant.nullable(),
  latest_error_code: textOrNull,
  attempts: tally,
};
type StageField = keyof typeof STAGE_FIELDS;
type RegionShape = { [K in `${BatchRegion}_${StageField}`]: (typeof STAGE_FIELDS)[StageField] };

const regionShape = Object.fromEntries(
  BATCH_REGIONS.flatMap((region) =>
    Object.entries(STAGE_FIELDS).map(([name, field]) => [`${region}_${name}`, field]),
  ),
) as RegionShape;

const answer = z.object({
  disbursement_batch_control_id: z.string(),
  disbursement_cycle_id: foreignId,
  disbursement_cycle_code_mnemonic: z.string(),
  disbursement_envelope_id: z.string(),
  benefit_code_id: foreignId,
  benefit_code_mnemonic: z.string(),
  benefit_type: z.enum(BENEFIT_TYPES),
  measurement_unit: z.string(),
  number_of_disbursements: tally,
  total_disbursement_quantity: amount,
  ...regionShape,
  disbursement_batch_control_geos: z.array(geoRecord),
});

type BatchAnswer = z.infer<typeof answer>;
type Converted = 'disbursement_cycle_id' | 'benefit_code_id' | 'total_disbursement_quantity';
type BatchRow = Omit<BatchAnswer, Converted | 'disbursement_batch_control_geos'> & {
  readonly [column in Converted]: string;
};

/** `/get_disbursement_batch_control`: where each stage of a batch stands, what it is of, and its geo records. */
export const batchControl: Operation<z.infer<typeof schema>, BatchAnswer> = {
  path: '/get_disbursement_batch_control',
  summary: 'Where each stage of a batch stands',
  schema,
  answer,
  codes: ['DISBURSEMENT_BATCH_CONTROL_NOT_FOUND'],
  async perform({ database: { sql } }, { request_payload: id, pagination_request: page }) {
    const [row] = await sql<BatchRow[]>`
      select b.id as disbursement_batch_control_id, b.disbursement_cycle_id,
        e.cycle_code_mnemonic as disbursement_cycle_code_mnemonic, b.disbursement_envelope_id, e.benefit_code_id,
        e.benefit_code_mnemonic, b.benefit_type, e.measurement_unit, b.number_of_disbursements,
        b.total_disbursement_quantity, ${sql(Object.keys(regionShape).map((name) => `b.${name}`))}
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
