import { afterEach, describe, expect, test } from 'vitest';
import {
  createHttpClient,
  type HttpClient,
  type HttpLimits,
  type HttpOutcome,
} from '../../src/connectors/http.ts';
import { json, startHttpServer, startSocketServer, type TestServer, unusedUrl } from './http-servers.ts';

const LIMITS: HttpLimits = {
  connectTimeoutMs: 2_000,
  requestTimeoutMs: 10_000,
  responseBytesMax: 1_000,
  connectionsMax: 4,
};
/** Long enough for any answer of this machine, short enough to wait for in a test. */
const SHORT_MS = 300;

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close();
});

function keep<T extends { close(): Promise<void> }>(resource: T): T {
  opened.push(resource);
  return resource;
}

async function http(answer: Parameters<typeof startHttpServer>[0]): Promise<TestServer> {
  return keep(await startHttpServer(answer));
}

async function socket(talk: Parameters<typeof startSocketServer>[0]): Promise<TestServer> {
  return keep(await startSocketServer(talk));
}

function clientOf(url: string, limits: Partial<HttpLimits> = {}): HttpClient {
  return keep(createHttpClient(url, { ...LIMITS, ...limits }));
}

function post(client: HttpClient, signal: AbortSignal = new AbortController().signal): Promise<HttpOutcome> {
  return client.postJson('/pay', '{"a":1}', { 'idempotency-key': 'k1' }, signal);
}

describe('a call that is answered', () => {
  test('sends the body byte for byte to the path below the base URL, with its headers', async () => {
    const server = await http((_, response) => json(response, 200, { ok: true }));
    const outcome = await post(clientOf(`${server.url}/bank/`));
    expect(outcome).toMatchObject({ kind: 'answer', status: 200, json: { ok: true } });
    expect(server.received).toMatchObject([
      {
        path: '/bank/pay',
        body: '{"a":1}',
        headers: { 'idempotency-key': 'k1', 'content-type': 'application/json' },
      },
    ]);
  });

  test.each([
    ['as it is', (token: string) => token],
    ['with its slashes escaped', (token: string) => token.replaceAll('/', '\\/')],
    [
      'with signs as their numbers',
      (token: string) => token.replaceAll('=', '\\u003d').replaceAll('+', '\\u002B'),
    ],
  ])('never shows the credential that the other side repeats %s', async (_, written) => {
    const token = 'dG9r/ZW4+b2Y/gb3Vycw==';
    const server = await http((_, response) =>
      response.end(
        `{"no": "Bearer ${written(token)}\\n", "path": "C:\\\\${written(token)}", "other": "a\\/b\\u003d"}`,
      ),
    );
    const { signal } = new AbortController();
    const outcome = await clientOf(server.url).postJson(
      '/',
      '{}',
      { authorization: `Bearer ${token}` },
      signal,
    );
    expect(outcome).toMatchObject({
      kind: 'answer',
      json: { no: 'Bearer ********\n', path: 'C:\\********', other: 'a/b=' },
      text: expect.not.stringContaining(written(token)),
    });
  });

  // undici gives a connection one turn of the event loop to fall silent, so calls without a pause take turns on two.
  test('keeps its connections for later calls', async () => {
    const server = await http((_, response) => json(response, 200, {}));
    const client = clientOf(server.url);
    for (let call = 0; call < 20; call += 1) await post(client);
    expect(server.received).toHaveLength(20);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test.each([204, 302, 404, 500])(
    'gives status %i to the caller without following or repeating it',
    async (status) => {
      const server = await http((_, response) =>
        response.writeHead(status, { location: '/elsewhere' }).end(),
      );
      expect(await post(clientOf(server.url))).toMatchObject({ kind: 'answer', status, json: undefined });
      expect(server.received).toHaveLength(1);
    },
  );

  test.each([
    ['text', 'not json'],
    ['half a document', '{"status":"succ'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  ])('has no JSON when the body is %s', async (_, body) => {
    const server = await http((_, response) => response.end(body));
    expect(await post(clientOf(server.url))).toMatchObject({ kind: 'answer', status: 200, json: undefined });
  });
});

describe('a call of which nothing was sent', () => {
  test('is unreachable when nobody listens', async () => {
    const outcome = await post(clientOf(await unusedUrl()));
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'unreachable', sent: false });
    expect(outcome).toHaveProperty(
      'message',
      expect.stringMatching(/^POST http:\/\/127\.0\.0\.1:\d+\/pay: .*ECONNREFUSED/),
    );
  });

  test('is unreachable when the host has no address', async () => {
    const outcome = await post(clientOf('http://no-such-host.invalid'));
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'unreachable', sent: false });
  });

  test('is unreachable when the other side does not speak TLS', async () => {
    const server = await http((_, response) => json(response, 200, {}));
    const outcome = await post(clientOf(server.url.replace('http:', 'https:')));
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'unreachable', sent: false });
    expect(server.received).toEqual([]);
  });

  // Both limits run out within milliseconds; on a busy machine the first may free its connection before the second ends.
  test('runs out of time while it waits for a connection, and is not sent when one gets free', {
    retry: 3,
  }, async () => {
    const { server, first, client, finishFirst } = await busyConnection({ requestTimeoutMs: SHORT_MS });
    const outcomes = await Promise.all([first, post(client)]);
    finishFirst();
    expect(outcomes).toMatchObject([
      { reason: 'timeout', sent: true },
      { reason: 'timeout', sent: false },
    ]);
    await post(client);
    expect(server.received).toHaveLength(2);
  });

  test('can be abandoned while it waits for a connection, and is not sent when one gets free', async () => {
    const { server, first, client, finishFirst } = await busyConnection({});
    const abandoned = new AbortController();
    const second = post(client, abandoned.signal);
    abandoned.abort();
    expect(await second).toMatchObject({ reason: 'aborted', sent: false });
    finishFirst();
    expect(await first).toMatchObject({ kind: 'answer', status: 200 });
    expect(await post(client)).toMatchObject({ kind: 'answer', status: 200 });
    expect(server.received).toHaveLength(2);
  });

  test('does not begin when it was abandoned before', async () => {
    const server = await http((_, response) => json(response, 200, {}));
    expect(await post(clientOf(server.url), AbortSignal.abort())).toMatchObject({
      reason: 'aborted',
      sent: false,
    });
    expect(server.connections()).toBe(0);
  });

  test('is refused by a closed client', async () => {
    const server = await http((_, response) => json(response, 200, {}));
    const client = createHttpClient(server.url, LIMITS);
    await client.close();
    expect(await post(client)).toMatchObject({ reason: 'aborted', sent: false });
  });
});

describe('a call that may have been acted on', () => {
  test.each<[string, Parameters<typeof startSocketServer>[0]]>([
    ['resets the connection', (connection) => connection.resetAndDestroy()],
    ['closes the connection without a word', (connection) => connection.end()],
    [
      'breaks off within the answer',
      (connection) => connection.end('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"status"'),
    ],
    ['answers something that is not HTTP', (connection) => connection.end('SSH-2.0-OpenSSH_9.6\r\n')],
    [
      'breaks off a chunked answer',
      (connection) => connection.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"sta\r\n'),
    ],
  ])('is broken, but sent, when the server %s', async (_, talk) => {
    const server = await socket(talk);
    expect(await post(clientOf(server.url))).toMatchObject({ kind: 'failure', reason: 'broken', sent: true });
    expect(server.connections()).toBe(1);
  });

  test('runs out of time when no answer comes', async () => {
    const server = await http(() => {});
    const outcome = await post(clientOf(server.url, { requestTimeoutMs: SHORT_MS }));
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'timeout', sent: true });
  });

  test('runs out of time when the answer never stops trickling in', async () => {
    const server = await http((_, response) => {
      const timer = setInterval(() => response.write(' '), SHORT_MS / 20);
      response.on('close', () => clearInterval(timer));
    });
    const outcome = await post(
      clientOf(server.url, { requestTimeoutMs: SHORT_MS, responseBytesMax: 1_000_000 }),
    );
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'timeout', sent: true });
  });

  test.each([
    ['says so', { 'content-length': '2000' }],
    ['does not say so', {}],
  ])('is oversized when the body is too large and the server %s', async (_, headers) => {
    const server = await http((_, response) => response.writeHead(200, headers).end('x'.repeat(2_000)));
    expect(await post(clientOf(server.url))).toMatchObject({
      kind: 'failure',
      reason: 'oversized',
      sent: true,
    });
  });

  test('can be abandoned while the server thinks', async () => {
    const abandoned = new AbortController();
    const server = await http(() => abandoned.abort());
    expect(await post(clientOf(server.url), abandoned.signal)).toMatchObject({
      reason: 'aborted',
      sent: true,
    });
  });
});

/** A client with a single connection, on which a first call waits until the test lets it finish. */
async function busyConnection(limits: Partial<HttpLimits>) {
  const { promise: arrived, resolve: firstArrived } = Promise.withResolvers<void>();
  const { promise: finished, resolve: finishFirst } = Promise.withResolvers<void>();
  const server = await http(async (_, response) => {
    firstArrived();
    await finished;
    json(response, 200, {});
  });
  const client = clientOf(server.url, { ...limits, connectionsMax: 1 });
  const first = post(client);
  await arrived;
  return { server, client, first, finishFirst };
}
