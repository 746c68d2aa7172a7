import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentActor, orderActor } from '../support/toy.ts';
import { type Member, openSteppedShop, type SteppedShop, stageOf } from './members.ts';
import { ORDERS_TIMEOUT_MS } from './orders.ts';

const typesetting = stageOf('typesetting');
const DUE_PER_TICK = 2;
/** What is due waits for a tick, or for somebody who begins it. */
const options = { mode: 'tick', tickDispatchMax: DUE_PER_TICK } as const;

let stepped: SteppedShop;
let one: Member;
let other: Member;
beforeAll(async () => {
  stepped = await openSteppedShop();
  [one, other] = await Promise.all([stepped.join(options), stepped.join(options)]);
});
afterAll(() => stepped.close());

interface Scene {
  readonly order: string;
  readonly documents: readonly string[];
}

/** An order and its documents, which are due; there is nothing else. */
async function ordered(n: number, documents: number): Promise<Scene> {
  const { sql } = stepped.shop.database;
  const tables = ['toy_documents', 'toy_orders', 'toy_order_totals', 'actor_messages', 'pgboss.job'];
  await Promise.all(tables.map((table) => sql.unsafe(`delete from ${table}`)));
  const order = `o${n}-${crypto.randomUUID()}`;
  return { order, documents: await stepped.shop.receive(one.system, order, documents) };
}

/** Tells an order that pages were printed. */
const printed = (member: Member, order: string, pages: number, times = 1) =>
  member.system.transact(async (tx) => {
    for (let n = 0; n < times; n += 1)
      tx.tell({ machine: 'order', id: order }, { type: 'printed', pages, at: tx.now } as { type: string });
  });

const mailLeft = () => stepped.shop.count('actor_messages');

describe('in every order, mail', () => {
  it(
    'is delivered once when two processes deliver it to the same actor',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const scene = await ordered(n, 0);
          await printed(one, scene.order, 1, 3);
          return scene;
        },
        parties: () => [
          { wire: one.wire, act: () => one.deliverMail() },
          { wire: other.wire, act: () => other.deliverMail() },
        ],
        async check() {
          expect([await stepped.shop.pagesPrinted(), await mailLeft()]).toEqual([3, 0]);
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'is left to nobody else when it is sent to an actor that another process is just done with',
    async () => {
      const orders = await stepped.everyOrder({
        async prepare(n) {
          const scene = await ordered(n, 0);
          await printed(one, scene.order, 1);
          return scene;
        },
        parties: ({ order }) => [
          { wire: one.wire, act: () => one.deliverMail() },
          {
            wire: other.wire,
            async act() {
              await printed(other, order, 10);
              await other.deliverMail();
            },
          },
        ],
        async check() {
          expect([await stepped.shop.pagesPrinted(), await mailLeft()]).toEqual([11, 0]);
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'to all children of one that is called off reaches a child that comes at that moment, or it does not come',
    async () => {
      const orders = await stepped.everyOrder({
        prepare: (n) => ordered(n, 0),
        parties: ({ order }) => [
          {
            wire: one.wire,
            async act() {
              await one.system.transact((tx) =>
                tx.send(orderActor, [{ id: order, event: { type: 'recall', at: tx.now } }]),
              );
              await one.deliverMail();
            },
          },
          { wire: other.wire, act: () => add(other, order) },
        ],
        async check({ order }) {
          const rows = await stepped.shop.documents();
          const waiting = rows.filter(({ printing_status: status }) => status !== 'NOT_APPLICABLE');
          expect([waiting, await mailLeft()]).toEqual([[], 0]);
          expect(
            await stepped.shop.count('toy_orders', `id = '${order}' and delivery_status = 'RECALLED'`),
          ).toBe(1);
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});

/** Adds a document that waits to be printed, unless its order was recalled. */
async function add(member: Member, order: string): Promise<void> {
  await member.system.transact(async (tx) => {
    await tx.load(orderActor, [order]);
    if (tx.peek(orderActor, order)?.value.delivery !== 'OPEN') return;
    const id = `${order}-child`;
    await tx.sql`insert into toy_documents (id, order_id, pages) values (${id}, ${order}, 1)`;
    await tx.send(documentActor, [{ id, event: { type: 'printing.enable', at: tx.now, dueAt: tx.now } }]);
  });
}

/** Documents whose typesetting was dispatched, each with the jobs that there are for it. */
async function dispatched() {
  const rows = await stepped.shop.database.sql<
    { id: string; events: number; jobs: number; owned: boolean }[]
  >`
    select d.id,
      (select count(*)::int from actor_transitions t where t.actor_id = d.id and t.event = 'dispatch') as events,
      (select count(*)::int from pgboss.job j where j.data->>'id' = d.id) as jobs,
      exists (select from pgboss.job j where j.id::text = d.typesetting_job_id and j.state = 'created') as owned
    from toy_documents d where typesetting_status = 'PROCESSING' order by d.id`;
  return rows;
}

describe('in every order, due work', () => {
  it(
    'is dispatched once, and no work is left alone, when two processes run its tick',
    async () => {
      const due = 3;
      const orders = await stepped.everyOrder({
        async prepare(n) {
          return { ...(await ordered(n, due)), counts: [] as number[] };
        },
        parties: ({ counts }) =>
          [one, other].map(({ wire, system }) => ({
            wire,
            async act() {
              counts.push((await system.ticks.tick(typesetting)).dispatched);
            },
          })),
        async check({ documents, counts }) {
          const done = await dispatched();
          // Both see the oldest two first; whoever comes second may find the third one only at the next tick.
          expect(done.length).toBeGreaterThanOrEqual(DUE_PER_TICK);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(done.length);
          await one.system.ticks.tick(typesetting);
          expect(await dispatched()).toEqual(
            documents.map((id) => ({ id, events: 1, jobs: 1, owned: true })),
          );
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );

  it(
    'is dispatched once when an operator begins it while its tick runs',
    async () => {
      const orders = await stepped.everyOrder({
        prepare: (n) => ordered(n, 1),
        parties: ({ documents }) => [
          { wire: one.wire, act: () => one.system.ticks.tick(typesetting) },
          {
            wire: other.wire,
            act: () =>
              other.system.act(typesetting.name, 'dispatch', documents, {
                by: 'Selam',
                reason: 'It is urgent.',
              }),
          },
        ],
        async check({ documents }) {
          expect(await dispatched()).toEqual(
            documents.map((id) => ({ id, events: 1, jobs: 1, owned: true })),
          );
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});
