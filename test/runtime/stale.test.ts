import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workerQueue } from '../../src/runtime/jobs.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { toyStages } from '../support/toy.ts';

const MINUTE_MS = 60_000;
const [typesetting] = toyStages();

let shop: Shop;
let system: ActorSystem;
let now: Date;
const { heard, observer } = listen();

beforeEach(async () => {
  shop = await openShop();
  now = new Date('2026-03-01T12:00:00Z');
  heard.stale = 0;
  system = await shop.join({
    works: false,
    mode: 'tick',
    tickDispatchMax: 100,
    staleAfterMs: 10 * MINUTE_MS,
    backoff: { baseMs: 2_000, maxMs: 300_000 },
    clock: { now: () => now },
    observer,
  });
});
afterEach(() => shop.close());

const pass = (minutes: number) => {
  now = new Date(now.getTime() + minutes * MINUTE_MS);
};
const tick = () => (typesetting ? system.ticks.tick(typesetting) : undefined);

/** Dispatches documents. @returns their ids */
async function dispatch(orderId: string, documents: number): Promise<string[]> {
  const ids = await shop.receive(system, orderId, documents, now);
  await tick();
  return ids;
}

/** Workers take everything that waits, now, and are not heard of again. */
async function hang(): Promise<void> {
  if (!typesetting) return;
  const jobs = await system.store.jobs.boss.fetch(workerQueue(typesetting), { batchSize: 100 });
  await shop.database.sql`
    update pgboss.job set started_on = ${now} where id = any(${jobs.map(({ id }) => id)}::uuid[])`;
}

const state = async (id = '') => {
  const row = await shop.document(id);
  return {
    status: row.typesetting_status,
    attempts: row.typesetting_attempts,
    code: row.typesetting_latest_error_code,
  };
};
const inProgress = { status: 'PROCESSING', attempts: 0, code: null };

describe('work in progress for longer than it may be', () => {
  it('is taken back by the tick, as a failed attempt that comes back after a while', async () => {
    const [id] = await dispatch('o1', 1);
    await hang();
    const { typesetting_job_id: job } = await shop.document(id ?? '');
    pass(10);
    expect(await tick()).toEqual({ dispatched: 0, stale: 1 });
    expect(await state(id)).toEqual({ status: 'PENDING', attempts: 1, code: 'STALE' });
    expect(heard.stale).toBe(1);
    const entry = (await shop.journal(id)).at(-1);
    expect(entry).toMatchObject({ event: 'stale', job_id: job, at: now });
    const waitMs = (entry?.due_at?.getTime() ?? 0) - now.getTime();
    expect(waitMs).toBeGreaterThanOrEqual(1_000);
    expect(waitMs).toBeLessThanOrEqual(2_000);
    const jobs = await shop.database.sql`select id, state from pgboss.job where name like 'toy%'`;
    expect([...jobs]).toEqual([{ id: job, state: 'cancelled' }]);
  });

  it('is told from fresh work, and from work whose job still waits in a long queue', async () => {
    const [stale] = await dispatch('stale', 1);
    await hang();
    const [waiting] = await dispatch('waiting', 1);
    pass(10);
    const [fresh] = await dispatch('fresh', 1);
    const [, second] = toyStages();
    expect(second && (await system.ticks.tick(second))).toEqual({ dispatched: 0, stale: 0 });
    expect(await state(stale)).toEqual({ status: 'PENDING', attempts: 1, code: 'STALE' });
    expect(await state(waiting)).toEqual(inProgress);
    expect(await state(fresh)).toEqual(inProgress);
    pass(9);
    expect(await tick()).toEqual({ dispatched: 1, stale: 0 });
    expect(await state(fresh)).toEqual(inProgress);
  });

  it('is told from work that has waited in a long queue and was begun only lately', async () => {
    const [id] = await dispatch('o1', 1);
    pass(60);
    await hang();
    pass(9);
    expect(await tick()).toEqual({ dispatched: 0, stale: 0 });
    expect(await state(id)).toEqual(inProgress);
    pass(1);
    expect(await tick()).toEqual({ dispatched: 0, stale: 1 });
  });

  it('goes to ERROR when that was its last attempt', async () => {
    const [id] = await dispatch('o1', 1);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await hang();
      pass(10);
      expect(await tick()).toEqual({ dispatched: 0, stale: 1 });
      pass(1);
      await tick();
    }
    expect(await state(id)).toEqual({ status: 'ERROR', attempts: 3, code: 'STALE' });
    pass(60);
    expect(await tick()).toEqual({ dispatched: 0, stale: 0 });
  });

  it('is taken back too when its job is gone altogether', async () => {
    const [id] = await dispatch('o1', 1);
    await shop.database.sql`delete from pgboss.job where name like 'toy%'`;
    pass(10);
    expect(await tick()).toEqual({ dispatched: 0, stale: 1 });
    expect(await state(id)).toEqual({ status: 'PENDING', attempts: 1, code: 'STALE' });
  });
});
