import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { disbursementFixture, envelopeFixture, messageFixture } from '../support/payloads.ts';
import { debit, newId, statementText } from '../support/records.ts';

const PATHS = [
  '/create_disbursement_envelopes',
  '/create_disbursements',
  '/get_disbursement_status',
  '/get_disbursement_envelope_status',
  '/get_disbursement_batch_control',
] as const;

/** Values that have made servers stumble, and anything else that is JSON. */
const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    ' ',
    '\u0000',
    '\ud800',
    'x'.repeat(3000),
    '\u202e',
    "'; drop table disbursements; --",
    '{}',
    '[]',
    -1,
    0,
    -0,
    1.5,
    2 ** 31,
    2 ** 53,
    1e21,
    1e308,
    -1e-7,
    true,
    [],
    {},
    [[]],
    '2026-02-30',
    '0000-01-01',
    '9999-12-31',
    '1e5',
    '1_000',
    '٣',
    '-',
    '.',
    '+1',
    'NaN',
    'Infinity',
    '0x10',
    '-0.0',
    '99999999999999999999.999999',
    { $gt: '' },
    { toString: 1 },
    { constructor: null },
    ['__proto__'],
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((big) => ({ raw: big.toString() })),
);

/** A path into a message, as chosen by numbers, and what to put there or that nothing is to be there. */
const mutation = fc.record({
  steps: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
  value: fc.option(nasty, { nil: undefined }),
});

function mutate(message: unknown, { steps, value }: { steps: number[]; value: unknown }): unknown {
  const copy = structuredClone(message);
  let place = copy as Record<string, unknown>;
  for (const [index, step] of steps.entries()) {
    const keys = Object.keys(place);
    const key = keys[step % Math.max(1, keys.length)];
    if (key === undefined) return copy;
    const next = place[key];
    if (index === steps.length - 1 || next === null || typeof next !== 'object') {
      if (value === undefined) delete place[key];
      else place[key] = value;
      return copy;
    }
    place = next as Record<string, unknown>;
  }
  return copy;
}

/** JSON text in which `{"raw": "123"}` is the bare number, however large. */
const toText = (value: unknown): string => JSON.stringify(value).replaceAll(/\{"raw":"(-?\d+)"\}/g, '$1');

describe('whatever is sent', () => {
  let api: TestApi;
  const envelope = envelopeFixture({
    number_of_disbursements: 1_000_000,
    total_disbursement_quantity: '1000000000',
  });
  beforeAll(async () => {
    api = await openApi();
    await api.call('/create_disbursement_envelopes', [envelope]);
  });
  afterAll(() => api.close());

  const messages: Record<(typeof PATHS)[number], () => unknown> = {
    '/create_disbursement_envelopes': () => messageFixture([envelopeFixture(), envelopeFixture()]),
    '/create_disbursements': () =>
      messageFixture([disbursementFixture(String(envelope.id)), disbursementFixture(String(envelope.id))], {
        disbursement_batch_control_id: null,
      }),
    '/get_disbursement_status': () => messageFixture(['D-1', 'D-2']),
    '/get_disbursement_envelope_status': () => messageFixture(envelope.id),
    '/get_disbursement_batch_control': () => messageFixture('B-1'),
  };

  it('a message with anything anywhere is answered as the wire says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PATHS),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        async (path, mutations) => {
          const reply = await api.post(path, toText(mutations.reduce(mutate, messages[path]())));
          expect(reply.status, reply.text).toBe(200);
          expect(['SUCCESS', 'ERROR']).toContain(reply.header.response_status);
          expect(reply.header.response_error_code === null).toBe(reply.header.response_status === 'SUCCESS');
        },
      ),
      { numRuns: 600 },
    );
  });

  it('a refused creation has written nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PATHS.slice(0, 2)), mutation, async (path, change) => {
        const before = await api.written();
        const reply = await api.post(path, toText(mutate(messages[path](), change)));
        if (reply.header.response_status === 'ERROR') expect(await api.written()).toEqual(before);
        else expect(await api.written()).not.toEqual(before);
      }),
      { numRuns: 150 },
    );
  });

  it('a text of millions of characters is refused by the name of its field', async () => {
    const long = '😀x'.repeat(2_500_000);
    for (const field of ['beneficiary_name', 'disbursement_id']) {
      const reply = await api.call('/create_disbursements', [
        disbursementFixture(String(envelope.id), { [field]: long }),
      ]);
      expect(reply.status).toBe(200);
      expect(reply.header.response_error_message).toMatch(
        new RegExp(`${field}: must have at most \\d+ characters`),
      );
    }
  });

  it('a number for an object is no object, however many digits it has', async () => {
    for (const digits of [5, 21]) {
      const message = JSON.stringify(messageFixture(['?'])).replace('"?"', '1'.repeat(digits));
      const reply = await api.post('/create_disbursements', message);
      expect(reply.header.response_error_message).toBe('request_body.request_payload[0]: must be an object.');
    }
  });

  it('a length of many digits is measured by nobody', async () => {
    const text = JSON.stringify(messageFixture([envelopeFixture()])).replace(
      /"request_timestamp":"[^"]*"/,
      '"request_timestamp":{"length":5445711225140261}',
    );
    expect(text).toContain('5445711225140261');
    const reply = await api.post('/create_disbursement_envelopes', text);
    expect(reply.header.response_error_message).toContain('request_timestamp: must be a date and time');
  });

  it('bytes that are no message never fail us', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 200 }),
      fc.json(),
      fc.tuple(fc.nat(1500), fc.constantFrom('', '"', '}', '\u0000', ',,')).map(([at, cut]) => {
        const text = toText(messages['/create_disbursements']());
        return text.slice(0, at) + cut + text.slice(at + 1);
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PATHS), bytes, async (path, body) => {
        const reply = await api.post(path, body as string);
        expect([200, 400], reply.text).toContain(reply.status);
      }),
      { numRuns: 300 },
    );
  });

  it('a bank statement with anything in it is taken or refused, never a fault of ours', async () => {
    const change = fc.tuple(fc.nat(600), fc.nat(8), fc.uint8Array({ maxLength: 8 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), async (changes) => {
        let file = Buffer.from(statementText('1000200030', [debit(newId('D'), '1'), debit(newId('D'), '2')]));
        for (const [at, length, bytes] of changes) {
          file = Buffer.concat([file.subarray(0, at), bytes, file.subarray(at + length)]);
        }
        const before = await api.count('account_statements');
        const reply = await api.upload(new Uint8Array(file));
        expect(reply.status, reply.text).toBe(200);
        const added = (await api.count('account_statements')) - before;
        expect(added).toBe(reply.header.response_status === 'SUCCESS' ? 1 : 0);
      }),
      { numRuns: 250 },
    );
  });
});
