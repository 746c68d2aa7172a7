import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type {
  MapperConnector,
  MapperConnectorSettings,
  ResolveRequest,
} from '../../src/connectors/mapper/mapper-connector.ts';
import { createMapperConnector } from '../../src/connectors/mapper/spar.ts';
import {
  json,
  type Received,
  startHttpServer,
  startSocketServer,
  type TestServer,
  unusedUrl,
} from './http-servers.ts';

const CTX = { signal: new AbortController().signal };
const REQUESTS = [
  { referenceId: 'd1', beneficiaryId: 'b1' },
  { referenceId: 'd2', beneficiaryId: 'b2' },
];
const NOW = new Date('2025-01-31T08:00:00.000Z');

const opened: { close?(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close?.();
});

function mapperAt(apiUrl: string, settings: Partial<MapperConnectorSettings> = {}): MapperConnector {
  const mapper = createMapperConnector({
    apiUrl,
    senderId: 'openg2p-g2p-bridge',
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 10_000,
    responseBytesMax: 1_000_000,
    connectionsMax: 4,
    now: () => NOW,
    ...settings,
  });
  opened.push(mapper);
  return mapper;
}

/** A mapper that answers with these items, made for the transaction it is asked in. */
async function answering(
  items: (request: Received) => readonly unknown[],
  settings: Partial<MapperConnectorSettings> = {},
): Promise<{ server: TestServer; mapper: MapperConnector }> {
  const server = await startHttpServer((request, response) => {
    const { transaction_id } = JSON.parse(request.body).request_body.request_payload;
    json(response, 200, success({ transaction_id, resolve_response: items(request) }));
  });
  opened.push(server);
  return { server, mapper: mapperAt(server.url, settings) };
}

async function answeringAlways(status: number, body: unknown): Promise<MapperConnector> {
  const server = await startHttpServer((_, response) => json(response, status, body));
  opened.push(server);
  return mapperAt(server.url);
}

function success(payload: unknown) {
  return { response_header: { response_status: 'SUCCESS' }, response_body: { response_payload: payload } };
}

function resolved(request: ResolveRequest) {
  return {
    reference_id: request.referenceId,
    timestamp: NOW.toISOString(),
    id: request.beneficiaryId,
    fa: `fa-of-${request.beneficiaryId}`,
    status: 'succ',
    status_reason_code: null,
    account_provider_info: { name: 'Example Bank', code: 'EXAMPLE-BANK' },
  };
}

describe('resolving', () => {
  test('sends one message with every beneficiary', async () => {
    const { server, mapper } = await answering(() => REQUESTS.map(resolved));
    await mapper.resolve(REQUESTS, CTX);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.path).toBe('/resolve');
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      request_header: {
        sender_app_mnemonic: 'openg2p-g2p-bridge',
        sender_app_url: '',
        request_id: expect.any(String),
        request_timestamp: '2025-01-31T08:00:00.000Z',
        instance_id: null,
      },
      request_body: {
        pagination_request: null,
        request_payload: {
          transaction_id: expect.any(String),
          resolve_request: ['1', '2'].map((n) => ({
            reference_id: `d${n}`,
            timestamp: '2025-01-31T08:00:00.000Z',
            id: `b${n}`,
            fa: '',
            scope: 'details',
            locale: 'en',
          })),
        },
      },
    });
  });

  test('gives the address and its provider', async () => {
    const { mapper } = await answering(() => REQUESTS.map(resolved));
    expect(await mapper.resolve(REQUESTS.slice(0, 1), CTX)).toEqual([
      {
        referenceId: 'd1',
        beneficiaryId: 'b1',
        fa: 'fa-of-b1',
        providerName: 'Example Bank',
        providerCode: 'EXAMPLE-BANK',
        error: null,
      },
    ]);
  });

  test('asks nobody about nobody', async () => {
    const mapper = mapperAt(await unusedUrl());
    expect(await mapper.resolve([], CTX)).toEqual([]);
  });

  test('carries the signature of exactly the body that is sent, and the token', async () => {
    const { server, mapper } = await answering(() => [], {
      signer: { sign: async (body) => `header..${body.length}` },
      authorizer: { bearerToken: async () => 'token-1', refused: () => {} },
    });
    await mapper.resolve(REQUESTS, CTX);
    const [request] = server.received;
    expect(request?.headers).toMatchObject({
      signature: `header..${request?.body.length}`,
      authorization: 'Bearer token-1',
    });
  });

  test('does not send two requests that could not be told apart', async () => {
    const { server, mapper } = await answering(() => []);
    const call = mapper.resolve([...REQUESTS, { referenceId: 'd1', beneficiaryId: 'b3' }], CTX);
    await expect(call).rejects.toMatchObject({ code: 'MAPPER_BAD_REQUEST', retryable: false });
    expect(server.received).toEqual([]);
  });
});

describe('what the mapper cannot say about one beneficiary', () => {
  const [asked] = REQUESTS;
  const item = { ...resolved(asked as ResolveRequest), fa: 'fa-of-b1' };

  test.each<[string, readonly unknown[], string]>([
    ['is left out', [], 'FA_NOT_ANSWERED'],
    [
      'is rejected with a code',
      [{ ...item, status: 'rjct', status_reason_code: 'rjct.id.invalid' }],
      'rjct.id.invalid',
    ],
    ['is rejected without a code', [{ ...item, status: 'rjct', status_reason_code: null }], 'FA_REFUSED'],
    [
      'is rejected with prose for a code',
      [{ ...item, status: 'rjct', status_reason_code: 'no\nway' }],
      'FA_REFUSED',
    ],
    ['has success without an address', [{ ...item, fa: null }], 'FA_REFUSED'],
    ['has success with an empty address', [{ ...item, fa: '' }], 'FA_REFUSED'],
    ['has another beneficiary in the answer', [{ ...item, id: 'b2' }], 'FA_MISMATCHED'],
    ['has two different answers', [item, { ...item, fa: 'another' }], 'FA_AMBIGUOUS'],
    ['has an answer and a rejection', [item, { ...item, status: 'rjct' }], 'FA_AMBIGUOUS'],
    ['has an unknown status', [{ ...item, status: 'maybe' }], 'FA_BAD_ANSWER'],
    ['has an address that is no text', [{ ...item, fa: { account_number: '1' } }], 'FA_BAD_ANSWER'],
    ['has an address that cannot be stored', [{ ...item, fa: 'a\u0000b' }], 'FA_BAD_ANSWER'],
    ['has half a character in the address', [{ ...item, fa: 'a\ud800b' }], 'FA_BAD_ANSWER'],
    ['has a good and a garbled answer', [item, { ...item, id: 7 }], 'FA_BAD_ANSWER'],
  ])('is an error of that answer alone: it %s', async (_, items, code) => {
    const { mapper } = await answering(() => [...items, resolved(REQUESTS[1] as ResolveRequest)]);
    const [first, second] = await mapper.resolve(REQUESTS, CTX);
    expect(first).toMatchObject({ referenceId: 'd1', fa: null, error: { code } });
    expect(second).toMatchObject({ referenceId: 'd2', fa: 'fa-of-b2', error: null });
  });

  test('does not count against an answer that is merely repeated', async () => {
    const { mapper } = await answering(() => [item, item]);
    expect(await mapper.resolve(REQUESTS.slice(0, 1), CTX)).toMatchObject([{ fa: 'fa-of-b1', error: null }]);
  });

  test('never loses, adds or exchanges an answer, however the items are shuffled, left out, repeated and mixed', async () => {
    let items: readonly unknown[] = [];
    const { mapper } = await answering(() => items);
    const requests = Array.from({ length: 20 }, (_, n) => ({ referenceId: `d${n}`, beneficiaryId: `b${n}` }));
    const answers = fc.array(fc.oneof(fc.constantFrom(...requests.map(resolved)), fc.jsonValue()), {
      maxLength: 40,
    });
    const complete = fc.asyncProperty(answers, async (sent) => {
      items = sent;
      const results = await mapper.resolve(requests, CTX);
      const given = new Set(
        sent.map((one) => (one !== null && typeof one === 'object' && 'fa' in one ? one.fa : null)),
      );
      expect(results.map((result) => result.referenceId)).toEqual(
        requests.map((request) => request.referenceId),
      );
      for (const result of results) {
        const fa = `fa-of-${result.beneficiaryId}`;
        expect(result).toMatchObject(
          given.has(fa) ? { fa, error: null } : { fa: null, error: { code: 'FA_NOT_ANSWERED' } },
        );
      }
    });
    await fc.assert(complete, { numRuns: 100 });
  });
});

describe('a mapper that does not answer as a whole', () => {
  test('is a fault with the code that it gives itself', async () => {
    const header = {
      response_status: 'ERROR',
      response_error_code: 'rjct.jwt.invalid',
      response_error_message: 'No\nkey.',
    };
    const mapper = await answeringAlways(200, { response_header: header, response_body: null });
    await expect(mapper.resolve(REQUESTS, CTX)).rejects.toMatchObject({
      code: 'rjct.jwt.invalid',
      message: 'The mapper refused: No key.',
    });
  });

  test.each<[string, number, unknown, string]>([
    ['refuses without a code', 200, { response_header: { response_status: 'ERROR' } }, 'MAPPER_REFUSED'],
    ['has an error', 500, success({}), 'MAPPER_ERROR'],
    ['is not there', 404, {}, 'MAPPER_ERROR'],
    ['does not take such a request', 422, { detail: [] }, 'MAPPER_REFUSED'],
    ['answers without a header', 200, { response_body: {} }, 'MAPPER_BAD_ANSWER'],
    ['answers without a payload', 200, success(null), 'MAPPER_BAD_ANSWER'],
    [
      'answers with another list',
      200,
      success({ transaction_id: 't', link_response: [] }),
      'MAPPER_BAD_ANSWER',
    ],
    [
      'answers another transaction',
      200,
      success({ transaction_id: 'not ours', resolve_response: REQUESTS.map(resolved) }),
      'MAPPER_BAD_ANSWER',
    ],
  ])('is a fault when it %s', async (_, status, body, code) => {
    const mapper = await answeringAlways(status, body);
    await expect(mapper.resolve(REQUESTS, CTX)).rejects.toMatchObject({ code, retryable: true });
  });

  test('is a fault when nobody listens', async () => {
    const call = mapperAt(await unusedUrl()).resolve(REQUESTS, CTX);
    await expect(call).rejects.toMatchObject({ code: 'MAPPER_UNREACHABLE', retryable: true });
  });

  test('is a fault when the connection breaks', async () => {
    const server = await startSocketServer((socket) => socket.resetAndDestroy());
    opened.push(server);
    await expect(mapperAt(server.url).resolve(REQUESTS, CTX)).rejects.toMatchObject({
      code: 'MAPPER_CONNECTION_LOST',
    });
  });

  test('is a fault when it takes too long', async () => {
    const server = await startHttpServer(() => {});
    opened.push(server);
    const call = mapperAt(server.url, { requestTimeoutMs: 200 }).resolve(REQUESTS, CTX);
    await expect(call).rejects.toMatchObject({ code: 'MAPPER_TIMEOUT' });
  });

  test('is a fault when it answers too much', async () => {
    const { server } = await answering(() => [{ padding: 'x'.repeat(5_000) }]);
    const call = mapperAt(server.url, { responseBytesMax: 1_000 }).resolve(REQUESTS, CTX);
    await expect(call).rejects.toMatchObject({ code: 'MAPPER_BAD_ANSWER' });
  });
});
