import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startNovu } from '../support/simulators.ts';
import { get, type HttpAnswer, post } from './fixtures.ts';

const KEY = { authorization: 'ApiKey secret-1' };
const TRIGGER = '/v1/events/trigger';
const BULK = '/v1/events/trigger/bulk';

let database: TestDatabase;
let novu: Simulator;

beforeAll(async () => {
  database = await createDatabase('novu');
  novu = await startNovu({ databaseUrl: database.url, apiKey: 'secret-1' });
});

afterAll(async () => {
  await novu.stop();
  await database.drop();
});

afterEach(async () => {
  await post(novu.url, '/_admin/reset', {});
});

function event(transactionId: string, fields: object = {}): object {
  return {
    name: 'beneficiary-notification',
    to: { subscriberId: `s-${transactionId}`, firstName: 'Asha', email: 'asha@example.org' },
    payload: { program_mnemonic: 'PROG', quantity: '10.5' },
    transactionId,
    ...fields,
  };
}

const trigger = (body: unknown) => post(novu.url, TRIGGER, body, KEY);
const bulk = (events: readonly object[]) => post(novu.url, BULK, { events }, KEY);
const control = (body: object) => post(novu.url, '/_control', body);
const notifications = async (query = '') =>
  (await get(novu.url, `/_admin/notifications${query}`)).body as {
    count: number;
    times_received: number;
    by_workflow: Record<string, number>;
    received_by_workflow: Record<string, number>;
    notifications: Record<string, unknown>[];
  };

const processed = (transactionId: string) => ({ acknowledged: true, status: 'processed', transactionId });

describe('an event', () => {
  it('is processed and kept', async () => {
    expect(await trigger(event('t-1'))).toEqual({ status: 201, body: { data: processed('t-1') } });
    expect(await notifications()).toEqual({
      count: 1,
      times_received: 1,
      by_workflow: { 'beneficiary-notification': 1 },
      received_by_workflow: { 'beneficiary-notification': 1 },
      notifications: [
        {
          transaction_id: 't-1',
          workflow_id: 'beneficiary-notification',
          subscriber_id: 's-t-1',
          recipient: { subscriberId: 's-t-1', firstName: 'Asha', email: 'asha@example.org' },
          payload: { program_mnemonic: 'PROG', quantity: '10.5' },
          bulk: false,
          times_received: 1,
          first_received_at: expect.any(String),
          last_received_at: expect.any(String),
        },
      ],
    });
  });

  it('that comes again is answered the same and counted, also by way of a bulk', async () => {
    const first = await trigger(event('t-1'));
    expect(await trigger(event('t-1', { payload: {} }))).toEqual(first);
    expect(await bulk([event('t-1'), event('t-1'), event('t-2')])).toEqual({
      status: 201,
      body: { data: [processed('t-1'), processed('t-1'), processed('t-2')] },
    });
    expect(await notifications('?transaction_id=t-1')).toMatchObject({
      count: 1,
      times_received: 4,
      notifications: [{ payload: { quantity: '10.5' }, times_received: 4 }],
    });
    expect(await notifications()).toMatchObject({ count: 2, times_received: 5 });
  });

  it('gets a transaction id when it has none', async () => {
    const { body } = await trigger(event('t', { transactionId: undefined }));
    expect(body.data).toMatchObject({ status: 'processed', transactionId: expect.stringMatching(/^txn_/) });
  });

  it.each<[string, object, string]>([
    ['an unknown field', { overrides: {} }, 'overrides: is an unknown field'],
    ['no workflow', { name: '' }, 'name: '],
    ['no recipient', { to: undefined }, 'to: '],
    ['a recipient without id', { to: { email: 'a@example.org' } }, 'to.subscriberId: '],
    ['an email that is none', { to: { subscriberId: 's', email: 'nowhere' } }, 'to.email: must be an email'],
    ['a phone that is none', { to: { subscriberId: 's', phone: 'home' } }, 'to.phone: must be a phone'],
    ['a payload that is no object', { payload: 'text' }, 'payload: '],
  ])('with %s is refused, and with it the bulk that it is in', async (_, fields, problem) => {
    const isRefused = (prefix: string): HttpAnswer => ({
      status: 422,
      body: {
        statusCode: 422,
        timestamp: expect.any(String),
        path: expect.stringMatching('^/v1/events/trigger'),
        message: 'Validation Error',
        errors: { general: { messages: [expect.stringContaining(prefix + problem)] } },
      },
    });
    expect(await trigger(event('t-1', fields))).toEqual(isRefused(''));
    expect(await bulk([event('t-1'), event('t-2', fields)])).toEqual(isRefused('events[1].'));
    expect(await notifications()).toMatchObject({ count: 0, times_received: 0 });
  });

  it.each([{}, { authorization: 'ApiKey other' }, { authorization: 'Bearer secret-1' }])(
    'is not taken from a stranger: %j',
    async (headers) => {
      for (const path of [TRIGGER, BULK]) {
        const answer = await post(novu.url, path, event('t-1'), headers as Record<string, string>);
        expect(answer).toMatchObject({ status: 401, body: { statusCode: 401, path } });
      }
      expect(await notifications()).toMatchObject({ count: 0 });
    },
  );
});

describe('a bulk', () => {
  it('takes a hundred events and not one more', async () => {
    const events = Array.from({ length: 101 }, (_, n) => event(`t-${n}`));
    expect(await bulk(events)).toMatchObject({ status: 422 });
    expect(await bulk(events.slice(1))).toMatchObject({ status: 201 });
    expect(await notifications('?limit=0')).toMatchObject({ count: 100, notifications: [] });
  });

  it('may be empty', async () => {
    expect(await bulk([])).toEqual({ status: 201, body: { data: [] } });
  });

  it('can overlap with others in any order and at the same time', async () => {
    const events = Array.from({ length: 100 }, (_, n) => event(`t-${n}`));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => bulk(n % 2 === 0 ? events : events.toReversed())),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(201));
    expect(await notifications('?limit=0')).toMatchObject({ count: 100, times_received: 2_000 });
  });
});

describe('rules', () => {
  it('decide what events of a workflow or for a recipient come to', async () => {
    await control({
      rules: { workflows: { idle: 'trigger_not_active' }, subscribers: { 's-t-2': 'error' } },
    });
    expect((await bulk([event('t-1', { name: 'idle' }), event('t-2'), event('t-3')])).body.data).toEqual([
      { acknowledged: true, status: 'trigger_not_active' },
      { acknowledged: true, status: 'error', error: ['workflow_not_found'] },
      processed('t-3'),
    ]);
    expect(await trigger(event('t-1', { name: 'idle' }))).toEqual({
      status: 201,
      body: { data: { acknowledged: true, status: 'trigger_not_active' } },
    });
    expect(await trigger(event('t-2'))).toMatchObject({
      status: 422,
      body: { message: 'workflow_not_found' },
    });
    expect(await notifications()).toMatchObject({ count: 1 });
    await control({ rules: null });
    expect((await trigger(event('t-2'))).status).toBe(201);
  });

  it('put a Retry-After to answers 429, and count who comes back too early', async () => {
    const send = () =>
      fetch(novu.url + TRIGGER, {
        method: 'POST',
        headers: { ...KEY, 'content-type': 'application/json' },
        body: JSON.stringify(event('t-1')),
      });
    await control({
      faults: [{ path: TRIGGER, kind: 'error_before', status: 429, count: 1 }],
      rules: { retry_after_seconds: 30 },
    });
    const limited = await send();
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '30']);
    const soon = await send();
    expect([soon.status, soon.headers.get('retry-after')]).toEqual([201, null]);
    expect((await get(novu.url, '/_control')).body).toMatchObject({
      faults: [{ seen: 2, fired: 1 }],
      rules: { retry_after_seconds: 30, too_early: 1 },
    });
    await control({ rules: { retry_after_seconds: null } });
    await control({ faults: [{ path: TRIGGER, kind: 'error_before', status: 429 }] });
    expect((await send()).headers.get('retry-after')).toBe(null);
  });
});

describe('a fault', () => {
  it.each([
    ['drop_before', 0],
    ['drop_after', 2],
  ])('%s cuts the connection, with the effect of %i events', async (kind, effect) => {
    await control({ faults: [{ path: BULK, kind, count: 1 }] });
    await expect(bulk([event('t-1'), event('t-2')])).rejects.toThrow();
    expect(await notifications()).toMatchObject({ count: effect });
    expect((await bulk([event('t-1'), event('t-2')])).status).toBe(201);
    expect(await notifications()).toMatchObject({ count: 2 });
  });

  it('refuses as the business does, without effect', async () => {
    await control({ faults: [{ path: '*', kind: 'refuse' }] });
    expect(await trigger(event('t-1'))).toMatchObject({
      status: 422,
      body: { message: 'workflow_not_found' },
    });
    expect(await bulk([event('t-1')])).toMatchObject({ status: 201, body: { data: [{ status: 'error' }] } });
    expect(await notifications()).toMatchObject({ count: 0 });
  });
});

describe('looking at what was received', () => {
  it('counts by workflow, shows as many as are wanted, and forgets on reset', async () => {
    await bulk([event('t-1'), event('t-2'), event('t-3', { name: 'agency-notification' })]);
    expect(await notifications('?limit=1')).toMatchObject({
      count: 3,
      by_workflow: { 'agency-notification': 1, 'beneficiary-notification': 2 },
      notifications: [{ transaction_id: 't-1', bulk: true }],
    });
    expect(await notifications('?workflow=agency-notification')).toMatchObject({
      count: 1,
      notifications: [{ transaction_id: 't-3' }],
    });
    const ofCycle = (id: string, cycle: string) => event(id, { payload: { cycle_code_mnemonic: cycle } });
    await bulk([ofCycle('t-4', 'JULY'), ofCycle('t-4', 'JULY'), ofCycle('t-5', 'JUNE')]);
    expect(await notifications('?cycle=JULY')).toMatchObject({
      count: 1,
      by_workflow: { 'beneficiary-notification': 1 },
      received_by_workflow: { 'beneficiary-notification': 2 },
      notifications: [{ transaction_id: 't-4' }],
    });
    expect((await get(novu.url, '/_admin/notifications?colour=red')).status).toBe(400);
    await post(novu.url, '/_admin/reset', {});
    expect(await notifications()).toMatchObject({ count: 0, by_workflow: {} });
  });

  it('finds what a killed process had taken', async () => {
    await trigger(event('t-1'));
    await novu.kill();
    novu = await startNovu({ databaseUrl: database.url, apiKey: 'secret-1' });
    expect((await trigger(event('t-1'))).status).toBe(201);
    expect(await notifications()).toMatchObject({ count: 1, times_received: 2 });
  });
});

describe('started with other options', () => {
  it('asks for no key, and takes the time it is told', async () => {
    const slow = await startNovu({ databaseUrl: database.url, delayMs: 200 });
    const startedAt = performance.now();
    expect((await post(slow.url, TRIGGER, event('t-9'))).status).toBe(201);
    expect(performance.now() - startedAt).toBeGreaterThan(195);
    expect(await slow.stop()).toBe(0);
    expect(slow.stderr()).toBe('');
  });
});
