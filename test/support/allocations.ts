import { normaliseDecimal } from '../../src/decimal.ts';
import type { InKindPipeline } from './in-kind.ts';

/** What is allocated, and the stage and the zones it is allocated to. */
export const ALLOCATIONS = {
  warehouse: { zones: 'large', stage: 'warehouse_allocation' },
  agency: { zones: 'small', stage: 'agency_allocation' },
} as const;
export type AllocationKind = keyof typeof ALLOCATIONS;

/** What each warehouse or agency has been given of an envelope: `<id>: <quantity>`, by id. */
export interface Given {
  /** As the allocations of the envelope say, which the next choice goes by. */
  readonly noted: readonly string[];
  /** As the geo records sum up. */
  readonly summed: readonly string[];
}

/** Reads what was given of an envelope, from both places that know. */
export async function givenOf(
  { pipeline }: InKindPipeline,
  envelopeId: string,
  kind: AllocationKind,
): Promise<Given> {
  const { sql } = pipeline.database;
  type Rows = readonly { readonly id: string; readonly quantity: string }[];
  const inText = (rows: Rows) => rows.map(({ id, quantity }) => `${id}: ${normaliseDecimal(quantity)}`);
  const id = sql(`${kind}_id`);
  const noted = await sql<{ id: string; quantity: string }[]>`
    select allocated_to as id, allocated_quantity as quantity from envelope_allocations
    where disbursement_envelope_id = ${envelopeId} and kind = ${kind} order by 1`;
  const summed = await sql<{ id: string; quantity: string }[]>`
    select ${id} as id, sum(total_quantity)::text as quantity from disbursement_batch_control_geo
    where disbursement_envelope_id = ${envelopeId} and ${id} is not null group by 1 order by 1`;
  return { noted: inText(noted), summed: inText(summed) };
}
