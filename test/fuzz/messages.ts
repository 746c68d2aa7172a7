import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { FuzzRequest } from './request.ts';
import { jsonText, type Mutation, mutate, mutation, value } from './values.ts';
import type { World } from './world.ts';

/** Once for so many times without. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, times: number) =>
  fc.oneof({ weight: times, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

/** Ids that cases share, so that requests meet what others have written. */
const SHARED_IDS = 60;

const shared = (prefix: string) => fc.nat(SHARED_IDS).map((n) => `${prefix}-${n}`);
const day = fc.constantFrom('2026-01-01', '2099-12-31', '2099-01-01');
const quantity = fc.constantFrom<unknown>(100, 0, '12.50', 0.1, '1', 1_000_000);
const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('Almaz Bekele', 'July support', 'O’Brien', 'ኣልማዝ', '😀') },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }) },
);

const envelope = (id: fc.Arbitrary<unknown>) =>
  fc.record({
    id,
    benefit_program_id: fc.constantFrom(7, 1),
    benefit_program_mnemonic: fc.constant('SAFETY-NET'),
    benefit_program_description: text,
    target_registry: fc.constant('FARMER'),
    benefit_code_id: fc.constant(12),
    benefit_code_mnemonic: fc.constant('CASH'),
    benefit_code_description: text,
    benefit_type: fc.constantFrom('CASH_DIGITAL', 'CASH_PHYSICAL', 'COMMODITY', 'SERVICE', 'COMBINATION'),
    disbursement_cycle_id: fc.constant(3),
    disbursement_frequency: fc.constantFrom('Monthly', 'Daily', 'Never'),
    cycle_code_mnemonic: fc.constant('JULY'),
    number_of_beneficiaries: fc.constantFrom(10, 1_000),
    number_of_disbursements: fc.constantFrom(10, 1_000),
    total_disbursement_quantity: fc.constantFrom<unknown>(1_000, '1000000', 99_999.5),
    measurement_unit: fc.constant('ETB'),
    disbursement_schedule_date: day,
  });

const disbursement = (world: World) =>
  fc.record({
    disbursement_id: fc.oneof(shared('D'), fc.uuid()),
    disbursement_envelope_id: fc.constantFrom(world.envelopeIds[0], world.envelopeIds[0], 'nobody'),
    beneficiary_id: fc.oneof(fc.uuid(), fc.constantFrom('BEN-1', 'BEN-2', 'ኣልማዝ')),
    beneficiary_name: text,
    disbursement_quantity: quantity,
    narrative: text,
    disbursement_cycle_id: fc.constant(3),
  });

/** All of one envelope, as a partner sends them. */
const batch = (world: World) =>
  fc
    .tuple(
      fc.constantFrom(...world.envelopeIds),
      fc.array(disbursement(world), { minLength: 1, maxLength: 4 }),
    )
    .map(([envelopeId, items]) => items.map((item) => ({ ...item, disbursement_envelope_id: envelopeId })));

const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 });

/** What is right, or nearly, for each operation: the payload, and what else is in the body. */
export function payloads(world: World): Readonly<Record<string, fc.Arbitrary<unknown>>> {
  const envelopeId = fc.oneof(fc.constantFrom(...world.envelopeIds), shared('E'), fc.constant('nobody'));
  const disbursementId = fc.oneof(fc.constantFrom(...world.disbursementIds), shared('D'));
  return {
    '/create_disbursement_envelopes': few(envelope(fc.oneof(shared('E'), fc.uuid(), fc.constant(null)))),
    '/amend_disbursement_envelope': few(envelope(envelopeId)),
    '/cancel_disbursement_envelope': few(fc.record({ id: shared('E') })),
    '/create_disbursements': batch(world),
    '/cancel_disbursements': few(fc.record({ disbursement_id: disbursementId })),
    '/get_disbursement_status': few(fc.oneof(disbursementId, fc.constantFrom(...world.geoIds))),
    '/get_disbursement_envelope_status': envelopeId,
    '/get_disbursement_batch_control': fc.constantFrom(...world.batchIds, 'nobody'),
    '/disbursement/get_all_disbursements': fc.constantFrom({}, { beneficiary_id: 'BEN-1' }, null),
    '/disbursement/get_disbursement_summary_till_date': fc.constantFrom({}, { beneficiary_id: 'BEN-2' }),
  };
}

const page = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.record({ current_page: fc.nat(3), page_size: fc.nat(3) }) },
);

const header = fc.record({
  sender_app_mnemonic: fc.constantFrom('PBMS', 'pbms', ''),
  sender_app_url: fc.constant('https://pbms.example'),
  request_id: fc.oneof(fc.uuid(), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), shared('R')),
  request_timestamp: fc.constantFrom('2026-01-05T10:00:00.000Z', '2026-01-05T10:00:00', '2026-01-05'),
  instance_id: fc.constantFrom(null, 'one'),
});

const message = (payload: fc.Arbitrary<unknown>) =>
  fc.record({
    request_header: header,
    request_body: fc.record(
      {
        pagination_request: page,
        disbursement_batch_control_id: seldom(shared('B'), 3),
        request_payload: payload,
      },
      { requiredKeys: ['request_payload'] },
    ),
  });

/** What is done to a text that is JSON. */
const spoiling: fc.Arbitrary<(text: string) => Buffer> = fc.oneof(
  fc.nat().map((at) => (json: string) => Buffer.from(json.slice(0, at % (json.length + 1)))),
  fc
    .tuple(fc.nat(), fc.nat(3), fc.string({ unit: 'binary', maxLength: 5 }))
    .map(([at, cut, put]) => (json: string) => {
      const place = at % (json.length + 1);
      return Buffer.from(json.slice(0, place) + put + json.slice(place + cut));
    }),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => (json: string) => Buffer.concat([Buffer.from(json), bytes])),
  fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([at, bytes]) => (json: string) => {
    const place = at % (json.length + 1);
    const body = Buffer.from(json);
    return Buffer.concat([body.subarray(0, place), bytes, body.subarray(place)]);
  }),
  fc.constantFrom<(json: string) => Buffer>(
    (json) => Buffer.from(`\ufeff${json}`),
    (json) => Buffer.from(`  \n${json}\t`),
    (json) => Buffer.from(json, 'utf16le'),
    (json) => Buffer.from(json, 'latin1'),
    (json) => gzipSync(json),
    (json) => Buffer.from(json.replace('{', '{"__proto__":{"request_header":1},')),
    (json) => Buffer.from(json.replace('{', '{"constructor":{"prototype":{"x":1}},')),
    (json) => Buffer.from(json.replace('{', '{"request_header":{"request_id":"first"},')),
    (json) => Buffer.from(json.replace(/\}$/, ',"request_header":{"request_id":"last"}}')),
    (json) => Buffer.from(json.replace('"request_payload":', '"request_payload":1,"request_payload":')),
    (json) => Buffer.from(json.replace('"request_id":', '"request_id":5,"request_id":')),
    () => Buffer.from(''),
    () => Buffer.from('null'),
    () => Buffer.from('"text"'),
    () => Buffer.from('[]'),
    () => Buffer.from('1'),
    () => Buffer.from('['.repeat(100_000)),
    () => Buffer.from(`${'['.repeat(50_000)}12345678901234567890${']'.repeat(50_000)}`),
    () => Buffer.from('{"request_header":'.repeat(5_000)),
  ),
);

const CONTENT_TYPES = [
  ...[
    'application/json; charset=utf-8',
    'application/json;charset=UTF-16',
    'application/json; charset=nonsense',
  ],
  ...[
    'APPLICATION/JSON',
    'application/problem+json',
    'application/jsonx',
    'application/json;;;=',
    'text/plain',
  ],
  ...[
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    '*/*',
    'json',
  ],
  ...[
    'application/json, text/html',
    `application/json; x=${'y'.repeat(2_000)}`,
    'application/vnd.a.b-c+json',
    '',
  ],
];

const contentType = fc.oneof(
  { weight: 12, arbitrary: fc.constant('application/json') },
  { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
);

const headerText = fc.stringMatching(/^[\x21-\x7e][\x20-\x7e]{0,60}$/);

/** Headers that may mean something to somebody on the way. */
export const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.dictionary(
      fc.constantFrom(
        ...[
          'signature',
          'authorization',
          'cookie',
          'x-forwarded-for',
          'x-forwarded-host',
          'x-request-id',
          'range',
        ],
        ...[
          'accept',
          'accept-encoding',
          'accept-version',
          'if-none-match',
          'origin',
          'x-http-method-override',
        ],
        ...[
          'content-encoding',
          'content-language',
          'idempotency-key',
          'forwarded',
          '__proto__',
          'constructor',
        ],
      ),
      headerText,
      { maxKeys: 4 },
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .nat(300)
      .map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`x-${i}`, 'y']))),
  },
);

/** A message to an operation: right, nearly right, or spoilt. */
export function messageCase(world: World): fc.Arbitrary<FuzzRequest> {
  const byPath = payloads(world);
  return fc.constantFrom(...Object.keys(byPath)).chain((path) => {
    const right = message(byPath[path] ?? value);
    return fc
      .record({
        message: right,
        mutations: fc.oneof(
          { weight: 3, arbitrary: fc.constant<Mutation[]>([]) },
          { weight: 5, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
        ),
        payload: seldom(value, 12),
        spoil: seldom(spoiling, 5),
        type: contentType,
        odd: oddHeaders,
        token: fc.constantFrom(...world.tokens),
        chunked: fc.nat(9).map((n) => n === 0),
      })
      .map(({ message: given, mutations, payload, spoil, type, odd, token, chunked }) => {
        const whole = payload === null ? given : { ...given, request_body: { request_payload: payload } };
        const json = jsonText(mutations.reduce<unknown>(mutate, whole));
        return {
          label: `message (${mutations.map(({ kind }) => kind).join(', ')}${spoil ? ', spoilt' : ''})`,
          method: 'POST',
          target: path,
          path,
          headers: {
            ...(type && { 'content-type': type }),
            ...(path.startsWith('/disbursement/') && token && { authorization: `Bearer ${token}` }),
            ...odd,
          },
          body: spoil ? spoil(json) : Buffer.from(json),
          chunked,
        };
      });
  });
}
