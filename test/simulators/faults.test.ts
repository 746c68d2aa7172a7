import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startBank } from '../support/simulators.ts';
import { get, keyed, post } from './fixtures.ts';

let database: TestDatabase;
let bank: Simulator;
const account = 'PROGRAM-1';

beforeAll(async () => {
  database = await createDatabase('bank');
  bank = await startBank({ databaseUrl: database.url });
  await post(bank.url, '/_admin/accounts', [
    { account_number: account, currency: 'INR', balance: '1000.00' },
  ]);
});

afterAll(async () => {
  await bank.stop();
  await database.drop();
});

afterEach(async () => {
  await post(bank.url, '/_control', { faults: [] });
});

const misbehave = (fault: object, seed?: number) =>
  post(bank.url, '/_control', { faults: [{ path: '/block_funds', ...fault }], ...(seed && { seed }) });
const block = (key?: string) =>
  post(
    bank.url,
    '/block_funds',
    { account_number: account, currency: 'INR', amount: '1.00' },
    key === undefined ? {} : keyed(key),
  );
const blocked = async () => Number((await get(bank.url, `/_admin/ledger?account=${account}`)).body.blocked);

describe('a fault', () => {
  it.each([
    ['drop_before', 0],
    ['drop_after', 1],
  ])('%s cuts the connection, with the effect of %i request', async (kind, effect) => {
    const before = await blocked();
    await misbehave({ kind, count: 1 });
    await expect(block()).rejects.toThrow();
    expect(await blocked()).toBe(before + effect);
    expect((await block()).body.status).toBe('success');
  });

  it.each([
    ['error_before', 0],
    ['error_after', 1],
  ])('%s answers with its status, with the effect of %i request', async (kind, effect) => {
    const before = await blocked();
    await misbehave({ kind, count: 1, status: 503 });
    expect((await block()).status).toBe(503);
    expect(await blocked()).toBe(before + effect);
    await misbehave({ kind, count: 1 });
    expect((await block()).status).toBe(500);
  });

  it('refuse answers as the business does, without effect and remembered under the key', async () => {
    const refusal = {
      status: 200,
      body: { status: 'failed', error_message: 'The bank refuses this request.', block_reference_no: null },
    };
    const before = await blocked();
    await misbehave({ kind: 'refuse', count: 1 });
    expect(await block('refused')).toEqual(refusal);
    expect(await block('refused')).toEqual(refusal);
    expect(await blocked()).toBe(before);
    expect((await block('another')).body.status).toBe('success');
  });

  it('refuse takes nothing back: a key that was accepted has its answer again', async () => {
    const accepted = await block('accepted');
    await misbehave({ kind: 'refuse', count: 1 });
    expect(await block('accepted')).toEqual(accepted);
  });

  it('delay waits before acting', async () => {
    await misbehave({ kind: 'delay', delay_ms: 300 });
    const startedAt = performance.now();
    expect((await block()).body.status).toBe('success');
    expect(performance.now() - startedAt).toBeGreaterThan(290);
  });

  it('slow_body sends the headers at once and the whole body in the end', async () => {
    await misbehave({ kind: 'slow_body', delay_ms: 500 });
    const startedAt = performance.now();
    const response = await request(`${bank.url}/block_funds`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ account_number: account, currency: 'INR', amount: '1.00' }),
    });
    const headersMs = performance.now() - startedAt;
    const body = await response.body.json();
    const bodyMs = performance.now() - startedAt;
    expect(body).toMatchObject({ status: 'success' });
    expect(bodyMs).toBeGreaterThan(450);
    expect(headersMs).toBeLessThan(bodyMs - 200);
  });

  it('leaves a key whose answer was lost usable, and its effect single', async () => {
    const before = await blocked();
    await misbehave({ kind: 'drop_after', count: 2 });
    await expect(block('lost')).rejects.toThrow();
    await expect(block('lost')).rejects.toThrow();
    expect((await block('lost')).body.block_reference_no).toMatch(/^BLK-/);
    expect(await blocked()).toBe(before + 1);
  });

  it('strikes as often as its count says, and is gone when replaced', async () => {
    await misbehave({ kind: 'error_before', count: 2 });
    const statuses = [];
    for (let request = 0; request < 4; request += 1) statuses.push((await block()).status);
    expect(statuses).toEqual([500, 500, 200, 200]);
    expect((await get(bank.url, '/_control')).body.faults).toMatchObject([
      { path: '/block_funds', kind: 'error_before', count: 2, seen: 4, fired: 2 },
    ]);
    await misbehave({ kind: 'error_before' });
    await post(bank.url, '/_control', { faults: [] });
    expect((await block()).status).toBe(200);
    expect((await get(bank.url, '/_control')).body.faults).toEqual([]);
  });

  it('with a probability strikes at the same requests again under the same seed', async () => {
    const pattern = async (seed: number) => {
      await post(bank.url, '/_control', {
        faults: [{ path: '*', kind: 'error_before', probability: 0.3 }],
        seed,
      });
      const struck: boolean[] = [];
      for (let request = 0; request < 60; request += 1)
        struck.push((await get(bank.url, '/ping')).status === 500);
      return struck;
    };
    const first = await pattern(7);
    const strikes = first.filter(Boolean).length;
    expect(strikes).toBeGreaterThan(5);
    expect(strikes).toBeLessThan(35);
    expect(await pattern(7)).toEqual(first);
    expect(await pattern(8)).not.toEqual(first);
  });

  it('does not outlive the process, and is counted in the statistics', async () => {
    await misbehave({ kind: 'error_before' });
    await block();
    const { body } = await get(bank.url, '/_admin/stats');
    expect(body).toMatchObject({ faults: [{ fired: 1 }] });
    expect(Number(Reflect.get(Object(body.requests), '/block_funds'))).toBeGreaterThan(0);
    await bank.kill();
    bank = await startBank({ databaseUrl: database.url });
    expect((await block()).status).toBe(200);
  });
});
