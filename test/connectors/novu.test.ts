import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NotificationConnector } from '../../src/connectors/notification/notification-connector.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startNovu } from '../support/simulators.ts';
import { until } from '../support/wait.ts';
import { BULK, CTX, closeOpened, note, notes, novuAt, processed, TRIGGER } from './novu-notes.ts';

afterEach(closeOpened);

describe('with Novu', () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let novu: NotificationConnector;

  beforeAll(async () => {
    database = await createDatabase('novu');
    simulator = await startNovu({ databaseUrl: database.url, apiKey: 'secret-1' });
  });
  afterAll(async () => {
    await simulator?.stop();
    await database?.drop();
  });
  beforeEach(async () => {
    await post('/_admin/reset', {});
    novu = novuAt(simulator.url);
  });

  async function post(path: string, body: unknown): Promise<void> {
    const response = await fetch(simulator.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status, await response.text()).toBe(200);
  }

  async function get(path: string): Promise<Record<string, unknown>> {
    return (await fetch(simulator.url + path)).json() as Promise<Record<string, unknown>>;
  }

  const strike = (path: string, kind: string, more: object = {}) =>
    post('/_control', { faults: [{ path, kind, count: 1, ...more }] });
  const received = (query = '') => get(`/_admin/notifications${query}`);

  test('one notification triggers one event, for the workflow of its type', async () => {
    expect(await novu.send([note('n-1', { type: 'AGENCY_NOTIFICATION' })], CTX)).toEqual([
      { notificationId: 'n-1', outcome: 'processed', response: JSON.stringify(processed('n-1')) },
    ]);
    expect(await received()).toMatchObject({
      count: 1,
      notifications: [
        {
          transaction_id: 'n-1',
          workflow_id: 'agency-notification',
          subscriber_id: 's-n-1',
          recipient: {
            subscriberId: 's-n-1',
            firstName: 'Asha',
            email: 'asha@example.org',
            phone: '+911234567890',
          },
          payload: { program_mnemonic: 'PROG', total_quantity: '10.50', zone: { id: '7' } },
          bulk: false,
        },
      ],
    });
  });

  test('what is not known about the recipient is left out', async () => {
    await novu.send(
      ['n-1', 'n-2'].map((id, at) =>
        note(id, {
          recipient: { subscriberId: 'w-1', name: at === 0 ? null : '', email: null, phone: null },
        }),
      ),
      CTX,
    );
    expect(await received()).toMatchObject({
      notifications: [{ recipient: { subscriberId: 'w-1' } }, { recipient: { subscriberId: 'w-1' } }],
    });
  });

  test('a hundred notifications trigger one bulk, answered in their order', async () => {
    const types = ['WAREHOUSE_NOTIFICATION', 'AGENCY_NOTIFICATION', 'BENEFICIARY_NOTIFICATION'] as const;
    const hundred = notes(100).map((one, n) => ({ ...one, type: types[n % 3] ?? one.type }));
    const answers = await novu.send(hundred, CTX);
    expect(answers.map((answer) => [answer.notificationId, answer.outcome])).toEqual(
      hundred.map((one) => [one.notificationId, 'processed']),
    );
    expect(await received('?limit=1')).toMatchObject({
      by_workflow: {
        'warehouse-notification': 34,
        'agency-notification': 33,
        'beneficiary-notification': 33,
      },
      notifications: [{ bulk: true }],
    });
    expect(await get('/_admin/stats')).toMatchObject({ requests: { [BULK]: 1 } });
  });

  test.each([
    ['one', TRIGGER, 1],
    ['three', BULK, 3],
  ])('%s sent again after the answer was lost are delivered once', async (_, path, count) => {
    await strike(path, 'drop_after');
    const lost = await novu.send(notes(count), CTX);
    expect(lost).toHaveLength(count);
    for (const answer of lost) {
      expect(answer).toMatchObject({
        outcome: 'failed',
        code: 'NOTIFICATION_SERVICE_UNAVAILABLE',
        retryable: true,
        response: null,
      });
    }
    const again = await novu.send(notes(count), CTX);
    expect(again.map((answer) => answer.outcome)).toEqual(Array(count).fill('processed'));
    expect(await received()).toMatchObject({ count, times_received: 2 * count });
  });

  test('an event that a bulk could not process fails alone, and may be sent again', async () => {
    await post('/_control', { rules: { subscribers: { 's-n-1': 'error' } } });
    const answers = await novu.send(notes(3), CTX);
    expect(answers).toMatchObject([
      { notificationId: 'n-0', outcome: 'processed' },
      {
        notificationId: 'n-1',
        outcome: 'failed',
        code: 'NOTIFICATION_NOT_PROCESSED',
        message: 'Notification n-1 failed: Novu answered "error", workflow_not_found.',
        retryable: true,
        response: '{"acknowledged":true,"status":"error","error":["workflow_not_found"]}',
      },
      { notificationId: 'n-2', outcome: 'processed' },
    ]);
  });

  test('an event that waits for somebody to change something at Novu is not worth a retry', async () => {
    await post('/_control', { rules: { workflows: { 'beneficiary-notification': 'trigger_not_active' } } });
    for (const count of [1, 2]) {
      const answers = await novu.send(notes(count), CTX);
      expect(answers).toHaveLength(count);
      for (const answer of answers) {
        expect(answer).toMatchObject({
          code: 'NOTIFICATION_NOT_PROCESSED',
          message: expect.stringContaining('"trigger_not_active"'),
          retryable: false,
        });
      }
    }
  });

  test('a bulk refused for one malformed event is sent one by one, and only that event fails', async () => {
    const bad = note('n-bad', {
      recipient: { subscriberId: 's', name: null, email: 'no email', phone: null },
    });
    const answers = await novu.send([note('n-1'), bad, note('n-2'), note('n-3')], CTX);
    expect(answers).toMatchObject([
      { notificationId: 'n-1', outcome: 'processed' },
      {
        notificationId: 'n-bad',
        outcome: 'failed',
        code: 'NOTIFICATION_REFUSED',
        message: 'Notification n-bad failed: Novu answered HTTP 422, Validation Error.',
        retryable: false,
        response: expect.stringContaining('to.email: must be an email'),
      },
      { notificationId: 'n-2', outcome: 'processed' },
      { notificationId: 'n-3', outcome: 'processed' },
    ]);
    expect(await received()).toMatchObject({ count: 3, times_received: 3 });
  });

  test.each(['', 'another'])(
    'the key "%s" is not accepted, and trying again would not help',
    async (apiKey) => {
      const stranger = novuAt(simulator.url, { apiKey });
      for (const count of [1, 2]) {
        const answers = await stranger.send(notes(count), CTX);
        expect(answers).toHaveLength(count);
        for (const answer of answers) {
          expect(answer).toMatchObject({ code: 'NOTIFICATION_UNAUTHORIZED', retryable: false });
        }
      }
      expect(await received()).toMatchObject({ count: 0 });
    },
  );

  test('when the rate is limited, every send waits as long as Novu says and then goes through', async () => {
    await post('/_control', {
      faults: [{ path: BULK, kind: 'error_before', status: 429, count: 1 }],
      rules: { retry_after_seconds: 1 },
    });
    const startedAt = performance.now();
    const first = novu.send(notes(2), CTX);
    await until('the rate is limited', async () =>
      JSON.stringify(await get('/_control')).includes('"fired":1'),
    );
    const second = novu.send([note('n-late')], CTX);
    const answers = [...(await first), ...(await second)];
    expect(answers.map((answer) => answer.outcome)).toEqual(['processed', 'processed', 'processed']);
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(await get('/_control')).toMatchObject({ rules: { too_early: 0 } });
    expect(await received()).toMatchObject({ count: 3, times_received: 3 });
  });

  test('a pause that Novu asks for is waited for, however short the time for the request itself', async () => {
    const hasty = novuAt(simulator.url, { requestTimeoutMs: 500 });
    await hasty.send([note('n-warm')], CTX);
    await post('/_control', {
      faults: [{ path: '*', kind: 'error_before', status: 429, count: 2 }],
      rules: { retry_after_seconds: 1 },
    });
    const startedAt = performance.now();
    expect(await hasty.send(notes(2), CTX)).toMatchObject([
      { outcome: 'processed' },
      { outcome: 'processed' },
    ]);
    expect(performance.now() - startedAt).toBeGreaterThan(2_000);
    expect(await get('/_control')).toMatchObject({ rules: { too_early: 0 } });
  });

  test('when the rate is limited for longer than a quarter of an hour, a send fails at once, and the next asks nobody', async () => {
    await post('/_control', {
      faults: [{ path: '*', kind: 'error_before', status: 429, count: 1 }],
      rules: { retry_after_seconds: 1_000 },
    });
    const limited = { outcome: 'failed', code: 'NOTIFICATION_RATE_LIMITED', retryable: true };
    const startedAt = performance.now();
    expect(await novu.send(notes(2), CTX)).toMatchObject([
      { ...limited, response: expect.stringContaining('A fault was set') },
      limited,
    ]);
    expect(await novu.send([note('n-1')], CTX)).toMatchObject([
      { ...limited, message: expect.stringMatching(/another \d+ ms\.$/), response: null },
    ]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await get('/_control')).toMatchObject({ faults: [{ seen: 1 }] });
  });

  test('an answer that comes too slowly is a time-out, and sending again delivers nothing twice', async () => {
    const hasty = novuAt(simulator.url, { requestTimeoutMs: 300 });
    await hasty.send([note('n-warm')], CTX);
    await strike(BULK, 'slow_body', { delay_ms: 5_000 });
    expect(await hasty.send(notes(2), CTX)).toMatchObject([
      {
        code: 'NOTIFICATION_TIMEOUT',
        retryable: true,
        message: expect.stringMatching(
          /^Notification n-0 failed: Novu did not answer \(POST http:.*\/bulk: no complete answer within 300 ms\)\.$/,
        ),
      },
      { code: 'NOTIFICATION_TIMEOUT' },
    ]);
    expect((await novu.send(notes(2), CTX)).map((answer) => answer.outcome)).toEqual([
      'processed',
      'processed',
    ]);
    expect(await received()).toMatchObject({ count: 3, times_received: 5 });
  });
});
