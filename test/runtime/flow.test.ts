import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Work } from '../../src/runtime/stage.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor, toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const stageOf = (system: ActorSystem, region: string) => {
  const stage = system.store.registry.stages.find((one) => one.region === region);
  if (!stage) throw new Error(`There is no stage ${region}.`);
  return stage;
};

describe('in event mode', () => {
  it('takes every record through all its stages and tells the parent, exactly once each', async () => {
    const performed: string[] = [];
    const printing = async (work: Work) => {
      performed.push(work.id);
      return { kind: 'succeeded' } as const;
    };
    const system = await shop.join({}, { printing });
    const ids = await shop.receive(system, 'o1', 30);
    await until('all pages are counted', async () => (await shop.pagesPrinted()) === 60);
    expect(performed.toSorted()).toEqual(ids);
    for (const row of await shop.documents()) {
      expect(row).toMatchObject({
        typesetting_status: 'PROCESSED',
        printing_status: 'PROCESSED',
        typesetting_attempts: 1,
        printing_attempts: 1,
        printing_job_id: null,
      });
    }
    expect(await shop.count('actor_messages')).toBe(0);
    expect(await shop.count('actor_claims')).toBe(0);
  });

  it('dispatches in the transaction that makes the work due, without a tick', async () => {
    const system = await shop.join({ works: false });
    await shop.receive(system, 'o1', 3);
    expect(await shop.count('toy_documents', "typesetting_status = 'PROCESSING'")).toBe(3);
    expect(await shop.count('pgboss.job', "name = 'toy_typesetting_worker' and state = 'created'")).toBe(3);
  });

  it('dispatches at its start what has become due while no process ran', async () => {
    await shop.database.sql`
      insert into toy_documents (id, order_id, pages, typesetting_status, typesetting_due_at)
      select 'd' || n, 'o1', 1, 'PENDING', now() - interval '1 hour' from generate_series(1, 250) n`;
    await shop.join({ stages: toyStages({}, { concurrency: 1 }) }, {});
    expect(await shop.count('toy_documents', "typesetting_status = 'PENDING'")).toBe(0);
  });

  it('leaves a region alone that no stage works on', async () => {
    const stages = toyStages().filter(({ region }) => region === 'typesetting');
    const system = await shop.join({ stages });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is typeset', async () => (await shop.document(id)).typesetting_status === 'PROCESSED');
    expect(await shop.document(id)).toMatchObject({ printing_status: 'PENDING', printing_job_id: null });
  });
});

describe('in tick mode', () => {
  it('only ticks dispatch, as many as they may, those due longest first', async () => {
    const system = await shop.join({ works: false, mode: 'tick', tickDispatchMax: 2 });
    const dueAgo = [3, 1, 5, 2, 4];
    for (const minutes of dueAgo) {
      await shop.receive(system, `m${minutes}`, 1, new Date(Date.now() - minutes * 60_000));
    }
    const dispatched = async () => {
      const rows = await shop.documents();
      return rows.filter((row) => row.typesetting_status === 'PROCESSING').map((row) => row.order_id);
    };
    const typesetting = stageOf(system, 'typesetting');
    expect(await dispatched()).toEqual([]);
    expect(await system.ticks.tick(typesetting)).toEqual({ dispatched: 2, stale: 0 });
    expect(await dispatched()).toEqual(['m4', 'm5']);
    await system.ticks.tick(typesetting);
    expect(await dispatched()).toEqual(['m2', 'm3', 'm4', 'm5']);
    expect(await system.ticks.tick(typesetting)).toEqual({ dispatched: 1, stale: 0 });
    expect(await system.ticks.tick(typesetting)).toEqual({ dispatched: 0, stale: 0 });
  });

  it('records that are not due, or that another transaction holds, never occupy the limit', async () => {
    const system = await shop.join({ works: false, mode: 'tick', tickDispatchMax: 2 });
    await shop.receive(system, 'later', 20, new Date(Date.now() + 60_000));
    await shop.receive(system, 'held', 20, new Date(Date.now() - 60_000));
    const due = await shop.receive(system, 'now', 2, new Date(Date.now() - 1_000));
    const held = gate();
    const release = gate();
    const holding = shop.database.sql.begin(async (sql) => {
      await sql`select from toy_documents where order_id = 'held' for update`;
      held.open();
      await release.opened;
    });
    await held.opened;
    const result = await system.ticks.tick(stageOf(system, 'typesetting'));
    release.open();
    await holding;
    expect(result.dispatched).toBe(2);
    const rows = await shop.documents();
    expect(rows.filter((row) => row.typesetting_status === 'PROCESSING').map((row) => row.id)).toEqual(due);
  });

  it('takes work on to the next stage only at a tick of that stage', async () => {
    const system = await shop.join({ mode: 'tick' });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await system.ticks.tick(stageOf(system, 'typesetting'));
    await until('it is typeset', async () => (await shop.document(id)).typesetting_status === 'PROCESSED');
    expect(await shop.document(id)).toMatchObject({ printing_status: 'PENDING', printing_job_id: null });
    await system.ticks.tick(stageOf(system, 'printing'));
    await until('it is printed', async () => (await shop.document(id)).printing_status === 'PROCESSED');
  });
});

describe('an answer that is "not yet"', () => {
  it('is asked again at ticks only, uses up no attempts, and ends when the answer is yes', async () => {
    let inStock = false;
    let asked = 0;
    const paper = async () => {
      asked += 1;
      return inStock
        ? ({ kind: 'succeeded' } as const)
        : ({ kind: 'refused', code: 'NO_PAPER', message: 'The paper has run out.' } as const);
    };
    const system = await shop.join({}, { paper });
    await shop.receive(system, 'o1', 0);
    const status = async () => {
      const [row] = await shop.database.sql`select * from toy_orders`;
      return row;
    };
    await system.send(orderActor, 'o1', { type: 'ordered', at: new Date() });
    for (let times = 1; times <= 5; times += 1) {
      await until('the answer is no', async () => (await status())?.paper_status === 'OUT_OF_STOCK');
      expect(asked).toBe(times);
      expect(await status()).toMatchObject({ paper_attempts: 0, paper_latest_error_code: 'NO_PAPER' });
      inStock = times === 5;
      await system.ticks.tick(stageOf(system, 'paper'));
    }
    await until('the answer is yes', async () => (await status())?.paper_status === 'IN_STOCK');
    expect(await status()).toMatchObject({ paper_attempts: 1, paper_latest_error_code: null });
  });
});

describe('ticks', () => {
  it('run exactly once per interval across three processes', async () => {
    const ears = [listen(), listen(), listen()];
    const stages = toyStages({}, { frequencySeconds: 1, concurrency: 1 }).filter(
      ({ region }) => region === 'typesetting',
    );
    await Promise.all(ears.map(({ observer }) => shop.join({ observer, stages })));
    const slots = () => shop.database.sql<{ slot: number; state: string }[]>`
      select extract(epoch from singleton_on)::int as slot, state from pgboss.job
      where name = 'toy_typesetting_beat_producer' order by singleton_on`;
    await until('three ticks ran', async () => {
      const ended = (await slots()).filter(({ state }) => state === 'completed');
      return ended.length >= 3;
    });
    const ticked = ears.reduce((sum, { heard }) => sum + heard.ticks.length, 0);
    const ended = (await slots()).filter(({ state }) => state === 'completed').map(({ slot }) => slot);
    const [first = 0] = ended;
    expect(ended).toEqual(ended.map((_, index) => first + index));
    expect(Math.abs(ticked - ended.length)).toBeLessThanOrEqual(1);
    expect(ears.flatMap(({ heard }) => heard.troubled)).toEqual([]);
  });
});

describe('events', () => {
  it('to an actor that does not exist are answered with "missing"', async () => {
    const system = await shop.join({ works: false });
    const event = { type: 'received', at: new Date() } as const;
    expect(await system.send(documentActor, 'nobody', event)).toMatchObject({
      accepted: false,
      problem: 'missing',
    });
  });
});
