import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Work } from '../../src/runtime/stage.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor, TOY_ACTORS, toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const pagesOf = async () => {
  const rows = await shop.database.sql<{ order_id: string; pages_printed: number }[]>`
    select order_id, pages_printed from toy_order_totals order by order_id`;
  return Object.fromEntries(rows.map(({ order_id, pages_printed }) => [order_id, pages_printed]));
};

const openOrders = (orders: readonly string[]) => shop.database.sql`
  with orders as (insert into toy_orders (id) select unnest(${orders as string[]}::text[]) returning id)
  insert into toy_order_totals (order_id) select id from orders`;

describe('messages', () => {
  it('are delivered in their order and at once, even if the clock of who sent them is ahead', async () => {
    const system = await shop.join();
    const ids = await shop.receive(system, 'o1', 0);
    expect(ids).toEqual([]);
    await shop.database.sql`insert into toy_documents (id, order_id, pages) values ('d1', 'o1', 2)`;
    const ahead = new ActorSystem({
      database: shop.database,
      actors: TOY_ACTORS,
      stages: toyStages(),
      works: false,
      clock: { now: () => new Date(Date.now() + 3_600_000) },
    });
    const to = { machine: 'document', id: 'd1' };
    // Both are sent by processes that do not deliver; the second by one whose clock is right.
    await ahead.transact(async (tx) => {
      tx.tell(to, { type: 'typesetting.enable', at: tx.now, dueAt: null } as { type: string });
    });
    await system.transact(async (tx) => {
      tx.tell(to, { type: 'typesetting.due', at: tx.now, dueAt: tx.now } as { type: string });
    });
    await until('it is printed', async () => (await shop.pagesPrinted()) === 2);
    await ahead.store.close();
  });

  it('of many children that finish at the same moment in three processes all reach their parent', async () => {
    const together = gate();
    let waiting = 0;
    const printing = async (_: Work) => {
      waiting += 1;
      if (waiting === 12) together.open();
      await together.opened;
      return { kind: 'succeeded' } as const;
    };
    const stages = toyStages({ printing }, { concurrency: 4 });
    const [system] = await Promise.all([shop.join({ stages }), shop.join({ stages }), shop.join({ stages })]);
    await shop.receive(system, 'o1', 60);
    await shop.receive(system, 'o2', 40);
    const all = 2 * (60 + 40);
    await until('all pages are counted', async () => (await shop.pagesPrinted()) >= all);
    expect(await pagesOf()).toEqual({ o1: 120, o2: 80 });
    expect(await shop.count('actor_messages')).toBe(0);
    const counted = (await shop.journal()).filter(({ event }) => event === 'printed');
    expect(counted).toHaveLength(100);
  });

  it('are handled exactly once when several processes deliver the same ones', async () => {
    const orders = ['o1', 'o2', 'o3', 'o4', 'o5'];
    await openOrders(orders);
    await shop.database.sql`
      insert into actor_messages (machine, actor_id, event, deliver_at)
      select 'order', 'o' || 1 + n % 5, jsonb_build_object('type', 'printed', 'pages', 1), now()
      from generate_series(1, 2500) n`;
    await Promise.all([1, 2, 3].map(() => shop.join({ works: false })));
    await until('all are handled', async () => (await shop.count('actor_messages')) === 0);
    expect(await pagesOf()).toEqual(Object.fromEntries(orders.map((id) => [id, 500])));
  });

  it('are handled in the order in which they were sent', async () => {
    await openOrders(['o1']);
    const system = await shop.join({ works: false });
    await system.transact(async (tx) => {
      const order = { machine: 'order', id: 'o1' };
      for (const pages of [1, 2, 4]) tx.tell(order, { type: 'printed', pages } as { type: string });
      tx.tell(order, { type: 'recall' });
      tx.tell(order, { type: 'printed', pages: 8 } as { type: string });
    });
    await until('all are handled', async () => (await shop.count('actor_messages')) === 0);
    expect(await pagesOf()).toEqual({ o1: 7 });
  });

  it('to all children reach each of them, and nobody else', async () => {
    const system = await shop.join({ works: false, mode: 'tick' });
    const mine = await shop.receive(system, 'o1', 25);
    const others = await shop.receive(system, 'o2', 3);
    const at = new Date();
    await system.transact((tx) =>
      tx.send(
        documentActor,
        [...mine, ...others].map((id) => ({ id, event: { type: 'printing.enable', at, dueAt: at } })),
      ),
    );
    await Promise.all([shop.join({ works: false, mode: 'tick' }), shop.join({ works: false, mode: 'tick' })]);
    await system.send(orderActor, 'o1', { type: 'recall', at });
    const cancelled = "printing_status = 'NOT_APPLICABLE'";
    await until('all are told', async () => (await shop.count('toy_documents', cancelled)) === 25);
    await until('nothing is left', async () => (await shop.count('actor_messages')) === 0);
    expect(await shop.count('toy_documents', `order_id = 'o2' and ${cancelled}`)).toBe(0);
    const told = (await shop.journal()).filter(({ event }) => event === 'cancel');
    expect(told.map(({ actor_id }) => actor_id).toSorted()).toEqual(mine);
  });

  it('to an actor that does not exist wait, reported, until there is one', async () => {
    const { heard, observer } = listen();
    const system = await shop.join({ works: false, observer });
    const printed = { type: 'printed', pages: 5 } as { type: string };
    await system.transact(async (tx) => tx.tell({ machine: 'order', id: 'o9' }, printed));
    await until('it is reported', () => heard.parked.length > 0);
    expect(heard.parked[0]).toBe('A message is addressed to toy_orders o9, which does not exist.');
    await openOrders(['o9']);
    const paper = toyStages().find(({ region }) => region === 'paper');
    if (paper) await system.ticks.tick(paper);
    await until('it is counted', async () => (await shop.pagesPrinted()) === 5);
  });
});

describe('what becomes due later', () => {
  const printedAt = async (system: ActorSystem, dueAt: Date) => {
    const [id = ''] = await shop.receive(system, 'o1', 1, dueAt);
    await until('it is dispatched', async () => (await shop.document(id)).typesetting_status !== 'PENDING');
    const dispatch = (await shop.journal(id)).find(({ event }) => event === 'dispatch');
    return dispatch?.at.getTime() ?? 0;
  };

  it('is dispatched when its time has come, without a tick', async () => {
    const system = await shop.join({ works: false });
    const dueAt = new Date(Date.now() + 400);
    const late = (await printedAt(system, dueAt)) - dueAt.getTime();
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(300);
  });

  it('is not put off by other work that becomes due later still', async () => {
    const system = await shop.join({ works: false });
    const others = await shop.receive(system, 'later', 100, null);
    const dueAt = new Date(Date.now() + 400);
    const busy = new AbortController();
    const sending = (async () => {
      for (const id of others) {
        if (busy.signal.aborted) return;
        const at = new Date(Date.now() + 900);
        await system.send(documentActor, id, { type: 'typesetting.due', at, dueAt: at });
        await delay(30);
      }
    })();
    const late = (await printedAt(system, dueAt)) - dueAt.getTime();
    busy.abort();
    await sending;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(300);
  });
});
