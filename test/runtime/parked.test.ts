import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Work } from '../../src/runtime/stage.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, toyStages } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const tick = async (system: ActorSystem, region: string) => {
  const stage = system.store.registry.stages.find((one) => one.region === region);
  if (!stage) throw new Error(`There is no stage ${region}.`);
  return system.ticks.tick(stage);
};
const setStatus = (id: string, status: string) =>
  shop.database.sql`update toy_documents set typesetting_status = ${status} where id = ${id}`;
const parked = () => shop.database.sql<{ machine: string; actor_id: string; reason: string }[]>`
  select machine, actor_id, reason from actor_parked order by actor_id`;

describe('an actor with a status that its machine does not know', () => {
  it('is parked with table, id, column and value; the others go on', async () => {
    const { heard, observer } = listen();
    const system = await shop.join({ works: false, observer });
    const [bad = '', good = ''] = await shop.receive(system, 'o1', 2, null);
    await setStatus(bad, 'TYPESET');
    const due = { type: 'typesetting.due', at: new Date(), dueAt: new Date() } as const;
    const results = await system.transact((tx) =>
      tx.send(documentActor, [
        { id: bad, event: due },
        { id: good, event: due },
      ]),
    );
    expect(results).toMatchObject([
      { id: bad, accepted: false, actor: null, problem: 'parked' },
      { id: good, accepted: true, problem: null },
    ]);
    const reason =
      'toy_documents o1-0000: column typesetting_status holds "TYPESET", which its machine does not know. ' +
      'Correct the row; the actor then goes on by itself.';
    expect([...(await parked())]).toEqual([{ machine: 'document', actor_id: bad, reason }]);
    expect(heard.parked).toEqual([reason]);
    expect((await shop.document(good)).typesetting_status).toBe('PROCESSING');
    expect((await shop.document(bad)).typesetting_status).toBe('TYPESET');
  });

  it('does not occupy the limit of the tick', async () => {
    const system = await shop.join({ works: false, mode: 'tick', tickDispatchMax: 2 });
    const ids = await shop.receive(system, 'bad', 5, new Date(Date.now() - 60_000));
    const good = await shop.receive(system, 'good', 2, new Date(Date.now() - 1_000));
    await shop.database.sql`
      update toy_documents set printing_status = 'PRINTED' where id = any(${ids})`;
    // The first tick finds out.
    await tick(system, 'typesetting');
    for (let ticks = 0; ticks < 3; ticks += 1) await tick(system, 'typesetting');
    for (const id of good) expect((await shop.document(id)).typesetting_status).toBe('PROCESSING');
    expect(await shop.count('actor_parked')).toBe(5);
  });

  it('gets its mail when its row has been corrected and the next tick has looked', async () => {
    const system = await shop.join({ works: false });
    const [id = ''] = await shop.receive(system, 'o1', 1, new Date(Date.now() + 3_600_000));
    const [other = ''] = await shop.receive(system, 'o2', 1, new Date(Date.now() + 3_600_000));
    await setStatus(id, 'TYPESET');
    const cancel = { type: 'typesetting.cancel' };
    await system.transact(async (tx) => {
      for (const one of [id, other]) tx.tell({ machine: 'document', id: one }, cancel);
    });
    await until('the other is told', async () => {
      return (await shop.document(other)).typesetting_status === 'NOT_APPLICABLE';
    });
    await tick(system, 'typesetting');
    expect(await shop.count('actor_parked')).toBe(1);
    expect(await shop.count('actor_messages', `actor_id = '${id}' and event->>'type' <> '@wake'`)).toBe(1);
    await setStatus(id, 'PENDING');
    await tick(system, 'typesetting');
    expect(await shop.count('actor_parked')).toBe(0);
    await until('it is told', async () => (await shop.document(id)).typesetting_status === 'NOT_APPLICABLE');
  });

  it('while it is being worked on hears of the result when its row has been corrected', async () => {
    const mayEnd = gate();
    const performed: string[] = [];
    const typesetting = async ({ id }: Work) => {
      performed.push(id);
      await mayEnd.opened;
      return { kind: 'succeeded' } as const;
    };
    const system = await shop.join({}, { typesetting });
    const [id = ''] = await shop.receive(system, 'o1', 1);
    await until('it is being typeset', () => performed.length === 1);
    await setStatus(id, 'TYPESET');
    mayEnd.open();
    await until('it is parked', async () => (await shop.count('actor_parked')) === 1);
    await setStatus(id, 'PROCESSING');
    await tick(system, 'typesetting');
    await until('it is printed', async () => (await shop.pagesPrinted()) === 2);
    expect(performed).toEqual([id]);
  });
});

describe('an actor whose mail cannot be handled', () => {
  it('is parked; the mail of the others is delivered, and its own when the cause is gone', async () => {
    const { heard, observer } = listen();
    // No stage works on orders here, so every tick looks after them.
    const stages = toyStages().filter(({ region }) => region === 'typesetting');
    const system = await shop.join({ works: false, observer, stages });
    for (const id of ['o1', 'o2', 'o3']) await shop.receive(system, id, 0);
    await shop.database.sql.unsafe(
      'alter table toy_order_totals add constraint small check (pages_printed < 100)',
    );
    const printed = (pages: number) => ({ type: 'printed', pages }) as { type: string };
    await system.transact(async (tx) => {
      tx.tell({ machine: 'order', id: 'o1' }, printed(7));
      tx.tell({ machine: 'order', id: 'o2' }, printed(1_000));
      tx.tell({ machine: 'order', id: 'o3' }, printed(7));
    });
    await until('the others are told', async () => (await shop.pagesPrinted()) === 14);
    await until('it is parked', async () => (await shop.count('actor_parked')) === 1);
    const [row] = await parked();
    expect(row).toMatchObject({ machine: 'order', actor_id: 'o2' });
    expect(row?.reason).toMatch(/^Mail of toy_orders o2 cannot be handled: .*"small"/);
    expect(heard.parked).toEqual([row?.reason]);
    await shop.database.sql.unsafe('alter table toy_order_totals drop constraint small');
    await tick(system, 'typesetting');
    await until('it is told', async () => (await shop.pagesPrinted()) === 1_014);
  });
});
