import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { openApi, type TestApi } from '../support/api.ts';
import {
  dayFromNow,
  disbursementFixtures,
  type EnvelopeFixture,
  envelopeFixture,
} from '../support/payloads.ts';

const PATH = '/amend_disbursement_envelope';

describe('amending an envelope', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  const create = async (changes: Record<string, unknown> = {}): Promise<EnvelopeFixture> => {
    const envelope = envelopeFixture(changes);
    const reply = await api.call('/create_disbursement_envelopes', [envelope]);
    expect(reply.header.response_error_code).toBeNull();
    return envelope;
  };
  const receive = async ({ id }: EnvelopeFixture, count: number) => {
    const reply = await api.call('/create_disbursements', disbursementFixtures(String(id), count));
    expect(reply.header.response_error_code).toBeNull();
  };
  const rowOf = async ({ id }: EnvelopeFixture) => {
    const [row] = await api.database.sql`
      select e.*, e.disbursement_schedule_date::text as day, c.*, s.* from disbursement_envelopes e
      join envelope_control c on c.disbursement_envelope_id = e.id
      join envelope_batch_status_for_cash s on s.disbursement_envelope_id = e.id
      where e.id = ${String(id)}`;
    return row;
  };

  it('gives it other totals, another day and other descriptions, and answers it as it stands now', async () => {
    const envelope = await create();
    const day = dayFromNow(5);
    const amended = {
      ...envelope,
      number_of_beneficiaries: 12,
      number_of_disbursements: 12,
      total_disbursement_quantity: 1200.25,
      disbursement_schedule_date: day,
      benefit_code_description: 'Cash for August',
    };
    const reply = await api.call(PATH, [amended]);
    expect(reply.header).toMatchObject({ response_status: 'SUCCESS', response_error_code: null });
    expect(reply.payload).toMatchObject([
      { ...amended, cancellation_status: 'Not_Cancelled', cancellation_timestamp: null },
    ]);
    expect(await rowOf(envelope)).toMatchObject({
      number_of_beneficiaries: 12,
      number_of_disbursements: 12,
      total_disbursement_quantity: '1200.25',
      day,
      funds_due_from: new Date(`${day}T00:00:00Z`),
      benefit_code_description: 'Cash for August',
    });
  });

  it.each([undefined, null])('leaves alone what it has %s for', async (nothing) => {
    const envelope = await create({ disbursement_schedule_date: dayFromNow(3) });
    const before = await rowOf(envelope);
    const needed = {
      id: envelope.id,
      benefit_program_id: envelope.benefit_program_id,
      benefit_program_mnemonic: envelope.benefit_program_mnemonic,
      number_of_beneficiaries: 11,
      number_of_disbursements: 12,
      total_disbursement_quantity: 1200,
    };
    const others = Object.keys(envelope).filter((name) => !(name in needed));
    expect(others).toHaveLength(11);
    const reply = await api.call(PATH, [
      { ...Object.fromEntries(others.map((name) => [name, nothing])), ...needed },
    ]);
    expect(reply.header.response_error_code).toBeNull();
    expect(reply.payload).toMatchObject([{ ...envelope, ...needed }]);
    const { number_of_beneficiaries, number_of_disbursements, total_disbursement_quantity } = needed;
    expect(await rowOf(envelope)).toEqual({
      ...before,
      number_of_beneficiaries,
      number_of_disbursements,
      total_disbursement_quantity: String(total_disbursement_quantity),
      funds_available_latest_timestamp: expect.any(Date),
      funds_blocked_latest_timestamp: expect.any(Date),
    });
  });

  it.each([
    ['benefit_program_id', 'INVALID_PROGRAM_ID'],
    ['benefit_program_mnemonic', 'INVALID_PROGRAM_MNEMONIC'],
    ['number_of_beneficiaries', 'INVALID_NO_OF_BENEFICIARIES'],
    ['number_of_disbursements', 'INVALID_NO_OF_DISBURSEMENTS'],
    ['total_disbursement_quantity', 'INVALID_DISBURSEMENT_QUANTITY'],
  ])('is refused without %s', async (name, code) => {
    const envelope = await create();
    const reply = await api.call(PATH, [{ ...envelope, [name]: null, measurement_unit: null }]);
    expect(reply.header.response_error_code).toBe(code);
    expect(reply.payload).toMatchObject([{ id: envelope.id, response_error_codes: [code] }]);
  });

  it('completes the receipt when the totals come to what was received, so that the funds are checked', async () => {
    const envelope = await create();
    await receive(envelope, 4);
    expect(await rowOf(envelope)).toMatchObject({
      receipt_status: 'RECEIVING',
      funds_available_due_at: null,
    });
    await api.call(PATH, [{ ...envelope, number_of_disbursements: 4, total_disbursement_quantity: 400 }]);
    const row = await rowOf(envelope);
    expect(row).toMatchObject({ receipt_status: 'RECEIVED', funds_available_with_bank: 'PENDING_CHECK' });
    expect(row?.funds_available_due_at).toBeInstanceOf(Date);
    // And back again: there is room for more.
    await api.call(PATH, [{ ...envelope, number_of_disbursements: 5, total_disbursement_quantity: 500 }]);
    expect(await rowOf(envelope)).toMatchObject({
      receipt_status: 'RECEIVING',
      funds_available_due_at: null,
    });
    await receive(envelope, 1);
    expect(await rowOf(envelope)).toMatchObject({ receipt_status: 'RECEIVED' });
  });

  it.each([
    ['fewer disbursements', { number_of_disbursements: 3 }, 'NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED'],
    [
      'a smaller quantity',
      { total_disbursement_quantity: '399.999999' },
      'TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED',
    ],
    ['no beneficiaries', { number_of_beneficiaries: 0 }, 'INVALID_NO_OF_BENEFICIARIES'],
    [
      'a day that has passed',
      { disbursement_schedule_date: dayFromNow(-1) },
      'DISBURSEMENT_ENVELOPE_DATE_PASSED',
    ],
    ['another program', { benefit_program_id: 8 }, 'INVALID_PROGRAM_ID'],
    ['another registry', { target_registry: 'HERDER' }, 'INVALID_TARGET_REGISTRY'],
    ['another kind of benefit', { benefit_type: 'COMMODITY' }, 'INVALID_BENEFIT_CODE_ID'],
    ['another cycle', { cycle_code_mnemonic: 'AUGUST' }, 'INVALID_CYCLE_CODE_MNEMONIC'],
    ['no id', { id: null }, 'INVALID_DISBURSEMENT_ENVELOPE_ID'],
    ['an id that is not there', { id: 'ENV-NOWHERE' }, 'DISBURSEMENT_ENVELOPE_NOT_FOUND'],
  ])('is refused for %s than was received or announced, and changes nothing', async (_, changes, code) => {
    const envelope = await create();
    await receive(envelope, 4);
    const before = await rowOf(envelope);
    const reply = await api.call(PATH, [{ ...envelope, ...changes }]);
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: code });
    expect(reply.payload).toMatchObject([{ response_error_codes: [code] }]);
    expect(await rowOf(envelope)).toEqual(before);
  });

  it('keeps a day that has come and gone', async () => {
    const envelope = await create();
    const passed = dayFromNow(-3);
    await api.database.sql`
      update disbursement_envelopes set disbursement_schedule_date = ${passed} where id = ${String(envelope.id)}`;
    const amended = { ...envelope, disbursement_schedule_date: passed, number_of_beneficiaries: 11 };
    expect((await api.call(PATH, [amended])).header.response_error_code).toBeNull();
    expect(await rowOf(envelope)).toMatchObject({ number_of_beneficiaries: 11, day: passed });
  });

  it('is done for all envelopes of a list or for none', async () => {
    const [good, bad] = [await create(), await create()];
    await receive(bad, 4);
    const before = await rowOf(good);
    const reply = await api.call(PATH, [
      { ...good, number_of_disbursements: 20 },
      { ...bad, number_of_disbursements: 1 },
    ]);
    expect(reply.header.response_error_code).toBe('NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED');
    expect(reply.payload).toMatchObject([
      { response_error_codes: [] },
      { response_error_codes: [expect.anything()] },
    ]);
    expect(await rowOf(good)).toEqual(before);
  });

  it('is refused for one that was cancelled, or of which something may have been paid', async () => {
    const cancelled = await create();
    await api.call('/cancel_disbursement_envelope', [{ id: cancelled.id }]);
    const first = await api.call(PATH, [{ ...cancelled, number_of_disbursements: 20 }]);
    expect(first.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
    const paid = await create();
    await api.database.sql`
      update envelope_batch_status_for_cash
      set funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS', funds_blocked_reference_number = 'BLK-1'
      where disbursement_envelope_id = ${String(paid.id)}`;
    await api.system.send(envelopeActor, String(paid.id), {
      type: 'batch_ready',
      batch: 'B',
      at: new Date(),
    });
    const second = await api.call(PATH, [{ ...paid, number_of_disbursements: 20 }]);
    expect(second.header).toMatchObject({
      response_error_code: 'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED',
      response_error_message: expect.stringContaining('payments are in flight'),
    });
  });
});
