import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixtures, envelopeFixture, messageFixture } from '../support/payloads.ts';

const CREATE = '/create_disbursement_envelopes';
const AMEND = '/amend_disbursement_envelope';
const CANCEL = '/cancel_disbursement_envelope';

describe('a request that comes again', () => {
  let now = new Date();
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi({ clock: { now: () => now }, replayWindowMs: 60_000 });
  });
  afterAll(() => api.close());

  const created = async () => {
    const envelope = envelopeFixture();
    await api.call(CREATE, [envelope]);
    return envelope;
  };
  const send = (path: string, message: unknown) => api.post(path, JSON.stringify(message));

  it('makes the envelopes that have no id of the partner once', async () => {
    const { id: _, ...envelope } = envelopeFixture({ total_disbursement_quantity: '12345678901234567.25' });
    const message = messageFixture([envelope, envelope]);
    const before = await api.count('disbursement_envelopes');
    const first = await send(CREATE, message);
    const again = await send(CREATE, message);
    expect(again.payload).toEqual(first.payload);
    expect(again.text).toContain('12345678901234567.25');
    expect(await api.count('disbursement_envelopes')).toBe(before + 2);
  });

  it('makes them once also when both are under way at the same moment', async () => {
    const { id: _, ...envelope } = envelopeFixture();
    const message = messageFixture([envelope]);
    const before = await api.count('disbursement_envelopes');
    const replies = await Promise.all(Array.from({ length: 6 }, () => send(CREATE, message)));
    expect(new Set(replies.map(({ payload }) => payload[0].id)).size).toBe(1);
    expect(await api.count('disbursement_envelopes')).toBe(before + 1);
  });

  it('is told again that the envelope has been cancelled; another request is told that it was before', async () => {
    const envelope = await created();
    const message = messageFixture([{ id: envelope.id }]);
    const replies = await Promise.all([send(CANCEL, message), send(CANCEL, message), send(CANCEL, message)]);
    for (const reply of replies) {
      expect(reply.header.response_status).toBe('SUCCESS');
      expect(reply.payload).toEqual(replies[0]?.payload);
    }
    const other = await api.call(CANCEL, [{ id: envelope.id }]);
    expect(other.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
  });

  it('does not undo what has happened since', async () => {
    const envelope = await created();
    const old = messageFixture([{ ...envelope, number_of_disbursements: 20 }]);
    await send(AMEND, old);
    await api.call(AMEND, [{ ...envelope, number_of_disbursements: 30 }]);
    const replayed = await send(AMEND, old);
    expect(replayed.payload).toMatchObject([{ number_of_disbursements: 20 }]);
    const status = await api.call('/get_disbursement_envelope_status', envelope.id);
    expect(status.payload.number_of_disbursements_declared).toBe(30);
  });

  it('is told again that the envelope was announced, also when it has been amended since', async () => {
    const envelope = envelopeFixture();
    const message = messageFixture([envelope]);
    const first = await send(CREATE, message);
    await api.call(AMEND, [{ ...envelope, number_of_disbursements: 30 }]);
    const again = await send(CREATE, message);
    expect(again.header.response_error_code).toBeNull();
    expect(again.payload).toEqual(first.payload);
  });

  it('is told again what became of each disbursement', async () => {
    const envelope = await created();
    const [one, two] = disbursementFixtures(String(envelope.id), 2);
    await api.call('/create_disbursements', [one, two]);
    const message = messageFixture([
      { disbursement_id: one?.disbursement_id },
      { disbursement_id: 'NOWHERE' },
    ]);
    const first = await send('/cancel_disbursements', message);
    const again = await send('/cancel_disbursements', message);
    expect(first.header).toMatchObject({
      response_status: 'ERROR',
      response_error_code: 'INVALID_DISBURSEMENT_PAYLOAD',
    });
    expect(first.payload).toMatchObject([
      { cancellation_status: 'CANCELLED', response_error_codes: [] },
      { cancellation_status: null, response_error_codes: ['INVALID_DISBURSEMENT_ID'] },
    ]);
    expect({ ...again.header, response_timestamp: '' }).toEqual({ ...first.header, response_timestamp: '' });
    expect(again.payload).toEqual(first.payload);
  });

  it('is another request with another body, from another partner or at another path', async () => {
    const envelope = await created();
    const message = messageFixture([{ ...envelope, number_of_disbursements: 20 }]) as {
      request_header: { sender_app_mnemonic: string };
      request_body: { request_payload: Record<string, unknown>[] };
    };
    await send(AMEND, message);
    const changed = structuredClone(message);
    changed.request_body.request_payload = [{ ...envelope, number_of_disbursements: 21 }];
    expect((await send(AMEND, changed)).payload).toMatchObject([{ number_of_disbursements: 21 }]);
    const other = structuredClone(message);
    other.request_header.sender_app_mnemonic = 'OTHER';
    expect((await send(AMEND, other)).payload).toMatchObject([{ number_of_disbursements: 20 }]);
    const status = await api.call('/get_disbursement_envelope_status', envelope.id);
    expect(status.payload.number_of_disbursements_declared).toBe(20);
  });

  it('is a new request after the window, and what was kept for it is forgotten', async () => {
    const envelope = await created();
    const message = messageFixture([{ id: envelope.id }]);
    await send(CANCEL, message);
    now = new Date(now.getTime() + 61_000);
    const late = await send(CANCEL, message);
    expect(late.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
    const kept = await api.count('partner_requests');
    for (let n = 0; n < 3; n += 1) await api.call(CANCEL, [{ id: (await created()).id }]);
    expect(await api.count('partner_requests')).toBeLessThan(kept + 3);
  });
});
