import {
  accountStatements,
  disbursementBatchControl,
  disbursementBatchControlGeo,
  disbursementEnvelopes,
  disbursementResolutionGeoAddress,
  envelopeBatchStatusForCash,
  envelopeControl,
} from '../db/schema/index.ts';
import { batchMachine } from '../machines/batch.ts';
import { beneficiaryMachine } from '../machines/beneficiary.ts';
import { envelopeMachine } from '../machines/envelope.ts';
import { geoMachine } from '../machines/geo.ts';
import { statementMachine } from '../machines/statement.ts';
import { defineActor } from '../runtime/actor.ts';

/** Where each machine lives. A stage's columns are named after its region; the funds columns have names of their own. */

export const envelopeActor = defineActor({
  name: 'envelope',
  machine: envelopeMachine,
  tables: [
    { table: disbursementEnvelopes, id: 'id' },
    { table: envelopeControl, id: 'disbursement_envelope_id' },
    { table: envelopeBatchStatusForCash, id: 'disbursement_envelope_id' },
  ],
  stages: {
    funds_available: { status: 'funds_available_with_bank', timestamp: 'funds_available_latest_timestamp' },
    funds_blocked: { status: 'funds_blocked_with_bank', timestamp: 'funds_blocked_latest_timestamp' },
    funds_released: {},
  },
  states: { receipt: 'receipt_status', cancellation: 'cancellation_status' },
  // Until all is received, or nothing will be, further batches may come.
  ends: { receipt: 'RECEIVED', cancellation: 'Cancelled' },
  facts: [
    'benefit_type',
    'number_of_disbursements',
    'total_disbursement_quantity',
    'number_of_disbursements_received',
    'total_disbursement_quantity_received',
    'funds_due_from',
    'number_of_batches_ready',
    'funds_blocked_reference_number',
    'funds_released_reference_number',
    'number_of_disbursements_shipped',
    'number_of_disbursements_reconciled',
    'number_of_disbursements_reversed',
    'quantity_shipped',
    'quantity_reconciled',
    'quantity_reversed',
    'cancellation_timestamp',
  ],
});

export const batchActor = defineActor({
  name: 'batch',
  machine: batchMachine,
  tables: [{ table: disbursementBatchControl, id: 'id' }],
  stages: {
    fa_resolution: {},
    geo_resolution: {},
    warehouse_allocation: {},
    agency_allocation: {},
    sponsor_bank_dispatch: {},
  },
  facts: ['disbursement_envelope_id', 'benefit_type'],
  parent: 'disbursement_envelope_id',
});

export const geoActor = defineActor({
  name: 'geo',
  machine: geoMachine,
  tables: [{ table: disbursementBatchControlGeo, id: 'id' }],
  stages: { warehouse_notification: {}, agency_notification: {} },
  parent: 'disbursement_batch_control_id',
  correlation: 'disbursement_envelope_id',
});

export const beneficiaryActor = defineActor({
  name: 'beneficiary',
  machine: beneficiaryMachine,
  tables: [{ table: disbursementResolutionGeoAddress, id: 'id' }],
  stages: { beneficiary_notification: {} },
  parent: 'disbursement_batch_control_geo_id',
  correlation: 'disbursement_envelope_id',
});

export const statementActor = defineActor({
  name: 'statement',
  machine: statementMachine,
  tables: [{ table: accountStatements, id: 'statement_id' }],
  stages: { statement_process: {} },
});

/** Every actor of the pipeline. */
export const ACTORS = [envelopeActor, batchActor, geoActor, beneficiaryActor, statementActor];
