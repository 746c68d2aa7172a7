import { execFile } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { gate } from '../support/wait.ts';
import { json, startSocketServer, type TestServer, unusedUrl } from './http-servers.ts';
import {
  answering,
  answeringAlways,
  BULK,
  CTX,
  closeOpened,
  keepOpen,
  note,
  notes,
  novuAt,
  processed,
} from './novu-notes.ts';

afterEach(closeOpened);

describe('the request', () => {
  test('is what Novu documents, below whatever path the service has', async () => {
    const server = await answering((_, response) =>
      json(response, 201, { data: [processed('n-0'), processed('n-1')] }),
    );
    await novuAt(`${server.url}/novu/`).send(notes(2), CTX);
    const [request] = server.received;
    expect(request?.path).toBe(`/novu${BULK}`);
    expect(request?.headers).toMatchObject({
      authorization: 'ApiKey secret-1',
      'content-type': 'application/json',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      events: ['n-0', 'n-1'].map((id) => ({
        name: 'beneficiary-notification',
        to: { subscriberId: `s-${id}`, firstName: 'Asha', email: 'asha@example.org', phone: '+911234567890' },
        payload: { program_mnemonic: 'PROG', total_quantity: '10.50', zone: { id: '7' } },
        transactionId: id,
      })),
    });
  });

  test('is not made for nobody, nor for a list that must not be sent', async () => {
    const { server, novu } = await answeringAlways(201, { data: [] }, { bulkMax: 2 });
    expect(novu.bulkMax).toBe(2);
    expect(await novu.send([], CTX)).toEqual([]);
    await expect(novu.send(notes(3), CTX)).rejects.toMatchObject({
      code: 'NOTIFICATION_BAD_REQUEST',
      message: '3 notifications are more than 2, the most at once.',
      retryable: false,
    });
    await expect(novu.send([note('n-1'), note('n-1')], CTX)).rejects.toMatchObject({
      code: 'NOTIFICATION_BAD_REQUEST',
    });
    for (const list of [
      [note('n-1', { payload: { n: 1n } })],
      [note('n-1', { payload: { n: 1n } }), note('n-2')],
    ]) {
      await expect(novu.send(list, CTX)).rejects.toMatchObject({
        code: 'NOTIFICATION_BAD_REQUEST',
        retryable: false,
      });
    }
    expect(server.received).toEqual([]);
  });

  test('cannot be made by a connector with impossible settings', () => {
    for (const bulkMax of [0, 101, 1.5]) {
      expect(() => novuAt('http://127.0.0.1:1', { bulkMax })).toThrow(RangeError);
    }
    expect(() => novuAt('nowhere')).toThrow(TypeError);
  });

  test('is what loads the client, so that a process starts without waiting for it', async () => {
    const module = new URL('../../src/connectors/notification/novu.ts', import.meta.url);
    const settings = { apiUrl: 'http://127.0.0.1:1', bulkMax: 1, connectionsMax: 1, connectTimeoutMs: 1 };
    const program = `
      import { createRequire } from 'node:module';
      import { createNotificationConnector } from ${JSON.stringify(module.href)};
      createNotificationConnector(${JSON.stringify(settings)});
      const loaded = Object.keys(createRequire(import.meta.url)('node:module')._cache);
      console.log(loaded.filter((file) => file.includes('undici')).length > 0, loaded.filter((file) => file.includes('@novu')).length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(stdout.trim()).toBe('true 0');
  });
});

describe('a bulk that is refused as a whole', () => {
  /** Refuses bulks, answers single events as told, and sees how many come at once. */
  async function refusingBulks(
    status: number,
    single: (id: string, response: ServerResponse) => unknown,
  ): Promise<{ server: TestServer; mostAtOnce: () => number }> {
    let now = 0;
    let most = 0;
    const server = await answering(async (request, response) => {
      if (request.path === BULK) return json(response, status, { message: 'Validation Error' });
      now += 1;
      most = Math.max(most, now);
      response.once('close', () => {
        now -= 1;
      });
      await single(JSON.parse(request.body).transactionId, response);
    });
    return { server, mostAtOnce: () => most };
  }

  test.each([400, 413, 422])(
    'with HTTP %i goes one by one, over no more connections than allowed',
    async (status) => {
      const { server, mostAtOnce } = await refusingBulks(status, (id, response) =>
        json(response, 201, { data: processed(id) }),
      );
      const answers = await novuAt(server.url, { connectionsMax: 3 }).send(notes(20), CTX);
      expect(answers.map((answer) => [answer.notificationId, answer.outcome])).toEqual(
        notes(20).map((one) => [one.notificationId, 'processed']),
      );
      expect(server.received).toHaveLength(21);
      expect(mostAtOnce()).toBeLessThanOrEqual(3);
    },
  );

  test('begins no event that there is no time left for', async () => {
    const { server } = await refusingBulks(422, () => {});
    const novu = novuAt(server.url, { connectionsMax: 2, requestTimeoutMs: 300 });
    const startedAt = performance.now();
    const answers = await novu.send(notes(10), CTX);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(answers).toHaveLength(10);
    for (const answer of answers)
      expect(answer).toMatchObject({ code: 'NOTIFICATION_TIMEOUT', retryable: true });
    expect(answers[9]).toMatchObject({
      message: 'Notification n-9 failed: there was no time left to send it.',
    });
    expect(server.received.length).toBeLessThanOrEqual(5);
  });
});

describe('a service that does not answer', () => {
  test('is unavailable when nobody listens', async () => {
    expect(await novuAt(await unusedUrl()).send(notes(2), CTX)).toMatchObject([
      {
        code: 'NOTIFICATION_SERVICE_UNAVAILABLE',
        retryable: true,
        message: expect.stringMatching(/^Notification n-0 failed: Novu did not answer \(.*ECONNREFUSED/),
      },
      { code: 'NOTIFICATION_SERVICE_UNAVAILABLE' },
    ]);
  });

  test.each<[string, string]>([
    ['breaks the connection', ''],
    ['speaks no HTTP', 'hello\r\n\r\n'],
    ['breaks off in the middle', 'HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{"data":'],
  ])('is unavailable when it %s', async (_, bytes) => {
    const server = await startSocketServer((socket) => socket.end(bytes));
    keepOpen(server);
    expect(await novuAt(server.url).send([note('n-1')], CTX)).toMatchObject([
      { code: 'NOTIFICATION_SERVICE_UNAVAILABLE', retryable: true, response: null },
    ]);
  });

  test('has given a bad answer when it says too much', async () => {
    const { novu } = await answeringAlways(
      201,
      { data: processed('n-1'), padding: 'x'.repeat(5_000) },
      { responseBytesMax: 1_000 },
    );
    expect(await novu.send([note('n-1')], CTX)).toMatchObject([
      { code: 'NOTIFICATION_BAD_ANSWER', retryable: true, response: null },
    ]);
  });

  test('keeps no more connections than allowed, and reuses them', async () => {
    const server = await answering((request, response) =>
      json(response, 201, { data: processed(JSON.parse(request.body).transactionId) }),
    );
    const novu = novuAt(server.url, { connectionsMax: 2 });
    await Promise.all(notes(20).map((one) => novu.send([one], CTX)));
    expect(server.connections()).toBeLessThanOrEqual(2);
  });
});

describe('a call that is abandoned', () => {
  const aborted = { code: 'NOTIFICATION_CALL_ABORTED', retryable: true };

  test('ends at once, whatever it waits for', async () => {
    const arrived = gate();
    const server = await answering(() => arrived.open());
    const stop = new AbortController();
    const call = novuAt(server.url).send([note('n-1')], { signal: stop.signal });
    await arrived.opened;
    stop.abort();
    await expect(call).rejects.toMatchObject(aborted);
  });

  test('ends at once while the rate is limited', async () => {
    const arrived = gate();
    const server = await answering((_, response) => {
      response.writeHead(429, { 'retry-after': '5' }).end();
      response.once('close', () => arrived.open());
    });
    const stop = new AbortController();
    const startedAt = performance.now();
    const call = novuAt(server.url).send([note('n-1')], { signal: stop.signal });
    await arrived.opened;
    stop.abort();
    await expect(call).rejects.toMatchObject(aborted);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  test('sends nothing when it was abandoned before, or the connector was closed', async () => {
    const { server, novu } = await answeringAlways(201, { data: processed('n-1') });
    await expect(novu.send([note('n-1')], { signal: AbortSignal.abort() })).rejects.toMatchObject(aborted);
    await closeOpened();
    await expect(novu.send([note('n-1')], CTX)).rejects.toMatchObject(aborted);
    expect(server.received).toEqual([]);
  });
});
