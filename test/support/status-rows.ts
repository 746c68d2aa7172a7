import { randomUUID } from 'node:crypto';
import type {
  disbursementBatchControlGeo,
  disbursementErrorRecons,
  disbursementRecons,
  disbursementResolutionGeoAddress,
} from '../../src/db/schema/index.ts';

/** Builders of the rows that later stages write and the status reads show. */

/** Whose the row is. */
export interface Owner {
  envelopeId: string;
  batchId: string;
}

/** A disbursement of 100 found on a statement. */
export function reconRow(
  { envelopeId, batchId }: Owner,
  disbursementId: string,
  given: Partial<typeof disbursementRecons.$inferInsert> = {},
): typeof disbursementRecons.$inferInsert {
  return {
    reconciliation_id: disbursementId,
    disbursement_id: disbursementId,
    disbursement_batch_control_id: batchId,
    disbursement_envelope_id: envelopeId,
    beneficiary_name_from_bank: 'Almaz Bekele',
    remittance_amount: '100.50',
    remittance_reference_number: 'BANKREF1',
    remittance_statement_id: 'S-1',
    remittance_statement_number: '7',
    remittance_statement_sequence: '1',
    remittance_entry_sequence: 12,
    remittance_entry_date: new Date('2026-01-05T00:00:00Z'),
    remittance_value_date: new Date('2026-01-06T00:00:00Z'),
    ...given,
  };
}

/** A statement's entry that could not be matched. */
export function errorReconRow(
  reconciliationId: string,
  given: Partial<typeof disbursementErrorRecons.$inferInsert> = {},
): typeof disbursementErrorRecons.$inferInsert {
  return {
    statement_id: 'S-1',
    statement_number: '7',
    statement_sequence: '1',
    entry_sequence: 3,
    entry_date: new Date('2026-01-05T00:00:00Z'),
    value_date: new Date('2026-01-06T00:00:00Z'),
    entry_amount: '250',
    error_reason: 'DUPLICATE_DISBURSEMENT',
    reconciliation_id: reconciliationId,
    bank_reference_number: 'BANKREF2',
    ...given,
  };
}

/** The part of a batch that goes to a zone of its own. */
export function geoRow(
  { envelopeId, batchId }: Owner,
  given: Partial<typeof disbursementBatchControlGeo.$inferInsert> = {},
): typeof disbursementBatchControlGeo.$inferInsert {
  const zone = randomUUID();
  return {
    id: `GEO-${zone}`,
    disbursement_cycle_id: 3,
    disbursement_envelope_id: envelopeId,
    disbursement_batch_control_id: batchId,
    administrative_zone_id_large: 'L1',
    administrative_zone_mnemonic_large: 'OROMIA',
    administrative_zone_id_small: zone,
    administrative_zone_mnemonic_small: 'ADAMA',
    no_of_beneficiaries: 4,
    total_quantity: '12.5',
    warehouse_id: 'W1',
    warehouse_mnemonic: 'WH-ADAMA',
    agency_id: 'A1',
    agency_mnemonic: 'AG-ADAMA',
    ...given,
  };
}

/** Where the beneficiary of a disbursement lives. */
export function geoAddressRow(
  { envelopeId, batchId }: Owner,
  disbursementId: string,
  geo: typeof disbursementBatchControlGeo.$inferInsert,
  given: Partial<typeof disbursementResolutionGeoAddress.$inferInsert> = {},
): typeof disbursementResolutionGeoAddress.$inferInsert {
  return {
    id: disbursementId,
    disbursement_id: disbursementId,
    disbursement_cycle_id: 3,
    disbursement_envelope_id: envelopeId,
    disbursement_batch_control_id: batchId,
    disbursement_batch_control_geo_id: geo.id,
    beneficiary_id: `BEN-${randomUUID()}`,
    administrative_zone_id_large: geo.administrative_zone_id_large,
    administrative_zone_mnemonic_large: geo.administrative_zone_mnemonic_large,
    administrative_zone_id_small: geo.administrative_zone_id_small,
    administrative_zone_mnemonic_small: geo.administrative_zone_mnemonic_small,
    ...given,
  };
}
