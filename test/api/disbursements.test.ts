import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixture, disbursementFixtures, envelopeFixture } from '../support/payloads.ts';

const PATH = '/create_disbursements';

describe('creating disbursements', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  /** Announces an envelope of 10 disbursements and 1000 in all, unless told otherwise. @returns its id */
  const announced = async (changes: Record<string, unknown> = {}): Promise<string> => {
    const envelope = envelopeFixture(changes);
    const reply = await api.call('/create_disbursement_envelopes', [envelope]);
    expect(reply.header.response_status).toBe('SUCCESS');
    return String(envelope.id);
  };
  const receiptOf = async (id: string) => {
    const [row] = await api.database.sql`
      select receipt_status, number_of_disbursements_received, total_disbursement_quantity_received
      from envelope_control where disbursement_envelope_id = ${id}`;
    return row;
  };
  const codesOf = (payload: { response_error_codes: string[] }[]) =>
    payload.map((item) => item.response_error_codes);

  it('answers the disbursements as they were sent, stores them as one batch and counts it in', async () => {
    const id = await announced();
    const items = disbursementFixtures(id, 3, { disbursement_quantity: 33.335 });
    const reply = await api.call(PATH, items);
    expect(reply.header).toMatchObject({ response_status: 'SUCCESS', response_error_code: null });
    expect(reply.payload).toEqual(items);
    const batchId = reply.body.disbursement_batch_control_id;
    const [batch] = await api.database
      .sql`select * from disbursement_batch_control where id = ${String(batchId)}`;
    expect(batch).toMatchObject({
      disbursement_envelope_id: id,
      number_of_disbursements: 3,
      total_disbursement_quantity: '100.005',
      benefit_type: 'CASH_DIGITAL',
      fa_resolution_status: 'PENDING',
      geo_resolution_status: 'NOT_APPLICABLE',
    });
    const stored = await api.database.sql`
      select id, beneficiary_id, beneficiary_name, disbursement_quantity, narrative, cancellation_status
      from disbursements where disbursement_batch_control_id = ${String(batchId)}`;
    expect(new Set(stored.map((row) => row.id))).toEqual(new Set(items.map((item) => item.disbursement_id)));
    expect(stored[0]).toMatchObject({
      disbursement_quantity: '33.335',
      cancellation_status: 'NOT_CANCELLED',
    });
    expect(await receiptOf(id)).toEqual({
      receipt_status: 'RECEIVING',
      number_of_disbursements_received: 3,
      total_disbursement_quantity_received: '100.005',
    });
  });

  it.each([
    ['CASH_PHYSICAL', 'geo_resolution_status'],
    ['COMMODITY', 'geo_resolution_status'],
  ])('starts a batch of %s with its zones', async (benefitType, column) => {
    const id = await announced({ benefit_type: benefitType });
    const reply = await api.call(PATH, disbursementFixtures(id, 1));
    const [batch] = await api.database.sql`
      select * from disbursement_batch_control where id = ${String(reply.body.disbursement_batch_control_id)}`;
    expect(batch?.[column]).toBe('PENDING');
    expect(batch?.fa_resolution_status).toBe('NOT_APPLICABLE');
  });

  it('keeps the batch id that it is given, and the cycle of the envelope where there is none', async () => {
    const id = await announced({ disbursement_cycle_id: 41 });
    const batchId = `BATCH-${randomUUID()}`;
    const item = disbursementFixture(id, { disbursement_cycle_id: null });
    const reply = await api.call(PATH, [item], { disbursement_batch_control_id: batchId });
    expect(reply.body.disbursement_batch_control_id).toBe(batchId);
    const [row] = await api.database.sql`
      select disbursement_cycle_id::int as cycle, disbursement_batch_control_id as batch
      from disbursements where id = ${item.disbursement_id}`;
    expect(row).toEqual({ cycle: 41, batch: batchId });
  });

  it('completes an envelope whose last disbursement arrives, counting disbursements of nothing', async () => {
    const id = await announced({ number_of_disbursements: 2, total_disbursement_quantity: '100' });
    await api.call(PATH, [
      disbursementFixture(id, { disbursement_quantity: '0.00' }),
      disbursementFixture(id, { disbursement_quantity: '100.000' }),
    ]);
    expect(await receiptOf(id)).toEqual({
      receipt_status: 'RECEIVED',
      number_of_disbursements_received: 2,
      total_disbursement_quantity_received: '100',
    });
  });

  it.each([
    ['INVALID_DISBURSEMENT_ID', { disbursement_id: '' }],
    ['INVALID_DISBURSEMENT_ID', { disbursement_id: null }],
    ['INVALID_DISBURSEMENT_ENVELOPE_ID', { disbursement_envelope_id: ' ' }],
    ['INVALID_DISBURSEMENT_ENVELOPE_ID', { disbursement_envelope_id: undefined }],
    ['INVALID_BENEFICIARY_ID', { beneficiary_id: undefined }],
    ['INVALID_BENEFICIARY_ID', { beneficiary_id: '' }],
    ['INVALID_DISBURSEMENT_QUANTITY', { disbursement_quantity: -1 }],
    ['INVALID_DISBURSEMENT_QUANTITY', { disbursement_quantity: '-0.000001' }],
    ['INVALID_DISBURSEMENT_QUANTITY', { disbursement_quantity: null }],
    ['INVALID_NARRATIVE', { narrative: '' }],
    ['INVALID_NARRATIVE', { narrative: undefined }],
  ])('refuses the whole batch with %s for %o, and writes nothing', async (code, changes) => {
    const id = await announced();
    const before = await api.written();
    const reply = await api.call(PATH, [disbursementFixture(id), disbursementFixture(id, changes)]);
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: code });
    expect(reply.header.response_error_message).toMatch(/^Disbursement 2 of 2/);
    expect(codesOf(reply.payload)).toEqual([[], [code]]);
    expect(await api.written()).toEqual(before);
  });

  it.each([null, undefined, '', ' '])('takes a beneficiary of no name (%j)', async (name) => {
    const id = await announced();
    const item = disbursementFixture(id, { beneficiary_name: name });
    const first = await api.call(PATH, [item]);
    expect(first.header.response_error_code).toBeNull();
    const [row] = await api.database
      .sql`select beneficiary_name from disbursements where id = ${item.disbursement_id}`;
    expect(row).toEqual({ beneficiary_name: '' });
    // And it is the same batch when it comes again.
    const again = await api.call(PATH, [{ ...item, beneficiary_name: null }]);
    expect(again.body.disbursement_batch_control_id).toBe(first.body.disbursement_batch_control_id);
  });

  it('says everything that is wrong with each disbursement, under the code of the first', async () => {
    const id = await announced();
    const reply = await api.call(PATH, [
      disbursementFixture(id),
      disbursementFixture(id, { beneficiary_id: '', narrative: '' }),
      disbursementFixture(id, { disbursement_quantity: -5 }),
    ]);
    expect(reply.header.response_error_code).toBe('INVALID_BENEFICIARY_ID');
    expect(codesOf(reply.payload)).toEqual([
      [],
      ['INVALID_BENEFICIARY_ID', 'INVALID_NARRATIVE'],
      ['INVALID_DISBURSEMENT_QUANTITY'],
    ]);
  });

  it.each([
    ['INVALID_BENEFICIARY_ID', 'beneficiary_id'],
    ['INVALID_DISBURSEMENT_ID', 'disbursement_id'],
  ])('refuses with %s a batch that has the same %s twice', async (code, field) => {
    const id = await announced();
    const before = await api.written();
    const [first, second, third] = disbursementFixtures(id, 3);
    const reply = await api.call(PATH, [first, second, { ...third, [field]: first?.[field] }]);
    expect(reply.header.response_error_code).toBe(code);
    expect(codesOf(reply.payload)).toEqual([[code], [], [code]]);
    expect(await api.written()).toEqual(before);
  });

  it('takes the same beneficiary again in another batch of the envelope', async () => {
    const id = await announced();
    const item = disbursementFixture(id);
    await api.call(PATH, [item]);
    const reply = await api.call(PATH, [disbursementFixture(id, { beneficiary_id: item.beneficiary_id })]);
    expect(reply.header.response_status).toBe('SUCCESS');
  });

  it('refuses a batch of two envelopes', async () => {
    const [one, other] = [await announced(), await announced()];
    const before = await api.written();
    const reply = await api.call(PATH, [disbursementFixture(one), disbursementFixture(other)]);
    expect(reply.header.response_error_code).toBe('MULTIPLE_ENVELOPES_FOUND');
    expect(await api.written()).toEqual(before);
  });

  it('refuses an empty batch', async () => {
    const reply = await api.call(PATH, []);
    expect(reply.header.response_error_code).toBe('INVALID_DISBURSEMENT_PAYLOAD');
  });

  it('refuses a batch of an envelope that nobody announced, naming it', async () => {
    const before = await api.written();
    const reply = await api.call(PATH, [disbursementFixture('ENV-nobody')]);
    expect(reply.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_NOT_FOUND');
    expect(reply.header.response_error_message).toContain('ENV-nobody');
    expect(codesOf(reply.payload)).toEqual([['DISBURSEMENT_ENVELOPE_NOT_FOUND']]);
    expect(await api.written()).toEqual(before);
  });

  it('refuses a batch of a cancelled envelope', async () => {
    const id = await announced();
    await api.system.send(envelopeActor, id, { type: 'cancel', at: new Date() });
    const before = await api.written();
    const reply = await api.call(PATH, [disbursementFixture(id)]);
    expect(reply.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
    expect(await api.written()).toEqual(before);
  });

  it.each([
    ['NO_OF_DISBUESEMENTS_EXCEEDS_DECLARED', 11, 1],
    ['TOTAL_DISBURSEMENT_QUANTITY_EXCEEDS_DECLARED', 2, '500.01'],
  ])('refuses with %s a batch that its envelope has no room for', async (code, count, quantity) => {
    const id = await announced();
    const before = await api.written();
    const reply = await api.call(PATH, disbursementFixtures(id, count, { disbursement_quantity: quantity }));
    expect(reply.header.response_error_code).toBe(code);
    expect(reply.header.response_error_message).toContain(id);
    expect(codesOf(reply.payload)).toEqual(Array.from({ length: count }, () => [code]));
    expect(await api.written()).toEqual(before);
    // The envelope is as open as before.
    expect((await api.call(PATH, disbursementFixtures(id, 10))).header.response_status).toBe('SUCCESS');
  });

  it('marks each disbursement whose id is used already, in whatever envelope, full or not', async () => {
    const [one, other] = [await announced(), await announced({ number_of_disbursements: 1 })];
    const items = disbursementFixtures(one, 10);
    await api.call(PATH, items);
    const before = await api.written();
    const taken = { disbursement_id: items[4]?.disbursement_id };
    const elsewhere = await api.call(PATH, [disbursementFixture(other, taken)]);
    expect(elsewhere.header.response_error_code).toBe('INVALID_DISBURSEMENT_ID');
    const full = await api.call(PATH, [disbursementFixture(one), disbursementFixture(one, taken)]);
    expect(full.header.response_error_code).toBe('INVALID_DISBURSEMENT_ID');
    expect(codesOf(full.payload)).toEqual([[], ['INVALID_DISBURSEMENT_ID']]);
    expect(await api.written()).toEqual(before);
  });

  describe('sent again', () => {
    it('gets the first answer, with the same batch id, and changes nothing', async () => {
      const id = await announced();
      const items = disbursementFixtures(id, 10);
      const first = await api.call(PATH, items);
      const before = await api.written();
      const again = await api.call(PATH, items);
      expect(again.header.response_status).toBe('SUCCESS');
      expect(again.body).toEqual(first.body);
      expect(await api.written()).toEqual(before);
    });

    it('is recognised by what it says, however the amounts are written', async () => {
      const id = await announced();
      const item = disbursementFixture(id, { disbursement_quantity: 100 });
      const first = await api.call(PATH, [item]);
      const again = await api.call(PATH, [{ ...item, disbursement_quantity: '100.00', unknown_field: 1 }]);
      expect(again.body.disbursement_batch_control_id).toBe(first.body.disbursement_batch_control_id);
    });

    it('is refused under another batch id, and so is another batch under the same id', async () => {
      const id = await announced();
      const items = disbursementFixtures(id, 2);
      const body = { disbursement_batch_control_id: `BATCH-${randomUUID()}` };
      expect((await api.call(PATH, items, body)).header.response_status).toBe('SUCCESS');
      const before = await api.written();
      const renamed = await api.call(PATH, items, { disbursement_batch_control_id: `BATCH-${randomUUID()}` });
      expect(renamed.header.response_error_code).toBe('INVALID_DISBURSEMENT_ID');
      const other = await api.call(PATH, disbursementFixtures(id, 2), body);
      expect(other.header.response_error_code).toBe('INVALID_DISBURSEMENT_PAYLOAD');
      expect(await api.written()).toEqual(before);
    });

    it('with a change is refused, whatever changed', async () => {
      const id = await announced();
      const item = disbursementFixture(id);
      await api.call(PATH, [item]);
      const before = await api.written();
      for (const change of [{ disbursement_quantity: 99 }, { beneficiary_name: 'X' }, { narrative: 'Y' }]) {
        const reply = await api.call(PATH, [{ ...item, ...change }]);
        expect(reply.header.response_error_code).toBe('INVALID_DISBURSEMENT_ID');
      }
      expect(await api.written()).toEqual(before);
    });

    it('after its envelope was cancelled still gets the first answer', async () => {
      const id = await announced();
      const items = disbursementFixtures(id, 2);
      const first = await api.call(PATH, items);
      await api.system.send(envelopeActor, id, { type: 'cancel', at: new Date() });
      const again = await api.call(PATH, items);
      expect(again.body).toEqual(first.body);
    });
  });
});
