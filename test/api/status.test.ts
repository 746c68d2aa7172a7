import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertRows } from '../../src/db/bulk.ts';
import {
  disbursementBatchControlGeo,
  disbursementErrorRecons,
  disbursementRecons,
  disbursementResolutionGeoAddress,
} from '../../src/db/schema/index.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixtures, envelopeFixture } from '../support/payloads.ts';
import { errorReconRow, geoAddressRow, geoRow, type Owner, reconRow } from '../support/status-rows.ts';

describe('status reads', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  /** An envelope with a batch of disbursements. */
  const received = async (count: number, changes: Record<string, unknown> = {}) => {
    const envelope = envelopeFixture(changes);
    const envelopeId = String(envelope.id);
    await api.call('/create_disbursement_envelopes', [envelope]);
    const items = disbursementFixtures(envelopeId, count);
    const reply = await api.call('/create_disbursements', items);
    const owner: Owner = { envelopeId, batchId: String(reply.body.disbursement_batch_control_id) };
    return { ...owner, owner, ids: items.map((item) => item.disbursement_id) };
  };

  describe('of disbursements', () => {
    const PATH = '/get_disbursement_status';

    it('show what statements say of each id, in the order asked, and nothing for the others', async () => {
      const { owner, ids } = await received(3);
      const [paid = '', returned = '', open = ''] = ids;
      await insertRows(
        api.database.sql,
        disbursementRecons,
        [
          reconRow(owner, paid),
          reconRow(owner, returned, {
            reversal_found: true,
            reversal_statement_id: 'S-2',
            reversal_entry_sequence: 4,
            reversal_reason: 'ACCOUNT CLOSED',
          }),
        ].map((row) => ({
          reversal_statement_id: null,
          reversal_entry_sequence: null,
          reversal_reason: null,
          reversal_found: false,
          ...row,
        })),
      );
      await insertRows(api.database.sql, disbursementErrorRecons, [
        errorReconRow(paid),
        errorReconRow('unheard-of'),
      ]);

      const reply = await api.call(PATH, [open, returned, 'nobody', paid, 'unheard-of']);
      expect(reply.header.response_status).toBe('SUCCESS');
      const records = reply.payload.map(
        (item: { disbursement_recon_records: object }) => item.disbursement_recon_records,
      );
      expect(reply.payload.map((item: { reconciliation_id: string }) => item.reconciliation_id)).toEqual([
        open,
        returned,
        'nobody',
        paid,
        'unheard-of',
      ]);
      const nothing = { disbursement_recon_payloads: [], disbursement_error_recon_payloads: [] };
      expect(records[0]).toEqual(nothing);
      expect(records[2]).toEqual(nothing);
      expect(records[1].disbursement_recon_payloads).toMatchObject([
        { reversal_found: true, reversal_entry_sequence: '4', reversal_reason: 'ACCOUNT CLOSED' },
      ]);
      expect(records[3].disbursement_recon_payloads).toEqual([
        {
          disbursement_batch_control_id: owner.batchId,
          disbursement_id: paid,
          disbursement_batch_control_geo_id: null,
          disbursement_envelope_id: owner.envelopeId,
          beneficiary_name_from_bank: 'Almaz Bekele',
          remittance_amount: 100.5,
          remittance_reference_number: 'BANKREF1',
          remittance_statement_id: 'S-1',
          remittance_statement_number: '7',
          remittance_statement_sequence: '1',
          remittance_entry_sequence: '12',
          remittance_entry_date: '2026-01-05T00:00:00.000Z',
          remittance_value_date: '2026-01-06T00:00:00.000Z',
          reversal_found: false,
          reversal_statement_id: null,
          reversal_statement_number: null,
          reversal_statement_sequence: null,
          reversal_entry_sequence: null,
          reversal_entry_date: null,
          reversal_value_date: null,
          reversal_reason: null,
        },
      ]);
      expect(records[3].disbursement_error_recon_payloads).toEqual([
        {
          statement_id: 'S-1',
          statement_number: '7',
          statement_sequence: '1',
          entry_sequence: '3',
          entry_date: '2026-01-05T00:00:00.000Z',
          value_date: '2026-01-06T00:00:00.000Z',
          entry_amount: 250,
          error_reason: 'DUPLICATE_DISBURSEMENT',
          reconciliation_id: paid,
          disbursement_envelope_id: null,
          disbursement_batch_control_geo_id: null,
          bank_reference_number: 'BANKREF2',
        },
      ]);
      expect(records[4].disbursement_error_recon_payloads).toHaveLength(1);
    });

    it('take 10,000 ids and no more', async () => {
      const ids = Array.from({ length: 10_001 }, (_, n) => `D-${n}`);
      const reply = await api.call(PATH, ids.slice(1));
      expect(reply.payload).toHaveLength(10_000);
      const refused = await api.call(PATH, ids);
      expect(refused.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
    });

    it('show at most 100 wrong entries of one id', async () => {
      await insertRows(
        api.database.sql,
        disbursementErrorRecons,
        Array.from({ length: 150 }, (_, n) => errorReconRow('flooded', { entry_sequence: n })),
      );
      const reply = await api.call(PATH, ['flooded']);
      const entries = reply.payload[0].disbursement_recon_records.disbursement_error_recon_payloads;
      expect(entries.map((entry: { entry_sequence: string }) => entry.entry_sequence)).toEqual(
        Array.from({ length: 100 }, (_, n) => String(n)),
      );
    });
  });

  describe('of an envelope', () => {
    const PATH = '/get_disbursement_envelope_status';

    it('show what was declared and received, and its money', async () => {
      const { envelopeId } = await received(3, { total_disbursement_quantity: '1000.25' });
      await api.database.sql`
        update envelope_batch_status_for_cash set funds_available_with_bank = 'FUNDS_AVAILABLE',
          funds_available_attempts = 2, funds_available_latest_error_code = 'BANK_TIMEOUT',
          funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS', funds_blocked_reference_number = 'BLK-1',
          number_of_disbursements_shipped = 3, number_of_disbursements_reconciled = 2,
          number_of_disbursements_reversed = 1
        where disbursement_envelope_id = ${envelopeId}`;
      const reply = await api.call(PATH, envelopeId);
      expect(reply.header.response_status).toBe('SUCCESS');
      expect(reply.payload).toMatchObject({
        disbursement_envelope_id: envelopeId,
        benefit_code_id: 12,
        benefit_code_mnemonic: 'CASH',
        benefit_type: 'CASH_DIGITAL',
        measurement_unit: 'ETB',
        cancellation_status: 'Not_Cancelled',
        number_of_beneficiaries_declared: 10,
        number_of_beneficiaries_received: 3,
        number_of_disbursements_declared: 10,
        number_of_disbursements_received: 3,
        total_disbursement_quantity_declared: 1000.25,
        total_disbursement_quantity_received: 300,
        funds_available_with_bank: 'FUNDS_AVAILABLE',
        funds_available_latest_error_code: 'BANK_TIMEOUT',
        funds_available_attempts: 2,
        funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
        funds_blocked_latest_error_code: null,
        funds_blocked_attempts: 0,
        funds_blocked_reference_number: 'BLK-1',
        number_of_disbursements_shipped: 3,
        number_of_disbursements_reconciled: 2,
        number_of_disbursements_reversed: 1,
        no_of_warehouses_allocated: 0,
        no_of_beneficiaries_notified: 0,
        disbursement_batch_control_geos: [],
      });
      expect(reply.payload.funds_blocked_latest_timestamp).toMatch(/^\d{4}-\d{2}-\d{2}T.*Z$/);
      expect(reply.body.pagination_response).toBeNull();
    });

    it('show quantities with all their digits', async () => {
      const { envelopeId } = await received(1, {
        total_disbursement_quantity: '12345678901234567890.123456',
      });
      const reply = await api.call(PATH, envelopeId);
      expect(reply.text).toContain('"total_disbursement_quantity_declared":12345678901234567890.123456,');
    });

    it('count a beneficiary of several batches once', async () => {
      const { envelopeId } = await received(2);
      const beneficiary_id = 'BEN-of-both';
      await api.call('/create_disbursements', disbursementFixtures(envelopeId, 1, { beneficiary_id }));
      await api.call('/create_disbursements', disbursementFixtures(envelopeId, 1, { beneficiary_id }));
      const reply = await api.call(PATH, envelopeId);
      expect(reply.payload).toMatchObject({
        number_of_beneficiaries_received: 3,
        number_of_disbursements_received: 4,
      });
    });

    it('show warehouses, agencies and beneficiaries with how many have been told', async () => {
      const { envelopeId, owner, ids } = await received(3, { benefit_type: 'COMMODITY' });
      const told = { warehouse_notification_status: 'PROCESSED', agency_notification_status: 'PROCESSED' };
      const pending = { warehouse_notification_status: 'PENDING', agency_notification_status: 'PENDING' };
      const geos = [
        geoRow(owner, { ...told, agency_notification_status: 'ERROR' }),
        geoRow(owner, { ...pending, agency_id: 'A2' }),
        geoRow(owner, { ...told, warehouse_id: 'W2', agency_id: 'A2' }),
        geoRow(owner, { ...pending, warehouse_id: null, warehouse_mnemonic: null, agency_id: null }),
      ];
      await insertRows(api.database.sql, disbursementBatchControlGeo, geos);
      const [geo] = geos;
      if (!geo) throw new Error('There is no geo record.');
      const statuses = ['PROCESSED', 'PROCESSED', 'ERROR'];
      await insertRows(
        api.database.sql,
        disbursementResolutionGeoAddress,
        ids.map((id, n) =>
          geoAddressRow(owner, id, geo, { beneficiary_notification_status: statuses[n] ?? 'PENDING' }),
        ),
      );
      const reply = await api.call(PATH, envelopeId);
      expect(reply.payload).toMatchObject({
        no_of_large_zones: 1,
        no_of_small_zones: 4,
        no_of_warehouses_allocated: 2,
        no_of_warehouses_notified: 2,
        no_of_agencies_allocated: 2,
        no_of_agencies_notified: 1,
        no_of_beneficiaries_notified: 2,
        disbursement_notification_stages: [
          { stage: 'warehouse_notification', pending: 2, processing: 0, processed: 2, error: 0 },
          { stage: 'agency_notification', pending: 2, processing: 0, processed: 1, error: 1 },
          { stage: 'beneficiary_notification', pending: 0, processing: 0, processed: 2, error: 1 },
        ],
      });
      const shown = reply.payload.disbursement_batch_control_geos;
      expect(shown).toHaveLength(4);
      expect(
        shown.find((one: Record<string, unknown>) => one.disbursement_batch_control_geo_id === geo.id),
      ).toEqual({
        disbursement_batch_control_geo_id: geo.id,
        disbursement_cycle_id: '3',
        disbursement_envelope_id: envelopeId,
        disbursement_batch_control_id: owner.batchId,
        administrative_zone_id_large: 'L1',
        administrative_zone_mnemonic_large: 'OROMIA',
        administrative_zone_id_small: geo.administrative_zone_id_small,
        administrative_zone_mnemonic_small: 'ADAMA',
        no_of_beneficiaries: 4,
        total_quantity: 12.5,
        warehouse_id: 'W1',
        warehouse_mnemonic: 'WH-ADAMA',
        warehouse_additional_attributes: null,
        agency_id: 'A1',
        agency_mnemonic: 'AG-ADAMA',
        agency_additional_attributes: null,
        warehouse_notification_status: 'PROCESSED',
        agency_notification_status: 'ERROR',
      });
    });

    it('give geo records page by page to who asks for pages, and say how many there are', async () => {
      const { envelopeId, owner } = await received(1, { benefit_type: 'SERVICE' });
      const geos = Array.from({ length: 7 }, () => geoRow(owner));
      await insertRows(api.database.sql, disbursementBatchControlGeo, geos);
      const page = async (current_page: number) => {
        const reply = await api.call(PATH, envelopeId, {
          pagination_request: { current_page, page_size: 3 },
        });
        expect(reply.body.pagination_response).toEqual({ number_of_items: 7, number_of_pages: 3 });
        return reply.payload.disbursement_batch_control_geos.map(
          (one: Record<string, unknown>) => one.disbursement_batch_control_geo_id,
        );
      };
      const pages = [await page(1), await page(2), await page(3), await page(4)];
      expect(pages.map((ids) => ids.length)).toEqual([3, 3, 1, 0]);
      expect(pages.flat().toSorted()).toEqual(geos.map(({ id }) => id).toSorted());
    });

    it('refuse an envelope that is not there', async () => {
      const reply = await api.call(PATH, 'ENV-nobody');
      expect(reply.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_NOT_FOUND');
      expect(reply.payload).toBeNull();
    });
  });

  describe('of a batch', () => {
    const PATH = '/get_disbursement_batch_control';

    it('show where every stage stands, what the batch is of, and its geo records', async () => {
      const { envelopeId, batchId, owner } = await received(2, { benefit_type: 'CASH_PHYSICAL' });
      const geo = geoRow(owner);
      await insertRows(api.database.sql, disbursementBatchControlGeo, [geo]);
      await api.database.sql`
        update disbursement_batch_control set geo_resolution_status = 'ERROR', geo_resolution_attempts = 3,
          geo_resolution_latest_error_code = 'GEO_UNRESOLVED', geo_resolution_timestamp = '2026-01-05T10:00:00Z'
        where id = ${batchId}`;
      const reply = await api.call(PATH, batchId);
      const untouched = (region: string) => ({
        [`${region}_status`]: 'NOT_APPLICABLE',
        [`${region}_timestamp`]: null,
        [`${region}_latest_error_code`]: null,
        [`${region}_attempts`]: 0,
      });
      expect(reply.payload).toEqual({
        disbursement_batch_control_id: batchId,
        disbursement_cycle_id: 3,
        disbursement_cycle_code_mnemonic: 'JULY',
        disbursement_envelope_id: envelopeId,
        benefit_code_id: 12,
        benefit_code_mnemonic: 'CASH',
        benefit_type: 'CASH_PHYSICAL',
        measurement_unit: 'ETB',
        number_of_disbursements: 2,
        total_disbursement_quantity: 200,
        ...untouched('fa_resolution'),
        geo_resolution_status: 'ERROR',
        geo_resolution_timestamp: '2026-01-05T10:00:00.000Z',
        geo_resolution_latest_error_code: 'GEO_UNRESOLVED',
        geo_resolution_attempts: 3,
        ...untouched('warehouse_allocation'),
        ...untouched('agency_allocation'),
        ...untouched('sponsor_bank_dispatch'),
        disbursement_batch_control_geos: [
          expect.objectContaining({ disbursement_batch_control_geo_id: geo.id }),
        ],
      });
    });

    it('refuse a batch that is not there', async () => {
      const reply = await api.call(PATH, 'BATCH-nobody');
      expect(reply.header.response_error_code).toBe('DISBURSEMENT_BATCH_CONTROL_NOT_FOUND');
    });
  });
});
