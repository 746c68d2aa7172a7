import { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { jsonNumber } from '../json.ts';
import { amount, processStatus, tally, textOrNull } from './answer-fields.ts';
import { type Answer, PAGE_SIZE_MAX, type Pagination } from './message.ts';

/** Whose geo records are wanted. */
export type GeoOwner =
  | { readonly column: 'disbursement_envelope_id'; readonly id: string }
  | { readonly column: 'disbursement_batch_control_id'; readonly id: string };

/** A geo record on the wire: the part of a batch that goes to one small zone. */
export const geoRecord = z.object({
  disbursement_batch_control_geo_id: z.string(),
  disbursement_cycle_id: z.string(),
  disbursement_envelope_id: z.string(),
  disbursement_batch_control_id: z.string(),
  administrative_zone_id_large: z.string(),
  administrative_zone_mnemonic_large: z.string(),
  administrative_zone_id_small: z.string(),
  administrative_zone_mnemonic_small: z.string(),
  no_of_beneficiaries: tally,
  total_quantity: amount,
  warehouse_id: textOrNull,
  warehouse_mnemonic: textOrNull,
  warehouse_additional_attributes: textOrNull,
  agency_id: textOrNull,
  agency_mnemonic: textOrNull,
  agency_additional_attributes: textOrNull,
  warehouse_notification_status: processStatus,
  agency_notification_status: processStatus,
});

type GeoRecord = z.infer<typeof geoRecord>;
type GeoRow = Omit<GeoRecord, 'total_quantity'> & { readonly total_quantity: string };

/**
 * A page of the geo records of an envelope or a batch, by id; the first 10,000 for who asks for no page.
 *
 * @returns the records on the wire, and how many there are when that is asked for or one page does not hold them
 */
export async function geoRecords(
  sql: Queryable,
  owner: GeoOwner,
  page: Pagination | null | undefined,
): Promise<{
  readonly records: GeoRecord[];
  readonly pagination: NonNullable<Answer['pagination']> | null;
}> {
  const { current_page: current, page_size: size } = page ?? { current_page: 1, page_size: PAGE_SIZE_MAX };
  const rows = await sql<GeoRow[]>`
    select id as disbursement_batch_control_geo_id, disbursement_cycle_id::text, disbursement_envelope_id,
      disbursement_batch_control_id, administrative_zone_id_large, administrative_zone_mnemonic_large,
      administrative_zone_id_small, administrative_zone_mnemonic_small, no_of_beneficiaries, total_quantity,
      warehouse_id, warehouse_mnemonic, warehouse_additional_attributes, agency_id, agency_mnemonic,
      agency_additional_attributes, warehouse_notification_status, agency_notification_status
    from disbursement_batch_control_geo where ${sql(owner.column)} = ${owner.id}
    order by id limit ${size} offset ${(current - 1) * size}`;
  const records = rows.map((row) => ({ ...row, total_quantity: jsonNumber(row.total_quantity) }));
  if (!page && rows.length < size) return { records, pagination: null };
  const [counted] = await sql<{ items: number }[]>`
    select count(*)::int as items from disbursement_batch_control_geo where ${sql(owner.column)} = ${owner.id}`;
  const items = counted?.items ?? 0;
  return { records, pagination: { number_of_items: items, number_of_pages: Math.ceil(items / size) } };
}
