import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, type World } from '../fuzz/world.ts';
import type { Json } from '../support/documented.ts';
import { disbursementFixture, envelopeFixture, messageFixture } from '../support/payloads.ts';
import { debit, newId, statementText } from '../support/records.ts';

const RESPONSES = ['SUCCESS', 'ERROR'] as const;

/** A payload that each operation takes, and one that breaks a rule of its own. */
const asked = (): Record<string, Record<(typeof RESPONSES)[number], Json>> => ({
  '/create_disbursement_envelopes': {
    SUCCESS: [envelopeFixture(), { ...envelopeFixture(), id: null }],
    ERROR: [envelopeFixture(), envelopeFixture({ number_of_disbursements: 0, benefit_program_id: null })],
  },
  '/amend_disbursement_envelope': {
    SUCCESS: [
      envelopeFixture({
        id: 'ENVELOPE-0',
        number_of_disbursements: 2_000_000,
        total_disbursement_quantity: '12345678901234567890.123456',
      }),
    ],
    ERROR: [envelopeFixture({ id: 'nobody' })],
  },
  '/cancel_disbursement_envelope': { SUCCESS: [{ id: 'ENVELOPE-3' }], ERROR: [{ id: 'nobody' }] },
  '/create_disbursements': {
    SUCCESS: [disbursementFixture('ENVELOPE-0', { disbursement_quantity: 0.1, disbursement_cycle_id: null })],
    ERROR: [disbursementFixture('ENVELOPE-0', { narrative: ' ', disbursement_quantity: '-1.50' })],
  },
  '/cancel_disbursements': {
    SUCCESS: [{ disbursement_id: 'DISBURSEMENT-0-2' }],
    ERROR: [{ disbursement_id: 'DISBURSEMENT-1-2' }, { disbursement_id: 'nobody' }],
  },
  '/get_disbursement_status': {
    SUCCESS: ['DISBURSEMENT-1-0', 'DISBURSEMENT-1-1', 'nobody'],
    ERROR: [1],
  },
  '/get_disbursement_envelope_status': { SUCCESS: 'ENVELOPE-1', ERROR: 'nobody' },
  '/get_disbursement_batch_control': { SUCCESS: 'BATCH', ERROR: 'nobody' },
  '/disbursement/get_all_disbursements': { SUCCESS: {}, ERROR: { beneficiary_id: 'BEN-2' } },
  '/disbursement/get_disbursement_summary_till_date': { SUCCESS: {}, ERROR: { beneficiary_id: 'BEN-2' } },
});

describe('the answers of every operation', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  const send = async (path: string, body: string | FormData, headers: Record<string, string> = {}) => {
    const response = await fetch(world.api.url + path, { method: 'POST', headers, body });
    const text = await response.text();
    const { status } = response;
    return { status, text, type: response.headers.get('content-type') };
  };

  const ask = (path: string, payload: Json) =>
    send(path, JSON.stringify(messageFixture(payload === 'BATCH' ? world.batchIds[1] : payload)), {
      'content-type': 'application/json',
      authorization: `Bearer ${world.tokens[2]}`,
    });

  const expectDocumented = (path: string, { status, text, type }: Awaited<ReturnType<typeof send>>) =>
    expect(world.documented.problemOf('post', path, status, type, text), text).toBeNull();

  it('are asked for here', () => {
    const published = Object.entries<Json>(world.documented.document.paths).filter(([, item]) => item.post);
    expect(Object.keys(asked()).concat('/upload_mt940').sort()).toEqual(
      published.map(([path]) => path).sort(),
    );
  });

  it.each(
    Object.entries(asked()).flatMap(([path, payloads]) =>
      RESPONSES.map((response) => [response, path, payloads[response]] as const),
    ),
  )('are as documented: %s of %s', async (response, path, payload) => {
    const reply = await ask(path, payload);
    expect(reply.text).toContain(`"response_status":"${response}"`);
    expectDocumented(path, reply);
  });

  it.each(RESPONSES)('are as documented: %s of an upload', async (response) => {
    const form = new FormData();
    const file = response === 'SUCCESS' ? statementText('1', [debit(newId('D'), '1')]) : 'no statement';
    form.append('statement_file', new Blob([file]), 'statement.sta');
    const reply = await send('/upload_mt940', form);
    expect(reply.text).toContain(`"response_status":"${response}"`);
    expectDocumented('/upload_mt940', reply);
  });

  it('are as documented where HTTP refuses', async () => {
    const path = '/create_disbursements';
    const json = { 'content-type': 'application/json' };
    const refused = [
      [400, await send(path, '{', json)],
      [413, await send(path, JSON.stringify('x'.repeat(1_100_000)), json)],
      [415, await send(path, 'a=b', { 'content-type': 'text/plain' })],
      [404, await send('/nowhere', '{}', json)],
    ] as const;
    for (const [status, reply] of refused) {
      expect(reply.status).toBe(status);
      expectDocumented(path, reply);
    }
    const portal = '/disbursement/get_all_disbursements';
    const stranger = await send(portal, JSON.stringify(messageFixture({})), json);
    expect(stranger.status).toBe(401);
    expectDocumented(portal, stranger);
  });

  it('may have nothing that is not documented', () => {
    const path = '/get_disbursement_status';
    const answer = (more: object) =>
      JSON.stringify({
        response_header: {
          request_id: 'R',
          response_status: 'SUCCESS',
          response_error_code: null,
          response_error_message: null,
          response_timestamp: '2026-01-05T10:00:00.000Z',
        },
        response_body: { pagination_response: null, response_payload: [], ...more },
      });
    const problem = (text: string) => world.documented.problemOf('post', path, 200, 'application/json', text);
    expect(problem(answer({}))).toBeNull();
    expect(problem(answer({ extra: 1 }))).toContain('additional');
    expect(problem(answer({ response_payload: null }))).toContain('array');
  });
});
