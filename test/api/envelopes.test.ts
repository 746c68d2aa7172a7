import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { dayFromNow, envelopeFixture } from '../support/payloads.ts';

const PATH = '/create_disbursement_envelopes';

describe('creating envelopes', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi({ knownPrograms: ['SAFETY-NET', 'OTHER'] });
  });
  afterAll(() => api.close());

  const rowOf = async (id: unknown) => {
    const [row] = await api.database.sql`
      select * from disbursement_envelopes e
      join envelope_control c on c.disbursement_envelope_id = e.id
      join envelope_batch_status_for_cash s on s.disbursement_envelope_id = e.id
      where e.id = ${String(id)}`;
    return row;
  };

  it('answers the envelopes as they were sent and stores each with its receipt and its money', async () => {
    const schedule = dayFromNow(3);
    const cash = envelopeFixture({
      disbursement_schedule_date: schedule,
      total_disbursement_quantity: 1000.5,
    });
    const seed = envelopeFixture({ benefit_type: 'COMMODITY', measurement_unit: 'KG' });
    const reply = await api.call(PATH, [cash, seed]);
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({ response_status: 'SUCCESS', response_error_code: null });
    expect(reply.payload).toEqual([cash, seed]);
    expect(await rowOf(cash.id)).toMatchObject({
      total_disbursement_quantity: '1000.5',
      receipt_status: 'RECEIVING',
      number_of_disbursements_received: 0,
      funds_due_from: new Date(`${schedule}T00:00:00Z`),
      funds_available_with_bank: 'PENDING_CHECK',
      funds_blocked_with_bank: 'PENDING_CHECK',
      cancellation_status: 'Not_Cancelled',
    });
    expect(await rowOf(seed.id)).toMatchObject({
      funds_available_with_bank: 'NOT_APPLICABLE',
      funds_blocked_with_bank: 'NOT_APPLICABLE',
    });
  });

  it('gives an envelope without an id one of its own, each time another', async () => {
    const { id: _, ...payload } = envelopeFixture();
    const first = await api.call(PATH, [payload, { ...payload, id: null }]);
    const ids: string[] = first.payload.map((envelope: { id: string }) => envelope.id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
      expect(await rowOf(id)).toBeDefined();
    }
  });

  it.each([
    ['INVALID_PROGRAM_ID', { benefit_program_id: null }],
    ['INVALID_PROGRAM_ID', { benefit_program_id: 0 }],
    ['INVALID_PROGRAM_MNEMONIC', { benefit_program_mnemonic: '  ' }],
    ['INVALID_PROGRAM_MNEMONIC', { benefit_program_mnemonic: undefined }],
    ['INVALID_PROGRAM_MNEMONIC', { benefit_program_mnemonic: 'NEVER-HEARD-OF' }],
    ['INVALID_DISBURSEMENT_FREQUENCY', { disbursement_frequency: 'monthly' }],
    ['INVALID_DISBURSEMENT_FREQUENCY', { disbursement_frequency: null }],
    ['INVALID_CYCLE_CODE_MNEMONIC', { cycle_code_mnemonic: '' }],
    ['INVALID_NO_OF_BENEFICIARIES', { number_of_beneficiaries: 0 }],
    ['INVALID_NO_OF_DISBURSEMENTS', { number_of_disbursements: -4 }],
    ['INVALID_DISBURSEMENT_QUANTITY', { total_disbursement_quantity: -0.01 }],
    ['INVALID_DISBURSEMENT_QUANTITY', { total_disbursement_quantity: undefined }],
    ['INVALID_BENEFIT_CODE_ID', { benefit_code_id: undefined }],
    ['INVALID_TARGET_REGISTRY', { target_registry: '' }],
    ['INVALID_DISBURSEMENT_ENVELOPE_ID', { id: '' }],
    ['DISBURSEMENT_ENVELOPE_DATE_PASSED', { disbursement_schedule_date: dayFromNow(-1) }],
  ])('refuses the whole list with %s for %o, and writes nothing', async (code, changes) => {
    const before = await api.written();
    const reply = await api.call(PATH, [envelopeFixture(), envelopeFixture(changes)]);
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: code });
    expect(reply.header.response_error_message).toMatch(/^Envelope 2 of 2/);
    expect(
      reply.payload.map((item: { response_error_codes: string[] }) => item.response_error_codes),
    ).toEqual([[], [code]]);
    expect(await api.written()).toEqual(before);
  });

  it('takes an envelope for today and one of quantity zero', async () => {
    const reply = await api.call(PATH, [
      envelopeFixture({ disbursement_schedule_date: dayFromNow(0), total_disbursement_quantity: 0 }),
    ]);
    expect(reply.header.response_status).toBe('SUCCESS');
  });

  it('gives the same answer to the same request again, and a second one changes nothing', async () => {
    const envelopes = [envelopeFixture(), envelopeFixture({ benefit_program_description: null })];
    const first = await api.call(PATH, envelopes);
    const before = await api.written();
    const again = await api.call(PATH, envelopes);
    expect(again.header.response_status).toBe('SUCCESS');
    expect(again.payload).toEqual(first.payload);
    expect(await api.written()).toEqual(before);
  });

  it('creates each envelope once when the same request comes many times at once', async () => {
    const envelopes = Array.from({ length: 5 }, () => envelopeFixture());
    const orders = Array.from({ length: 8 }, (_, n) => (n % 2 ? envelopes : envelopes.toReversed()));
    const replies = await Promise.all(orders.map((order) => api.call(PATH, order)));
    expect(replies.map((reply) => reply.header.response_status)).toEqual(orders.map(() => 'SUCCESS'));
    const ids = envelopes.map(({ id }) => String(id));
    const [journal] = await api.database.sql<{ n: number }[]>`
      select count(*)::int as n from actor_transitions where actor_id = any(${ids}) and region = 'funds_available'`;
    expect(journal?.n).toBe(5);
  });

  it.each([
    ['another amount', { total_disbursement_quantity: 1000.01 }],
    ['another date', { disbursement_schedule_date: dayFromNow(9) }],
    ['no description', { benefit_code_description: null }],
  ])('refuses an id that is taken by an envelope with %s', async (_name, changes) => {
    const envelope = envelopeFixture();
    await api.call(PATH, [envelope]);
    const before = await rowOf(envelope.id);
    const reply = await api.call(PATH, [{ ...envelope, ...changes }]);
    expect(reply.header.response_error_code).toBe('INVALID_DISBURSEMENT_ENVELOPE_ID');
    expect(await rowOf(envelope.id)).toEqual(before);
  });

  it('refuses an id that the list has twice', async () => {
    const id = `ENV-${randomUUID()}`;
    const reply = await api.call(PATH, [envelopeFixture({ id }), envelopeFixture({ id })]);
    expect(reply.header.response_error_code).toBe('INVALID_DISBURSEMENT_ENVELOPE_ID');
    expect(await rowOf(id)).toBeUndefined();
  });

  it('refuses an empty list', async () => {
    const reply = await api.call(PATH, []);
    expect(reply.header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
  });
});

describe('creating envelopes at another time', () => {
  it('measures the date by the clock of the system, and repeats an earlier answer after the day', async () => {
    const time = { at: new Date('2031-05-10T23:59:59Z') };
    const api = await openApi({ clock: { now: () => time.at } });
    try {
      const today = envelopeFixture({ disbursement_schedule_date: '2031-05-10' });
      const yesterday = envelopeFixture({ disbursement_schedule_date: '2031-05-09' });
      const refused = await api.call(PATH, [yesterday]);
      expect(refused.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_DATE_PASSED');
      expect((await api.call(PATH, [today])).header.response_status).toBe('SUCCESS');
      time.at = new Date('2031-05-11T00:00:00Z');
      expect((await api.call(PATH, [today])).header.response_status).toBe('SUCCESS');
      const late = envelopeFixture({ disbursement_schedule_date: '2031-05-10' });
      expect((await api.call(PATH, [late])).header.response_error_code).toBe(
        'DISBURSEMENT_ENVELOPE_DATE_PASSED',
      );
    } finally {
      await api.close();
    }
  });

  it('lets funds be checked at once where envelopes are paid before their date', async () => {
    const api = await openApi({ processFutureSchedules: true });
    try {
      await api.call(PATH, [envelopeFixture({ disbursement_schedule_date: dayFromNow(20) })]);
      const [row] = await api.database.sql`
        select funds_due_from <= now() as due from envelope_control`;
      expect(row?.due).toBe(true);
    } finally {
      await api.close();
    }
  });
});
