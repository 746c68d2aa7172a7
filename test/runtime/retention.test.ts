import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replay } from '../../chaos/invariants/replay.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import { latestSeq, prunedAt, prunedThrough } from '../../src/runtime/journal.ts';
import type { RetentionOptions } from '../../src/runtime/retention.ts';
import { emptySome, hasMailUpTo, markEnded, mayPrune } from '../../src/runtime/retention-steps.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { movableClock } from '../support/clock.ts';
import { listen, openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor, TOY_ACTORS } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

const DAY_MS = 86_400_000;
const RETENTION: RetentionOptions = { keepMs: 30 * DAY_MS, firstMs: 0, everyMs: 20, removeMax: 7 };

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const longAgo = () => movableClock(new Date(Date.now() - 300 * DAY_MS));
const recall = (system: ActorSystem, order: string) =>
  system.send(orderActor, order, { type: 'recall', at: system.store.registry.clock.now() });
const entriesOf = (order: string) => shop.count('actor_transitions', `correlation_id = '${order}'`);
const states = (order: string, state: string) =>
  shop.count('toy_documents', `order_id = '${order}' and printing_status = '${state}'`);

async function counted(system: ActorSystem): Promise<void> {
  await until('everything is counted', async () => {
    const { seq } = await system.counts.totals(shop.database.sql);
    return seq === Math.max(...(await shop.journal()).map((entry) => Number(entry.seq)));
  });
}

/** Everything that is kept of an actor gives its row. */
async function expectReplayed(actor: Actor, table: string, condition: string): Promise<void> {
  const rows = await shop.database.sql.unsafe(`select * from ${table} where ${condition}`);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    const columns = replay(actor, await shop.journal(row.id));
    expect(columns).toEqual(Object.fromEntries(Object.keys(columns).map((name) => [name, row[name]])));
  }
}

/** Notes how many entries each statement deletes. */
async function watchDeletions(): Promise<() => Promise<number[]>> {
  const { sql } = shop.database;
  await sql.unsafe(`
    create table deletions (count int not null);
    create function note_deletion() returns trigger language plpgsql as
      'begin insert into deletions select count(*) from gone; return null; end';
    create trigger note_deletion after delete on actor_transitions
      referencing old table as gone for each statement execute function note_deletion();`);
  return async () => (await sql<{ count: number }[]>`select count from deletions`).map(({ count }) => count);
}

describe('history that is older than is kept', () => {
  it('goes when a whole order has come to its end, in small steps, and leaves rows and counts as they are', async () => {
    const clock = longAgo();
    const { heard, observer } = listen();
    const jammed = async () => ({ kind: 'failed', code: 'JAM', message: 'Jammed.' }) as const;
    const perform = {
      printing: async ({ id }: { id: string }) =>
        id.startsWith('jammed') ? jammed() : ({ kind: 'succeeded' } as const),
    };
    const options = { clock, observer, foldMs: 20, retention: RETENTION };
    const system = await shop.join(options, perform);
    await shop.receive(system, 'jammed', 2, clock.now());
    await shop.receive(system, 'open', 2, clock.now());
    await shop.receive(system, 'done', 6, clock.now());
    await until('all is printed that can be', async () => {
      const printed = (await states('open', 'PROCESSED')) + (await states('done', 'PROCESSED'));
      if (printed + (await states('jammed', 'ERROR')) < 10) clock.advance(1_000);
      return printed + (await states('jammed', 'ERROR')) === 10;
    });
    await recall(system, 'jammed');
    await recall(system, 'done');
    clock.advance(20 * DAY_MS);
    await shop.receive(system, 'young', 1, clock.now());
    await until('it is printed', async () => (await states('young', 'PROCESSED')) === 1);
    await recall(system, 'young');
    await counted(system);
    const before = await Promise.all(['jammed', 'open', 'young'].map(entriesOf));
    const { sql } = shop.database;
    const all = ['jammed', 'open', 'done', 'young'];
    const counts = await system.counts.of(sql, all);
    const totals = await system.counts.totals(sql);
    const rows = await shop.documents();
    const history = await entriesOf('done');
    const [last] = await sql<{ seq: string }[]>`
      select max(seq) as seq from actor_transitions where correlation_id = 'done'`;
    const deletions = await watchDeletions();

    clock.advance(15 * DAY_MS);
    await until('what is done is forgotten', () => heard.pruned.histories > 0);
    expect(heard.pruned).toEqual({ histories: 1, entries: history });
    expect(await entriesOf('done')).toBe(0);
    expect(await Promise.all(['jammed', 'open', 'young'].map(entriesOf))).toEqual(before);
    const steps = await deletions();
    expect(Math.max(...steps)).toBe(RETENTION.removeMax);
    expect(steps.reduce((a, b) => a + b)).toBe(history);
    expect(await system.counts.of(sql, all)).toEqual(counts);
    expect(await system.counts.totals(sql)).toEqual(totals);
    expect(await shop.count('actor_counts', "correlation_id = 'done' and count = 0")).toBe(0);
    expect(await shop.documents()).toEqual(rows);
    await expectReplayed(documentActor, 'toy_documents', "order_id <> 'done'");
    await expectReplayed(orderActor, 'toy_orders', "id <> 'done'");

    // Who reads on from before is told; who takes what is left gets it.
    const read = async (after: number, mustBeWhole: boolean) => {
      const ended = new AbortController();
      const feed = system.feed.follow({ after, mustBeWhole, signal: ended.signal });
      const { value } = await feed.next();
      ended.abort();
      return value?.map(({ correlation_id: order }) => order) ?? [];
    };
    const through = Number(last?.seq);
    expect(await system.feed.prunedThrough()).toBe(through);
    expect(await system.feed.prunedThrough({ correlation_id: 'open' })).toBe(0);
    await expect(read(through - 1, true)).rejects.toMatchObject({ code: 'FEED_PRUNED' });
    expect(new Set(await read(through, true))).toEqual(new Set(['young']));
    expect(new Set(await read(0, false))).toEqual(new Set(['jammed', 'open', 'young']));

    // What happens to it nevertheless is journalled as ever, and goes in its turn.
    const restart = { type: 'typesetting.restart', at: clock.now(), dueAt: clock.now() } as const;
    await system.send(documentActor, 'done-0000', restart);
    expect(await prunedAt(sql, 'done')).toBeInstanceOf(Date);
    await until('it is typeset again', async () => (await entriesOf('done')) > 2);
    await counted(system);
    clock.advance(40 * DAY_MS);
    await until(
      'that is forgotten, too',
      async () => (await entriesOf('done')) + (await entriesOf('young')) === 0,
    );
    expect(await Promise.all(['jammed', 'open'].map(entriesOf))).toEqual(before.slice(0, 2));
    expect(heard.troubled).toEqual([]);
  });

  it('goes once, whichever of several processes removes it, and what one began another ends', async () => {
    const clock = longAgo();
    const { sql } = shop.database;
    const before = await shop.join({ clock, foldMs: 20 });
    const orders = Array.from({ length: 6 }, (_, n) => `o${n}`);
    for (const order of orders) await shop.receive(before, order, 4, clock.now());
    await until(
      'all is printed',
      async () => (await shop.count('toy_documents', "printing_status = 'PROCESSED'")) === 24,
    );
    for (const order of orders) await recall(before, order);
    await counted(before);
    const entries = await shop.count('actor_transitions');
    const latest = await before.store.query(latestSeq);
    clock.advance(31 * DAY_MS);
    const ended = { before: new Date(clock.now().getTime() - 30 * DAY_MS), now: clock.now() };

    const { registry } = before.store;
    const mark = (until: number, order = 'o0') =>
      sql.begin((tx) => markEnded(tx, registry, [order], { ...ended, until }));
    // What is not in the counts yet stays; so does what has an actor that could not be read.
    expect(await mark(1)).toBe(0);
    await sql`insert into actor_parked values ('document', 'o1-0001', 'It is torn.', now())`;
    expect(await mark(latest, 'o1')).toBe(0);
    await sql`delete from actor_parked`;
    // Somebody marks one, removes a part and dies.
    expect(await mark(latest)).toBe(1);
    expect(await sql.begin((tx) => emptySome(tx, 5))).toBe(5);
    expect(await entriesOf('o0')).toBeGreaterThan(0);

    const held = gate();
    const go = gate();
    const holding = sql.begin(async (tx) => {
      held.open(await mayPrune(tx).then(() => {}));
      await go.opened;
    });
    await held.opened;
    expect(await sql.begin((tx) => mayPrune(tx))).toBe(false);
    go.open();
    await holding;

    const ears = [listen(), listen()];
    const systems = await Promise.all(
      ears.map(({ observer }) => shop.join({ clock, observer, foldMs: 20, retention: RETENTION })),
    );
    await until(
      'all is forgotten',
      async () => (await shop.count('actor_pruned', 'emptied')) === orders.length,
    );
    const done = () => ears.reduce((sum, { heard }) => sum + heard.pruned.entries, 0);
    await until('both have said so', () => done() === entries - 5);
    expect(await shop.count('actor_transitions')).toBe(0);
    expect(ears.flatMap(({ heard }) => heard.troubled)).toEqual([]);

    // An empty journal does not begin again at its first number.
    expect(await prunedThrough(sql)).toBe(latest);
    const [one] = systems;
    const next = await shop.join({ works: false, clock, foldMs: 20 });
    expect(next.feed.position).toBe(latest);
    if (one) await shop.receive(one, 'new', 1, clock.now());
    await until('what is new is counted', async () => {
      const { byCorrelation } = await next.counts.of(sql, ['new']);
      return byCorrelation.get('new')?.get('document.printing')?.get('PROCESSED') === 1;
    });
  });

  it('is not touched while mail of before the start may still add to it', async () => {
    const { sql } = shop.database;
    const now = new Date();
    const insert = (actor: string, at: Date, machine = 'document') => sql`
      insert into actor_messages (machine, actor_id, event, deliver_at) values (${machine}, ${actor}, '{}', ${at})`;
    await insert('later', new Date(now.getTime() + 1_000));
    await insert('parked', now);
    await sql`insert into actor_parked values ('document', 'parked', 'It is torn.', ${now})`;
    await insert('of a machine that is no more', now, 'typewriter');
    const registry = { actors: TOY_ACTORS };
    expect(await hasMailUpTo(sql, registry, 10, now)).toBe(false);
    await insert('waiting', now);
    expect([await hasMailUpTo(sql, registry, 3, now), await hasMailUpTo(sql, registry, 4, now)]).toEqual([
      false,
      true,
    ]);
  });
});
