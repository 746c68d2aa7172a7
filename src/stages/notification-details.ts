import type { Sql } from '../db/connection.ts';
import type { NotificationRow, NotificationRows } from './notifications.ts';

interface Row {
  readonly id: string;
  readonly disbursement_envelope_id: string;
  readonly cancelled: boolean;
  readonly recipient_id: string;
  readonly recipient_name: string | null;
  readonly recipient_email: string | null;
  readonly recipient_phone: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * What the administrator of a geo record's warehouse or agency is told: what is to be handed out, where, to how many,
 * and who the other one is.
 */
export const geoNotifications =
  (to: 'warehouse' | 'agency'): NotificationRows =>
  async (sql, ids) => {
    const rows = await sql<Row[]>`
      select place.id, e.id as disbursement_envelope_id, e.cancellation_status = 'Cancelled' as cancelled,
        place.${sql(`${to}_mnemonic`)} as recipient_id,
        t.${sql(`${to}_admin_name`)} as recipient_name, t.${sql(`${to}_admin_email`)} as recipient_email,
        t.${sql(`${to}_admin_phone`)} as recipient_phone,
        json_build_object(
          ${commonDetails(sql)},
          'total_quantity', place.total_quantity::text,
          'number_of_beneficiaries', place.no_of_beneficiaries) as payload
      from disbursement_batch_control_geo place
      join disbursement_envelopes e on e.id = place.disbursement_envelope_id
      join disbursement_batch_control_geo_attributes t on t.id = place.id
      where place.id = any(${ids as string[]})`;
    return rows.map(notificationRow);
  };

/** What beneficiaries are told: what they get, in which zone, and from which agency. */
export const beneficiaryNotifications: NotificationRows = async (sql, ids) => {
  const rows = await sql<Row[]>`
    select place.id, e.id as disbursement_envelope_id, e.cancellation_status = 'Cancelled' as cancelled,
      place.beneficiary_id as recipient_id,
      place.beneficiary_name as recipient_name, place.beneficiary_email as recipient_email,
      place.beneficiary_phone as recipient_phone,
      json_build_object(
        ${commonDetails(sql)},
        'total_quantity', d.disbursement_quantity::text,
        'beneficiary_id', place.beneficiary_id,
        'beneficiary_name', place.beneficiary_name) as payload
    from disbursement_resolution_geo_address place
    join disbursements d on d.id = place.id
    join disbursement_envelopes e on e.id = place.disbursement_envelope_id
    join disbursement_batch_control_geo_attributes t on t.id = place.disbursement_batch_control_geo_id
    where place.id = any(${ids as string[]})`;
  return rows.map(notificationRow);
};

/** Names and values that all notifications carry: of the envelope `e`, the record `place` and its attributes `t`. */
const commonDetails = (sql: Sql) => sql`
  'benefit_program_mnemonic', e.benefit_program_mnemonic,
  'benefit_program_description', e.benefit_program_description,
  'target_registry', e.target_registry,
  'cycle_code_mnemonic', e.cycle_code_mnemonic,
  'disbursement_date', e.disbursement_schedule_date,
  'benefit_code_id', e.benefit_code_id,
  'benefit_code_mnemonic', e.benefit_code_mnemonic,
  'benefit_type', e.benefit_type,
  'benefit_code_description', e.benefit_code_description,
  'measurement_unit', e.measurement_unit,
  'warehouse_id', place.warehouse_id,
  'warehouse_mnemonic', place.warehouse_mnemonic,
  'warehouse_name', t.warehouse_name,
  'agency_id', place.agency_id,
  'agency_mnemonic', place.agency_mnemonic,
  'agency_name', t.agency_name,
  'administrative_zone_id_large', place.administrative_zone_id_large,
  'administrative_zone_mnemonic_large', place.administrative_zone_mnemonic_large,
  'administrative_zone_id_small', place.administrative_zone_id_small,
  'administrative_zone_mnemonic_small', place.administrative_zone_mnemonic_small`;

const notificationRow = (row: Row): NotificationRow => ({
  id: row.id,
  disbursement_envelope_id: row.disbursement_envelope_id,
  cancelled: row.cancelled,
  recipient: {
    subscriberId: row.recipient_id,
    name: row.recipient_name,
    email: row.recipient_email,
    phone: row.recipient_phone,
  },
  payload: row.payload,
});
