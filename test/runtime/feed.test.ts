import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendJournal,
  type JournalFilter,
  type NewTransition,
  type Transition,
} from '../../src/runtime/journal.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { orderActor } from '../support/toy.ts';
import { gate, until } from '../support/wait.ts';

let shop: Shop;
let aborts: AbortController[];
beforeEach(async () => {
  shop = await openShop();
  aborts = [];
});
afterEach(async () => {
  for (const abort of aborts) abort.abort();
  await shop.close();
});

/** Follows a feed and keeps what comes. */
function follow(system: ActorSystem, options: { after?: number; filter?: JournalFilter } = {}) {
  const abort = new AbortController();
  aborts.push(abort);
  const entries: Transition[] = [];
  const ended = (async () => {
    for await (const some of system.feed.follow({ ...options, signal: abort.signal })) entries.push(...some);
  })();
  return { entries, seqs: () => entries.map(({ seq }) => seq), ended, abort: () => abort.abort() };
}

const entry = (actor_id: string, correlation_id = actor_id): NewTransition => ({
  at: new Date(),
  machine: 'order',
  actor_id,
  correlation_id,
  region: 'delivery',
  event: 'printed',
  from_state: 'OPEN',
  to_state: 'OPEN',
  attempt: 0,
  job_id: null,
  due_at: null,
  error_code: null,
  error_message: null,
  by: null,
  reason: null,
});

/** Stores an entry of each of some actors, in one transaction, and announces it as a process does. */
const store = async (...actorIds: string[]) => {
  await storeSilently(...actorIds);
  await notify();
};

/** Stores them without a word: the feed has to look by itself. */
const storeSilently = (...actorIds: string[]) =>
  shop.database.sql.begin((tx) =>
    appendJournal(
      tx,
      actorIds.map((id) => entry(id)),
    ),
  );

const notify = () => shop.database.sql`select pg_notify('actor_transitions', '')`;

/** A transaction that has taken sequence numbers for some entries and does not end until it is told to. */
async function holdOpen(...actorIds: string[]) {
  const taken = gate();
  const told = gate<'commit' | 'roll back'>();
  const done = shop.database.sql
    .begin(async (tx) => {
      await appendJournal(
        tx,
        actorIds.map((id) => entry(id)),
      );
      taken.open();
      if ((await told.opened) === 'roll back') throw new Error('It was told to.');
    })
    .catch(() => {});
  await taken.opened;
  return (how: 'commit' | 'roll back') => {
    told.open(how);
    return done;
  };
}

const actors = (entries: readonly Transition[]) => entries.map(({ actor_id }) => actor_id);

/** Tells the listeners, as a process does that commits, and gives them the time to read what there is. */
async function announce(): Promise<void> {
  for (let times = 0; times < 5; times += 1) await notify();
  await shop.database.sql`select pg_sleep(0.1)`;
}

describe('the feed', () => {
  it('streams what other processes do, in order, as soon as it is committed', async () => {
    const [here, there] = await Promise.all([shop.join({ works: false }), shop.join({ works: false })]);
    await shop.receive(there, 'o1', 0);
    const feed = follow(here);
    const delaysMs: number[] = [];
    for (let n = 1; n <= 10; n += 1) {
      await there.send(orderActor, 'o1', { type: 'printed', pages: n, at: new Date() });
      const committed = performance.now();
      await until('it arrives', () => feed.entries.length === n);
      delaysMs.push(performance.now() - committed);
    }
    expect(feed.seqs()).toEqual((await shop.journal()).map(({ seq }) => Number(seq)));
    // A feed that only looked once a second would need half a second on average.
    expect(delaysMs.toSorted((a, b) => a - b)[5]).toBeLessThan(200);
  });

  it('waits for a transaction that took earlier numbers and commits later', async () => {
    const system = await shop.join({ works: false });
    const feed = follow(system);
    await store('a');
    const endFirst = await holdOpen('b', 'c');
    await store('d');
    const endSecond = await holdOpen('e');
    await store('f');
    await announce();
    expect(actors(feed.entries)).toEqual(['a']);
    await endSecond('commit');
    await announce();
    expect(actors(feed.entries)).toEqual(['a']);
    await endFirst('commit');
    await until('all have come', () => feed.entries.length === 6);
    expect(actors(feed.entries)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(feed.seqs()).toEqual(feed.seqs().toSorted((a, b) => a - b));
  });

  it('goes on past numbers that were rolled back', async () => {
    const system = await shop.join({ works: false });
    const feed = follow(system);
    const endFirst = await holdOpen('a', 'b');
    const endSecond = await holdOpen('c');
    await store('d');
    await endFirst('roll back');
    await announce();
    expect(actors(feed.entries)).toEqual([]);
    await endSecond('commit');
    await until('all have come', () => feed.entries.length === 2);
    expect(actors(feed.entries)).toEqual(['c', 'd']);
    await storeSilently('e');
    await until('the next one comes', () => feed.entries.length === 3);
  });

  it('does not oversleep what is announced while it waits for such a transaction', async () => {
    const system = await shop.join({ works: false });
    const feed = follow(system);
    const end = await holdOpen('a');
    await store('b');
    await announce();
    await store('c');
    await announce();
    await end('commit');
    const committed = performance.now();
    await until('all have come', () => feed.entries.length === 3);
    // It would look again by itself after a second.
    expect(performance.now() - committed).toBeLessThan(600);
  });

  it('does not start past a transaction that commits later', async () => {
    const end = await holdOpen('a');
    await store('b');
    const joining = shop.join({ works: false });
    await announce();
    await end('commit');
    const system = await joining;
    const feed = follow(system, { after: 0 });
    await until('all have come', () => feed.entries.length === 2);
    expect(actors(feed.entries)).toEqual(['a', 'b']);
  });

  it('settles without followers too, and gives all to one who comes while it waits for such a transaction', async () => {
    const system = await shop.join({ works: false });
    await store('a');
    await until('the feed knows it', () => system.feed.position === 1);
    const end = await holdOpen('b');
    await store('c', 'd');
    await announce();
    expect(system.feed.position).toBe(1);
    const feed = follow(system);
    await end('commit');
    await until('all have come', () => feed.entries.length === 3);
    expect(actors(feed.entries)).toEqual(['b', 'c', 'd']);
    feed.abort();
    await feed.ended;
    const endAnother = await holdOpen('e');
    await store('f');
    await endAnother('roll back');
    await until('the feed knows the last one', () => system.feed.position === 6);
  });

  it('misses nothing and repeats nothing while many transactions commit out of order', async () => {
    const [here, there] = await Promise.all([shop.join({ works: false }), shop.join({ works: false })]);
    const feeds = [follow(here), follow(there)];
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; n < 25; n += 1) {
        const end = await holdOpen(...Array.from({ length: 1 + (n % 3) }, (__, i) => `${writer}-${n}-${i}`));
        if (n % 2 === 0) await shop.database.sql`select pg_sleep(0.003)`;
        await end(n % 5 === 4 ? 'roll back' : 'commit');
      }
    });
    await Promise.all(writers);
    const stored = (await shop.journal()).map(({ seq }) => Number(seq));
    expect(stored.length).toBeGreaterThan(100);
    for (const feed of feeds) {
      await until('all have come', () => feed.entries.length >= stored.length);
      expect(feed.seqs()).toEqual(stored);
    }
  });

  it('resumes after any sequence number', async () => {
    const system = await shop.join({ works: false });
    await store(...Array.from({ length: 2_500 }, (_, n) => `a${n}`));
    const seqs = (await shop.journal()).map(({ seq }) => Number(seq));
    await until('the feed knows them', () => system.feed.position === seqs.at(-1));
    for (const index of [0, 1, 1_234, 2_499]) {
      const feed = follow(system, { after: seqs[index] ?? 0 });
      await until('the rest has come', () => feed.entries.length === seqs.length - index - 1);
      expect(feed.seqs()).toEqual(seqs.slice(index + 1));
      feed.abort();
    }
    const fromTheStart = follow(system, { after: 0 });
    const fromNow = follow(system);
    await store('new');
    await until('the new one has come', () => fromNow.entries.length === 1);
    await until('everything has come', () => fromTheStart.entries.length === seqs.length + 1);
    expect(actors(fromNow.entries)).toEqual(['new']);
  });

  it('leaves out what a filter does not let through, in what is old and in what is new', async () => {
    const system = await shop.join({ works: false });
    const some = [
      entry('a', 'x'),
      { ...entry('b', 'x'), to_state: 'RECALLED' },
      { ...entry('c', 'y'), region: 'paper' },
      { ...entry('a', 'x'), machine: 'document' },
    ];
    const storeSome = () => shop.database.sql.begin((tx) => appendJournal(tx, some));
    await storeSome();
    const filters: [JournalFilter, string[]][] = [
      [{ correlation_id: 'x' }, ['a', 'b', 'a']],
      [{ actor_id: 'a', machine: 'order' }, ['a']],
      [{ machine: 'document' }, ['a']],
      [{ region: 'paper' }, ['c']],
      [{ to_state: 'RECALLED' }, ['b']],
      [{ correlation_id: 'x', region: 'delivery', to_state: 'OPEN' }, ['a', 'a']],
      [{}, ['a', 'b', 'c', 'a']],
    ];
    const feeds = filters.map(([filter]) => follow(system, { after: 0, filter }));
    await storeSome();
    await notify();
    for (const [index, [filter, once]] of filters.entries()) {
      const feed = feeds[index];
      await until(`all of ${JSON.stringify(filter)}`, () => feed?.entries.length === 2 * once.length);
      expect(actors(feed?.entries ?? [])).toEqual([...once, ...once]);
    }
  });

  it('keeps up with a follower that is slower than it, without keeping everything in memory', async () => {
    const system = await shop.join({ works: false });
    const abort = new AbortController();
    aborts.push(abort);
    const stream = system.feed.follow({ after: 0, signal: abort.signal });
    await store('first');
    const first = await stream.next();
    expect(actors(first.value ?? [])).toEqual(['first']);
    const ids = Array.from({ length: 12_000 }, (_, n) => `n${n}`);
    await store(...ids);
    await until('the feed is far ahead', () => system.feed.position >= 12_001);
    // Told from what was kept in memory by being changed in the journal, which is never done otherwise.
    await shop.database.sql`update actor_transitions set event = 'read again' where actor_id = 'n11999'`;
    const seen: Transition[] = [];
    while (seen.length < ids.length) seen.push(...((await stream.next()).value ?? []));
    expect(actors(seen)).toEqual(ids);
    expect(seen.at(-1)?.event).toBe('read again');
    await store('last');
    expect(actors((await stream.next()).value ?? [])).toEqual(['last']);
  });

  it('fails for a follower that must keep up and does not, after what it has for it', async () => {
    const system = await shop.join({ works: false });
    const { signal } = new AbortController();
    const stream = system.feed.follow({ mustKeepUp: true, signal });
    const first = stream.next();
    await store('first');
    expect(actors((await first).value ?? [])).toEqual(['first']);
    await store(...Array.from({ length: 12_000 }, (_, n) => `n${n}`));
    await until('the feed is far ahead', () => system.feed.position >= 12_001);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const some of stream) seen.push(...some.map(({ seq }) => seq));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'FOLLOWER_BEHIND' });
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => n + 2));
    expect(seen.length).toBeLessThanOrEqual(10_000);
  });

  it('ends for a follower that has enough, and for all when the process stops', async () => {
    const system = await shop.join({ works: false });
    const [leaving, staying] = [follow(system), follow(system)];
    leaving.abort();
    await leaving.ended;
    await store('a');
    await until('the other one goes on', () => staying.entries.length === 1);
    expect(leaving.entries).toEqual([]);
    await system.stop();
    await staying.ended;
  });

  it('goes on when its connections were broken, and announcements arrive again', async () => {
    const system = await shop.join({ works: false });
    const feed = follow(system);
    await store('before');
    await until('it has come', () => feed.entries.length === 1);
    expect(await shop.breakConnections()).toBeGreaterThan(0);
    await storeSilently('meanwhile');
    await until('it has come', () => feed.entries.length === 2);
    await until('it listens again', async () => {
      const listening = "query ilike 'listen%actor_transitions%' and datname = current_database()";
      return (await shop.count('pg_stat_activity', listening)) > 0;
    });
    await store('after');
    await until('it has come', () => feed.entries.length === 3);
    expect(actors(feed.entries)).toEqual(['before', 'meanwhile', 'after']);
  });
});
