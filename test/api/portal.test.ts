import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PORTAL_OPERATIONS } from '../../src/api/portal/index.ts';
import { insertRows } from '../../src/db/bulk.ts';
import {
  disbursementBatchControlGeo,
  disbursementRecons,
  disbursementResolutionFinancialAddress,
  disbursementResolutionGeoAddress,
} from '../../src/db/schema/index.ts';
import { compareDecimals, sumDecimals } from '../../src/decimal.ts';
import { dayFromNow, messageFixture } from '../support/payloads.ts';
import {
  ALL,
  type Given,
  openPortal,
  SUMMARY,
  storeDisbursement,
  type TestPortal,
} from '../support/portal.ts';
import type { DisbursementRow } from '../support/records.ts';
import { geoAddressRow, geoRow, reconRow } from '../support/status-rows.ts';

const PAID = { batch: { fa_resolution_status: 'PROCESSED', sponsor_bank_dispatch_status: 'PROCESSED' } };
const ALLOCATED = { batch: { geo_resolution_status: 'PROCESSED', agency_allocation_status: 'PROCESSED' } };

let portal: TestPortal;
let people = 0;

beforeAll(async () => {
  portal = await openPortal();
});

afterAll(() => portal.close());

/** Somebody new, with what they may do. */
async function person() {
  people += 1;
  const id = `PERSON-${people}`;
  const token = await portal.token({ sub: id });
  return {
    id,
    store: (given: Given = {}) =>
      storeDisbursement(portal.api, {
        ...given,
        disbursement: { ...given.disbursement, beneficiary_id: id },
      }),
    all: (body: Record<string, unknown> = {}) => portal.ask(ALL, token, {}, body),
    summary: () => portal.ask(SUMMARY, token),
  };
}

const ownerOf = (row: DisbursementRow) => ({
  envelopeId: row.disbursement_envelope_id,
  batchId: row.disbursement_batch_control_id,
});

async function resolve(row: DisbursementRow, fa: string | null = 'account_number:1'): Promise<void> {
  await insertRows(portal.api.database.sql, disbursementResolutionFinancialAddress, [
    {
      disbursement_id: row.id,
      disbursement_batch_control_id: row.disbursement_batch_control_id,
      disbursement_envelope_id: row.disbursement_envelope_id,
      beneficiary_id: row.beneficiary_id,
      mapper_resolved_fa: fa,
    },
  ]);
}

/** Puts the disbursement into a zone. @returns the geo record's id */
async function locate(row: DisbursementRow, agency: string | null = null): Promise<string> {
  const geo = geoRow(ownerOf(row), { agency_id: agency, agency_mnemonic: agency });
  const address = geoAddressRow(ownerOf(row), row.id, geo, { agency_id: agency, agency_mnemonic: agency });
  await insertRows(portal.api.database.sql, disbursementBatchControlGeo, [geo]);
  await insertRows(portal.api.database.sql, disbursementResolutionGeoAddress, [address]);
  return geo.id;
}

async function reconcile(
  row: DisbursementRow,
  given: Partial<typeof disbursementRecons.$inferInsert> = {},
): Promise<void> {
  await insertRows(portal.api.database.sql, disbursementRecons, [reconRow(ownerOf(row), row.id, given)]);
}

describe('a disbursement', () => {
  it('is told with its program, benefit, quantity, day and status', async () => {
    const { store, all } = await person();
    const receivedAt = new Date('2026-01-02T03:04:05.678Z');
    const row = await store({
      disbursement: { receipt_time_stamp: receivedAt, disbursement_quantity: '12345678901234567890.123456' },
      envelope: { benefit_program_description: 'Seeds for all', disbursement_schedule_date: '2026-02-01' },
    });
    const reply = await all();
    expect(reply.header).toMatchObject({ response_status: 'SUCCESS', response_error_code: null });
    expect(reply.body.pagination_response).toEqual({ number_of_items: 1, number_of_pages: 1 });
    expect(reply.payload).toEqual([
      {
        disbursement_id: row.id,
        disbursement_envelope_id: row.disbursement_envelope_id,
        program_mnemonic: 'SEEDS',
        program_description: 'Seeds for all',
        cycle_code_mnemonic: '2026-01',
        disbursement_quantity: expect.any(Number),
        benefit_code: 'CASH',
        benefit_code_description: null,
        benefit_type: 'CASH_DIGITAL',
        agency_mnemonic: '',
        measurement_unit: 'USD',
        disbursement_schedule_date: '2026-02-01',
        narrative: 'Seed support',
        receipt_time_stamp: '2026-01-02T03:04:05.678Z',
        disbursement_status: 'PENDING',
        disbursement_status_reason: null,
        remittance_date: null,
      },
    ]);
    expect(reply.text).toContain('"disbursement_quantity":12345678901234567890.123456,');
  });

  it('has the status of how far it has come', async () => {
    const { store, all } = await person();
    const status = async () =>
      (await all()).payload.map((one: Record<string, unknown>) => one.disbursement_status);
    const row = await store();
    expect(await status()).toEqual(['PENDING']);
    await resolve(row);
    expect(await status()).toEqual(['RESOLVED']);
    const { sql } = portal.api.database;
    await sql`update disbursement_batch_control set sponsor_bank_dispatch_status = 'PROCESSING'
      where id = ${row.disbursement_batch_control_id}`;
    expect(await status()).toEqual(['RESOLVED']);
    await sql`update disbursement_batch_control set sponsor_bank_dispatch_status = 'PROCESSED'
      where id = ${row.disbursement_batch_control_id}`;
    expect(await status()).toEqual(['SENT']);
    await reconcile(row);
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'RECONCILED', remittance_date: '2026-01-06T00:00:00.000Z' },
    ]);
    await sql`update disbursement_recons set reversal_found = true, reversal_reason = 'ACCOUNT CLOSED'
      where reconciliation_id = ${row.id}`;
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'REVERSED', disbursement_status_reason: 'ACCOUNT CLOSED' },
    ]);
  });

  it('without an address is not resolved', async () => {
    const { store, all } = await person();
    await resolve(await store(), null);
    expect((await all()).payload).toMatchObject([{ disbursement_status: 'PENDING' }]);
  });

  it('of nothing is done when its batch is paid', async () => {
    const { store, all } = await person();
    await store({ disbursement: { disbursement_quantity: '0' }, ...PAID });
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'RECONCILED', remittance_date: null },
    ]);
  });

  it.each<[string, Given]>([
    ['was cancelled', { disbursement: { cancellation_status: 'CANCELLED' } }],
    ['is of a cancelled envelope', { envelope: { cancellation_status: 'Cancelled' } }],
  ])('that %s is cancelled, whatever else is known of it', async (_, given) => {
    const { store, all, summary } = await person();
    const row = await store({ ...given, batch: PAID.batch });
    await resolve(row);
    await reconcile(row);
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'CANCELLED', remittance_date: null, disbursement_status_reason: null },
    ]);
    expect((await summary()).payload).toMatchObject([
      { number_of_disbursements_cancelled: 1, total_quantity_cancelled: 100.5, total_quantity_received: 0 },
    ]);
  });

  it('that was left out says why, though its batch was paid', async () => {
    const { store, all } = await person();
    const row = await store({ disbursement: { left_out_reason: 'FA_UNRESOLVED' }, ...PAID });
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'LEFT_OUT', disbursement_status_reason: 'FA_UNRESOLVED' },
    ]);
    await reconcile(row);
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'RECONCILED', disbursement_status_reason: null },
    ]);
  });

  it('in kind is allocated once an agency is to hand it out', async () => {
    const { store, all } = await person();
    const row = await store({ envelope: { benefit_type: 'COMMODITY' } });
    const geo = await locate(row);
    expect((await all()).payload).toMatchObject([{ disbursement_status: 'RESOLVED', agency_mnemonic: '' }]);
    const { sql } = portal.api.database;
    await sql`update disbursement_resolution_geo_address set agency_id = 'A', agency_mnemonic = 'AG-1'
      where disbursement_batch_control_geo_id = ${geo}`;
    await sql`update disbursement_batch_control set agency_allocation_status = 'PROCESSED'
      where id = ${row.disbursement_batch_control_id}`;
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'ALLOCATED', agency_mnemonic: 'AG-1' },
    ]);
  });

  it('of physical cash is reconciled and reversed with the payment to its agency', async () => {
    const { store, all } = await person();
    const row = await store({
      envelope: { benefit_type: 'CASH_PHYSICAL' },
      batch: { ...ALLOCATED.batch, ...PAID.batch },
    });
    const geo = await locate(row, 'AG-1');
    expect((await all()).payload).toMatchObject([{ disbursement_status: 'SENT', agency_mnemonic: 'AG-1' }]);
    await reconcile(row, {
      reconciliation_id: geo,
      disbursement_id: null,
      disbursement_batch_control_geo_id: geo,
      remittance_value_date: null,
    });
    expect((await all()).payload).toMatchObject([
      { disbursement_status: 'RECONCILED', remittance_date: '2026-01-05T00:00:00.000Z' },
    ]);
    await portal.api.database.sql`update disbursement_recons set reversal_found = true
      where reconciliation_id = ${geo}`;
    expect((await all()).payload).toMatchObject([{ disbursement_status: 'REVERSED' }]);
  });
});

describe('all disbursements', () => {
  it('come a page at a time, the newest first, each once', async () => {
    const { store, all } = await person();
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      // Two at a time are received at the same moment.
      const receivedAt = new Date(Date.UTC(2026, 0, 1 + Math.floor(n / 2)));
      ids.push((await store({ disbursement: { receipt_time_stamp: receivedAt } })).id);
    }
    const seen: string[] = [];
    const times: string[] = [];
    for (const page of [1, 2, 3]) {
      const reply = await all({ pagination_request: { current_page: page, page_size: 3 } });
      expect(reply.body.pagination_response).toEqual({ number_of_items: 7, number_of_pages: 3 });
      expect(reply.payload).toHaveLength(page === 3 ? 1 : 3);
      for (const one of reply.payload) {
        seen.push(one.disbursement_id);
        times.push(one.receipt_time_stamp);
      }
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(times).toEqual(times.toSorted().reverse());
    const beyond = await all({ pagination_request: { current_page: 4, page_size: 3 } });
    expect(beyond.header).toMatchObject({
      response_error_code: 'DISBURSEMENT_NOT_FOUND',
      response_error_message: 'There is no page 4 for the beneficiary.',
    });
  });

  it('are thirty on a page for who asks for none, and what is asked besides pages is ignored', async () => {
    const { store, all } = await person();
    for (let n = 0; n < 31; n += 1) await store();
    const reply = await all();
    expect(reply.payload).toHaveLength(30);
    expect(reply.body.pagination_response).toEqual({ number_of_items: 31, number_of_pages: 2 });
    const sorted = { current_page: 2, page_size: 30, sort_by: '', filter_by: '', search_text: 'x' };
    expect((await all({ pagination_request: sorted })).payload).toHaveLength(1);
  });

  it('and their summary are refused by name where there are none, with an empty list', async () => {
    const { all, summary } = await person();
    const none = await all();
    expect([none.status, none.payload]).toEqual([200, []]);
    expect(none.header).toMatchObject({
      response_status: 'ERROR',
      response_error_code: 'DISBURSEMENT_NOT_FOUND',
    });
    const nothing = await summary();
    expect([nothing.status, nothing.payload]).toEqual([200, []]);
    expect(nothing.header.response_error_code).toBe('DISBURSEMENT_SUMMARY_NOT_FOUND');
  });

  it('are found without reading those of others', async () => {
    const { sql } = portal.api.database;
    const row = await storeDisbursement(portal.api, { disbursement: { beneficiary_id: 'CROWD-0' } });
    await sql`
      insert into disbursements (id, disbursement_envelope_id, disbursement_batch_control_id, disbursement_cycle_id,
        beneficiary_id, beneficiary_name, disbursement_quantity, narrative, receipt_time_stamp)
      select 'CROWD-' || n, ${row.disbursement_envelope_id}, ${row.disbursement_batch_control_id}, 1,
        'CROWD-' || n, 'Asha Devi', 1, 'x', now() from generate_series(1, 20000) n`;
    await sql`analyze disbursements`;
    const plan = await sql`explain select * from disbursements where beneficiary_id = 'CROWD-7'
      order by receipt_time_stamp desc, id desc limit 30`;
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toContain('disbursements_beneficiary');
    expect(text).not.toContain('Seq Scan');
  });
});

describe('the summary till date', () => {
  it('says of each program, benefit and unit what was received, is to come, came back, or will not come', async () => {
    const { store, summary } = await person();
    const amount = (disbursement_quantity: string, more: Partial<DisbursementRow> = {}) => ({
      disbursement: { disbursement_quantity, ...more },
    });
    await store(amount('1'));
    await store({ ...amount('10'), ...PAID });
    await reconcile(await store({ ...amount('100.05'), ...PAID }));
    await reconcile(await store({ ...amount('1000'), ...PAID }), { reversal_found: true });
    await store({ ...amount('10000', { cancellation_status: 'CANCELLED' }), ...PAID });
    await store({ ...amount('100000', { left_out_reason: 'FA_UNRESOLVED' }), ...PAID });
    const seed = {
      benefit_type: 'COMMODITY',
      benefit_code_mnemonic: 'MAIZE',
      measurement_unit: 'KG',
      benefit_program_mnemonic: 'AGRO',
    };
    for (const [days, quantity] of [
      [0, '2.5'],
      [1, '0.5'],
    ] as const) {
      const envelope = { ...seed, disbursement_schedule_date: dayFromNow(days) };
      await locate(await store({ ...amount(quantity), ...ALLOCATED, envelope }), 'AG-1');
    }
    expect((await summary()).payload).toEqual([
      {
        program_mnemonic: 'AGRO',
        benefit_code_mnemonic: 'MAIZE',
        benefit_type: 'COMMODITY',
        measurement_unit: 'KG',
        number_of_disbursements: 2,
        number_of_disbursements_received: 1,
        number_of_disbursements_pending: 1,
        number_of_disbursements_reversed: 0,
        number_of_disbursements_left_out: 0,
        number_of_disbursements_cancelled: 0,
        total_quantity: 3,
        total_quantity_received: 2.5,
        total_quantity_pending: 0.5,
        total_quantity_reversed: 0,
        total_quantity_left_out: 0,
        total_quantity_cancelled: 0,
      },
      {
        program_mnemonic: 'SEEDS',
        benefit_code_mnemonic: 'CASH',
        benefit_type: 'CASH_DIGITAL',
        measurement_unit: 'USD',
        number_of_disbursements: 6,
        number_of_disbursements_received: 2,
        number_of_disbursements_pending: 1,
        number_of_disbursements_reversed: 1,
        number_of_disbursements_left_out: 1,
        number_of_disbursements_cancelled: 1,
        total_quantity: 111111.05,
        total_quantity_received: 110.05,
        total_quantity_pending: 1,
        total_quantity_reversed: 1000,
        total_quantity_left_out: 100000,
        total_quantity_cancelled: 10000,
      },
    ]);
  });

  it('adds up exactly', async () => {
    const { store, summary } = await person();
    const quantities = ['0.1', '0.2', '99999999999999999999.999999', '0.000001'];
    for (const quantity of quantities) await store({ disbursement: { disbursement_quantity: quantity } });
    const written = /"total_quantity_pending":([\d.]+)/.exec((await summary()).text)?.[1] ?? '';
    expect(compareDecimals(written, sumDecimals(quantities))).toBe(0);
  });
});

describe('what is answered', () => {
  it('has the shape that is published', async () => {
    const { store, all, summary } = await person();
    await reconcile(await store(PAID));
    await locate(await store({ envelope: { benefit_type: 'SERVICE' } }), 'AG-1');
    const [ofAll, ofSummary] = PORTAL_OPERATIONS;
    expect(ofAll.answer.safeParse((await all()).payload).error).toBeUndefined();
    expect(ofSummary.answer.safeParse((await summary()).payload).error).toBeUndefined();
  });
});

describe('bad input', () => {
  it.each<[string, unknown, RegExp]>([
    ['a payload that is text', { request_payload: 'BEN-1' }, /request_payload: must be an object/],
    ['a list for a payload', { request_payload: [] }, /request_payload: must be an object/],
    ['an id that is a number', { request_payload: { beneficiary_id: 1 } }, /beneficiary_id: must be text/],
    ['an id of 300 characters', { request_payload: { beneficiary_id: 'x'.repeat(300) } }, /at most 255/],
    ['page 0', { pagination_request: { current_page: 0, page_size: 1 } }, /current_page: must be at least 1/],
    ['a page without size', { pagination_request: { current_page: 1 } }, /page_size/],
    ['pages too large', { pagination_request: { current_page: 1, page_size: 10_001 } }, /at most 10000/],
    ['a page too far', { pagination_request: { current_page: 1e7, page_size: 1 } }, /at most 1000000/],
  ])('such as %s is refused by name', async (_, body, sentence) => {
    const token = await portal.token();
    const reply = await portal.ask(ALL, token, {}, body as Record<string, unknown>);
    expect(reply.status).toBe(200);
    expect(reply.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
    expect(reply.header.response_error_message).toMatch(sentence);
    expect(reply.payload).toEqual([]);
  });

  it.each<[string, string, number]>([
    ['not JSON', '{"request_header":', 400],
    ['empty', '', 400],
    ['too large', JSON.stringify({ text: 'x'.repeat(70_000) }), 413],
    ['nested without end', '['.repeat(50_000), 400],
  ])('that is %s is refused by HTTP', async (_, body, status) => {
    const reply = await portal.post(ALL, await portal.token(), body);
    expect([reply.status, reply.header.response_status]).toEqual([status, 'ERROR']);
  });

  it('of another content type is refused by HTTP', async () => {
    const reply = await portal.post(ALL, await portal.token(), 'a=b', { 'content-type': 'text/plain' });
    expect(reply.status).toBe(415);
  });

  it('of any kind never leads to a fault of ours', async () => {
    const token = await portal.token();
    const message = messageFixture({});
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record({ request_header: fc.jsonValue(), request_body: fc.jsonValue() }),
      fc
        .record({ request_payload: fc.jsonValue(), pagination_request: fc.jsonValue() })
        .map((request_body) => ({ ...message, request_body })),
      fc
        .record({ current_page: fc.oneof(fc.integer(), fc.double()), page_size: fc.integer() })
        .map((pagination_request) => messageFixture({}, { pagination_request })),
      fc.string({ unit: 'binary' }).map((beneficiary_id) => messageFixture({ beneficiary_id })),
    );
    const path = fc.constantFrom(ALL, SUMMARY);
    const authorization = fc.oneof(
      { weight: 3, arbitrary: fc.constant(`Bearer ${token}`) },
      fc.string({ unit: fc.constantFrom(...'Bearer .-_=abc0'), maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(path, anything, authorization, async (at, body, header) => {
        const reply = await portal.post(at, null, JSON.stringify(body), { authorization: header });
        expect([200, 401]).toContain(reply.status);
        expect(reply.header).toMatchObject({
          response_status: 'ERROR',
          response_error_code: expect.stringMatching(
            /^(REQUEST_VALIDATION_ERROR|TOKEN_(MISSING|INVALID)|BENEFICIARY_ID_MISMATCH|DISBURSEMENT_(SUMMARY_)?NOT_FOUND)$/,
          ),
        });
      }),
      { numRuns: 500 },
    );
  });
});
