import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { disbursementBatchControl, disbursements } from './disbursements.ts';
import { errorsOfEnvelope, stageColumns, stageConstraints, statusCheck, utc } from './stage-columns.ts';

/** The part of a batch that goes to one small zone: one warehouse serves it, one agency delivers it. */
export const disbursementBatchControlGeo = pgTable(
  'disbursement_batch_control_geo',
  {
    id: text().primaryKey(),
    disbursement_cycle_id: bigint({ mode: 'number' }).notNull(),
    disbursement_envelope_id: text().notNull(),
    disbursement_batch_control_id: text()
      .notNull()
      .references(() => disbursementBatchControl.id),
    administrative_zone_id_large: text().notNull(),
    administrative_zone_mnemonic_large: text().notNull(),
    administrative_zone_id_small: text().notNull(),
    administrative_zone_mnemonic_small: text().notNull(),
    no_of_beneficiaries: integer().notNull().default(0),
    total_quantity: numeric().notNull().default('0'),
    warehouse_id: text(),
    warehouse_mnemonic: text(),
    warehouse_additional_attributes: text(),
    agency_id: text(),
    agency_mnemonic: text(),
    agency_additional_attributes: text(),
    ...stageColumns('warehouse_notification'),
    ...stageColumns('agency_notification'),
  },
  (t) => [
    uniqueIndex('disbursement_batch_control_geo_zone').on(
      t.disbursement_batch_control_id,
      t.administrative_zone_id_large,
      t.administrative_zone_id_small,
    ),
    index('disbursement_batch_control_geo_envelope').on(t.disbursement_envelope_id),
    ...stageConstraints(t, 'warehouse_notification'),
    ...stageConstraints(t, 'agency_notification'),
    errorsOfEnvelope(t, 'warehouse_notification'),
    errorsOfEnvelope(t, 'agency_notification'),
  ],
);

/** Whom to write to about a geo record; the same id. */
export const disbursementBatchControlGeoAttributes = pgTable('disbursement_batch_control_geo_attributes', {
  id: text()
    .primaryKey()
    .references(() => disbursementBatchControlGeo.id),
  disbursement_batch_control_id: text().notNull(),
  warehouse_name: text(),
  warehouse_admin_name: text(),
  warehouse_admin_email: text(),
  warehouse_admin_phone: text(),
  agency_name: text(),
  agency_admin_name: text(),
  agency_admin_email: text(),
  agency_admin_phone: text(),
});

/** Where a beneficiary lives, and which warehouse and agency serve them. */
export const disbursementResolutionGeoAddress = pgTable(
  'disbursement_resolution_geo_address',
  {
    /** The disbursement's id: a disbursement has one address. */
    id: text().primaryKey(),
    disbursement_id: text()
      .notNull()
      .references(() => disbursements.id),
    disbursement_cycle_id: bigint({ mode: 'number' }).notNull(),
    disbursement_envelope_id: text().notNull(),
    disbursement_batch_control_id: text().notNull(),
    disbursement_batch_control_geo_id: text()
      .notNull()
      .references(() => disbursementBatchControlGeo.id),
    beneficiary_id: text().notNull(),
    administrative_zone_id_large: text().notNull(),
    administrative_zone_mnemonic_large: text().notNull(),
    administrative_zone_id_small: text().notNull(),
    administrative_zone_mnemonic_small: text().notNull(),
    warehouse_id: text(),
    warehouse_mnemonic: text(),
    agency_id: text(),
    agency_mnemonic: text(),
    beneficiary_name: text(),
    beneficiary_phone: text(),
    beneficiary_email: text(),
    ...stageColumns('beneficiary_notification'),
  },
  (t) => [
    check('geo_address_id', sql`${t.id} = ${t.disbursement_id}`),
    index('geo_address_batch').on(t.disbursement_batch_control_id),
    index('geo_address_geo').on(t.disbursement_batch_control_geo_id),
    ...stageConstraints(t, 'beneficiary_notification'),
    errorsOfEnvelope(t, 'beneficiary_notification'),
  ],
);

/** How much of an envelope each warehouse and agency has been given, so that the next batch goes to who has least. */
export const envelopeAllocations = pgTable(
  'envelope_allocations',
  {
    disbursement_envelope_id: text().notNull(),
    /** `warehouse` or `agency`. */
    kind: text().notNull(),
    allocated_to: text().notNull(),
    allocated_quantity: numeric().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.disbursement_envelope_id, t.kind, t.allocated_to] }),
    statusCheck('envelope_allocations_kind', t.kind, ['warehouse', 'agency']),
  ],
);

/** What was sent to whom, and what the notification service said. */
export const notificationLogs = pgTable(
  'notification_logs',
  {
    notification_id: text().primaryKey(),
    notification_type: text().notNull(),
    disbursement_envelope_id: text().notNull(),
    recipient: text().notNull(),
    payload: text().notNull(),
    status: text().notNull().default('PENDING'),
    response: text(),
    error_message: text(),
    sent_at: utc().notNull(),
    processed_at: utc(),
  },
  (t) => [
    index('notification_logs_envelope').on(t.disbursement_envelope_id),
    statusCheck('notification_logs_status', t.status, ['PENDING', 'SENT', 'PROCESSED', 'ERROR']),
  ],
);
