import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateCounts } from '../../src/runtime/counts.ts';
import { appendJournal, type NewTransition } from '../../src/runtime/journal.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { startToyProcess } from '../support/child.ts';
import { movableClock } from '../support/clock.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { documentActor } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

const FOLD_MS = 20;

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

type Recount = { correlation: string; key: string; state: string; count: number };

/** Counts the rows themselves; `NOT_APPLICABLE` is where every region begins. */
async function recount(): Promise<Recount[]> {
  return shop.database.sql<Recount[]>`
    select order_id as correlation, key, state, count(*)::int as count from (
      select order_id, 'document.typesetting' as key, typesetting_status as state from toy_documents
      union all select order_id, 'document.printing', printing_status from toy_documents
      union all select id, 'order.paper', paper_status from toy_orders
    ) rows where state <> 'NOT_APPLICABLE' group by 1, 2, 3 order by 1, 2, 3`;
}

const listed = (correlation: string, counts: StateCounts | undefined): Recount[] =>
  [...(counts ?? new Map())].flatMap(([key, states]) =>
    [...states].map(([state, count]) => ({ correlation, key, state, count })),
  );

const sorted = (rows: readonly Recount[]) =>
  rows
    .map(({ correlation, key, state, count }) => `${correlation} ${key} ${state} ${count}`)
    .toSorted((a, b) => (a < b ? -1 : 1));

const lastSeq = async () => Number((await shop.journal()).at(-1)?.seq ?? 0);

/** Waits until the whole journal is in the counts. */
async function folded(system: ActorSystem): Promise<void> {
  await until('everything is counted', async () => {
    const { seq } = await system.counts.totals(shop.database.sql);
    return seq === (await lastSeq());
  });
}

async function kept(system: ActorSystem, orders: readonly string[]): Promise<string[]> {
  const { byCorrelation } = await system.counts.of(shop.database.sql, orders);
  return sorted(orders.flatMap((order) => listed(order, byCorrelation.get(order))));
}

const entry = (actor_id: string, from_state: string, to_state: string, at = new Date()): NewTransition => ({
  at,
  machine: 'document',
  actor_id,
  correlation_id: 'o1',
  region: 'printing',
  event: 'changed',
  from_state,
  to_state,
  attempt: 0,
  job_id: null,
  due_at: null,
  error_code: null,
  error_message: null,
  by: null,
  reason: null,
});

const append = (...entries: NewTransition[]) => shop.database.sql.begin((tx) => appendJournal(tx, entries));

const totalOf = async (system: ActorSystem, state: string) => {
  const { totals } = await system.counts.totals(shop.database.sql);
  return totals.get('document.printing')?.get(state) ?? 0;
};

describe('the kept counts', () => {
  it('are those of the rows, of each order and of all', async () => {
    const failing = { printing: async () => ({ kind: 'failed', code: 'JAM', message: 'Jammed.' }) as const };
    const system = await shop.join({ foldMs: FOLD_MS }, failing);
    await shop.receive(system, 'o1', 7);
    await shop.receive(system, 'o2', 3);
    await shop.receive(system, 'o3', 2, null);
    await until(
      'all have failed for good',
      async () => (await shop.count('toy_documents', "printing_status = 'ERROR'")) === 10,
    );
    await folded(system);
    const rows = await recount();
    expect(await kept(system, ['o1', 'o2', 'o3'])).toEqual(sorted(rows));
    const { totals } = await system.counts.totals(shop.database.sql);
    expect(totals.get('document.printing')).toEqual(new Map([['ERROR', 10]]));
    expect(totals.get('document.typesetting')).toEqual(
      new Map([
        ['PROCESSED', 10],
        ['PENDING', 2],
      ]),
    );
    const { byCorrelation } = await system.counts.of(shop.database.sql, ['o2', 'unknown']);
    expect([...byCorrelation.keys()]).toEqual(['o2']);
  });

  it('do not count initial states, whether they are left or entered again', async () => {
    const system = await shop.join({ works: false, mode: 'tick', foldMs: FOLD_MS });
    const [first = '', second = ''] = await shop.receive(system, 'o1', 2, null);
    await folded(system);
    expect(await totalOf(system, 'NOT_APPLICABLE')).toBe(0);
    for (const id of [first, second])
      await system.send(documentActor, id, { type: 'printing.enable', at: new Date(), dueAt: null });
    await system.send(documentActor, first, { type: 'printing.cancel', at: new Date() });
    await folded(system);
    expect(sorted(await recount())).toEqual(await kept(system, ['o1']));
    expect([await totalOf(system, 'NOT_APPLICABLE'), await totalOf(system, 'PENDING')]).toEqual([0, 1]);
  });

  it('are exact whoever of several processes folds, and name the sequence number they are of', async () => {
    const systems = await Promise.all([1, 2, 3].map(() => shop.join({ foldMs: FOLD_MS })));
    const orders = Array.from({ length: 12 }, (_, n) => `o${n}`);
    const looks: { seq: number; sum: number }[] = [];
    await Promise.all(
      orders.map(async (order, n) => {
        const system = systems[n % 3];
        if (!system) return;
        await shop.receive(system, order, 5);
        const { seq, totals } = await system.counts.totals(shop.database.sql);
        const typeset = totals.get('document.typesetting') ?? new Map<string, number>();
        looks.push({ seq, sum: [...typeset.values()].reduce((a, b) => a + b, 0) });
      }),
    );
    await until(
      'all is printed',
      async () => (await shop.count('toy_documents', "printing_status = 'PROCESSED'")) === 60,
    );
    for (const system of systems) await folded(system);
    for (const system of systems) expect(await kept(system, orders)).toEqual(sorted(await recount()));
    const journal = await shop.journal();
    for (const { seq, sum } of looks) {
      const entered = journal.filter(
        (one) =>
          Number(one.seq) <= seq && one.region === 'typesetting' && one.from_state === 'NOT_APPLICABLE',
      );
      expect(sum).toBe(entered.length);
    }
  });

  it('are exact although a process is killed in the middle of adding to them', async () => {
    const here = await shop.join({ works: false, mode: 'tick', foldMs: 60_000 });
    await shop.receive(here, 'o1', 5, null);
    const child = startToyProcess(shop.url, 'print');
    const block = gate();
    const blocked = gate();
    const { sql } = shop.database;
    const blocking = sql.begin(async (tx) => {
      await tx`lock table actor_totals in share mode`;
      blocked.open();
      await block.opened;
    });
    await blocked.opened;
    await child.said('ready');
    await shop.receive(here, 'o2', 5, null);
    await until('the child is in the middle', async () => {
      return (await shop.count('pg_locks', "relation = 'actor_totals'::regclass and not granted")) > 0;
    });
    await child.kill();
    block.open();
    await blocking;
    const last = await shop.join({ works: false, foldMs: FOLD_MS });
    await folded(last);
    expect(await kept(last, ['o1', 'o2'])).toEqual(sorted(await recount()));
    const { totals } = await last.counts.totals(sql);
    expect(totals.get('document.typesetting')).toEqual(new Map([['PENDING', 10]]));
  });

  it('lose nothing and repeat nothing when the connection breaks while they are written', async () => {
    const system = await shop.join({ works: false, mode: 'tick', foldMs: FOLD_MS });
    for (let n = 0; n < 8; n += 1) {
      await append(entry(`a${n}`, 'NOT_APPLICABLE', 'PENDING'));
      await shop.database.sql`select pg_notify('actor_transitions', '')`;
      await shop.breakConnections();
    }
    await folded(system);
    expect(await totalOf(system, 'PENDING')).toBe(8);
  });

  it('catch up with a journal that was long before they began', async () => {
    await shop.database.sql`
      insert into actor_transitions (at, machine, actor_id, correlation_id, region, event, from_state, to_state, attempt)
      select now() - interval '3 days', 'document', 'd' || i / 2, 'o' || i % 100, 'printing', 'changed',
        case i % 2 when 0 then 'NOT_APPLICABLE' else 'PENDING' end,
        case i % 2 when 0 then 'PENDING' else 'PROCESSING' end, 0
      from generate_series(0, 119999) i`;
    const system = await shop.join({ works: false, foldMs: FOLD_MS });
    await folded(system);
    expect(await totalOf(system, 'PENDING')).toBe(0);
    expect(await totalOf(system, 'PROCESSING')).toBe(60_000);
    // What is older than two days is in no flow.
    expect(await shop.count('actor_flow')).toBe(0);
  });

  it('wait for a transaction that took earlier numbers and commits later', async () => {
    const system = await shop.join({ works: false, foldMs: FOLD_MS });
    const taken = Promise.withResolvers<void>();
    const told = Promise.withResolvers<void>();
    const slow = shop.database.sql.begin(async (tx) => {
      await appendJournal(tx, [entry('a', 'NOT_APPLICABLE', 'PENDING')]);
      taken.resolve();
      await told.promise;
    });
    await taken.promise;
    await append(entry('b', 'NOT_APPLICABLE', 'PENDING'));
    await shop.database.sql`select pg_notify('actor_transitions', ''), pg_sleep(0.3)`;
    expect((await system.counts.totals(shop.database.sql)).seq).toBe(0);
    told.resolve();
    await slow;
    await folded(system);
    expect(await totalOf(system, 'PENDING')).toBe(2);
  });

  it('tell how many entered a state in each minute of two days', async () => {
    const clock = movableClock(new Date('2026-03-01T10:00:30Z'));
    const system = await shop.join({ works: false, clock, foldMs: FOLD_MS });
    const at = (minutes: number) => new Date(Date.UTC(2026, 2, 1, 10, minutes, 15));
    await append(
      entry('a', 'NOT_APPLICABLE', 'PENDING', at(0)),
      entry('b', 'NOT_APPLICABLE', 'PENDING', at(0)),
      // An attempt that changed no state, and a result that came late.
      entry('b', 'PENDING', 'PENDING', at(0)),
      entry('a', 'PENDING', 'PROCESSING', at(1)),
      entry('a', 'PROCESSING', 'PENDING', at(1)),
    );
    await folded(system);
    const flow = await system.counts.flow(shop.database.sql, at(-60));
    expect(flow.map(({ minute, state, count }) => [minute.getUTCMinutes(), state, count])).toEqual([
      [0, 'PENDING', 2],
      [1, 'PENDING', 1],
      [1, 'PROCESSING', 1],
    ]);
    expect(await system.counts.flow(shop.database.sql, at(1))).toHaveLength(2);
    clock.advance(49 * 3_600_000);
    await append(entry('c', 'NOT_APPLICABLE', 'PENDING', clock.now()));
    await folded(system);
    expect((await system.counts.flow(shop.database.sql, at(-60))).map(({ count }) => count)).toEqual([1]);
  });

  it('ask nothing of the database while nothing happens', async () => {
    const system = await shop.join({ works: false, foldMs: 5 });
    await append(entry('a', 'NOT_APPLICABLE', 'PENDING'));
    await folded(system);
    const locks = async () => {
      const [row] = await shop.database.sql<{ n: string }[]>`
        select n_tup_upd + n_tup_ins + coalesce(seq_scan, 0) + coalesce(idx_scan, 0) as n
        from pg_stat_user_tables where relname = 'actor_counts_position'`;
      return Number(row?.n);
    };
    // The server tells what a session did when that has been idle for a while.
    await shop.database.sql`select pg_sleep(1.2)`;
    const before = await locks();
    await shop.database.sql`select pg_sleep(1.2)`;
    expect(await locks()).toBe(before);
  });
});
