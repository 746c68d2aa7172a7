import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalFilter, Transition } from '../../src/runtime/journal.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { documentActor, orderActor } from '../support/toy.ts';
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

const journalSeqs = async () => (await shop.journal()).map(({ seq }) => Number(seq));
const printed = (pages: number) => ({ type: 'printed', pages, at: new Date() }) as const;

/** A transaction that has taken sequence numbers and is held open. */
async function holdOpen(system: ActorSystem, orderId: string, events: number) {
  const taken = gate();
  const mayEnd = gate<'commit' | 'rollback'>();
  const done = system
    .transact(async (tx) => {
      await tx.send(
        orderActor,
        Array.from({ length: events }, () => ({ id: orderId, event: printed(1) })),
      );
      await tx.flush();
      taken.open();
      if ((await mayEnd.opened) === 'rollback') throw new Error('changed its mind');
      // What has been flushed would be stored a second time.
      await tx.sql`delete from actor_transitions where seq > ${await lastTaken(tx.sql)}`;
    })
    .catch(() => {});
  await taken.opened;
  return {
    end: async (how: 'commit' | 'rollback') => {
      mayEnd.open(how);
      await done;
    },
  };
}

describe('the feed', () => {
  it('streams what other processes do, in order, as soon as it is committed', async () => {
    const [here, there] = await Promise.all([shop.join({ works: false }), shop.join({ works: false })]);
    await shop.receive(there, 'o1', 0);
    const feed = follow(here);
    const delays: number[] = [];
    for (let n = 1; n <= 10; n += 1) {
      await there.send(orderActor, 'o1', printed(n));
      const committed = performance.now();
      await until('it arrives', () => feed.entries.length === n);
      delays.push(performance.now() - committed);
    }
    expect(feed.seqs()).toEqual(await journalSeqs());
    // A feed that only looked once a second would need half a second on average.
    expect(delays.toSorted((a, b) => a - b)[5]).toBeLessThan(300);
  });
});
