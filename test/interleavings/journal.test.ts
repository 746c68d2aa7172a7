import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Counts } from '../../src/runtime/counts.ts';
import { latestSeq } from '../../src/runtime/journal.ts';
import { Processes } from '../../src/runtime/processes.ts';
import { documentActor } from '../support/toy.ts';
import { until } from '../support/wait.ts';
import { type Member, openSteppedShop, type SteppedShop } from './members.ts';
import { ORDERS_TIMEOUT_MS } from './orders.ts';
import type { Statement } from './wire.ts';

const NEVER_MS = 3_600_000;
const APPENDS_OR_ENDS = /^\s*(insert into "actor_transitions"|commit|rollback)/;
const inTransaction = ({ application }: Statement) => application === 'actor transactions';

let stepped: SteppedShop;
beforeAll(async () => {
  stepped = await openSteppedShop();
  // What a commit itself refuses has taken its numbers already.
  await stepped.shop.database.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'No.'; end $$;
    create constraint trigger refused after update on toy_documents deferrable initially deferred
      for each row when (new.pages = 666) execute function refuse()`);
});
afterAll(() => stepped.close());

/** A document that waits for its typesetting. */
async function waiting(pages: number): Promise<string> {
  const id = `d-${crypto.randomUUID()}`;
  const { sql } = stepped.shop.database;
  await sql`insert into toy_documents (id, order_id, pages) values (${id}, 'o', ${pages})`;
  return id;
}

/** One transition, and so one number in the journal; or none, when the commit is refused. */
const writes = (member: Member, id: string) => ({
  wire: member.wire,
  act: () =>
    member.system
      .transact((tx) =>
        tx.send(documentActor, [{ id, event: { type: 'typesetting.enable', at: tx.now, dueAt: null } }]),
      )
      .catch((error: Error) => expect(error.message).toBe('No.')),
});

describe('in every order, the feed', () => {
  it(
    'brings each entry once, by their numbers, to who follows it while lower numbers commit later or never',
    async () => {
      const { sql } = stepped.shop.database;
      const isStepped = ({ text, application }: Statement) =>
        application === 'actor transactions' && APPENDS_OR_ENDS.test(text);
      const [one, other, third, reader] = await Promise.all([
        stepped.join({ isStepped }),
        stepped.join({ isStepped }),
        stepped.join({ isStepped }),
        stepped.join({ isStepped: () => false }),
      ]);
      const { feed } = reader.system;
      await feed.start();
      const since = await latestSeq(sql);
      const ended = new AbortController();
      const seen: number[] = [];
      const following = (async () => {
        for await (const entries of feed.follow({ after: since, signal: ended.signal }))
          seen.push(...entries.map(({ seq }) => seq));
      })();
      const looks = () =>
        reader.wire.answered.filter(({ text }) => /actor_transitions|pg_locks/.test(text)).length;
      reader.wire.hold();
      const orders = await stepped.everyOrder({
        prepare: async () => Promise.all([waiting(1), waiting(1), waiting(666)]),
        parties: ([first, second, refused]) => [
          writes(one, first),
          writes(other, second),
          writes(third, refused),
        ],
        // It has looked twice, so once since the last statement, before the next one goes on.
        async between() {
          const before = looks();
          await until('the feed has looked', async () => {
            await sql`select pg_notify('actor_transitions', '')`;
            return looks() > before + 1;
          });
        },
        async check() {
          const rows = await sql<
            { seq: string }[]
          >`select seq from actor_transitions where seq > ${since} order by seq`;
          const last = Number(rows.at(-1)?.seq);
          await until('the feed has brought the last', () => (seen.at(-1) ?? 0) >= last);
          expect(seen).toEqual(rows.map(({ seq }) => Number(seq)));
        },
      });
      ended.abort();
      await following;
      await feed.stop();
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});

describe('in every order, the counts', () => {
  it(
    'are those of the records when two processes add to them at once',
    async () => {
      const { sql } = stepped.shop.database;
      const [one, other, third] = await Promise.all([
        stepped.join({ isStepped: inTransaction }),
        stepped.join({ isStepped: inTransaction }),
        stepped.join(),
      ]);
      await Promise.all([one, other].map(({ system }) => system.feed.start()));
      // Whom somebody follows looks more often.
      const ended = new AbortController();
      const followed = [one, other].map(async ({ system }) => {
        for await (const _ of system.feed.follow({ signal: ended.signal }));
      });
      /** Adds once, or leaves it to the other one. */
      const folds = ({ system, wire }: Member) => ({
        wire,
        async act() {
          const counts = new Counts(system.store, system.feed, NEVER_MS);
          await counts.start();
          await until('it has begun', () => wire.answered.some(({ text }) => text.includes('skip locked')));
          await counts.stop();
        },
      });
      const orders = await stepped.everyOrder({
        interruptions: 2,
        async prepare() {
          await writes(third, await waiting(1)).act();
          await sql`select pg_notify('actor_transitions', '')`;
          const latest = await latestSeq(sql);
          const settled = () => [one, other].every(({ system }) => system.feed.position >= latest);
          await until('the feeds have settled', settled);
          return { latest };
        },
        parties: () => [folds(one), folds(other)],
        async check({ latest }) {
          const [position] = await sql<{ seq: string }[]>`select seq from actor_counts_position`;
          expect(Number(position?.seq)).toBe(latest);
          const [wrong] = await sql<{ counted: number; entered: number }[]>`
            select (select count::int from actor_totals where state = 'PENDING') as counted,
              (select count(*)::int from actor_transitions where seq <= ${position?.seq ?? 0} and to_state = 'PENDING') as entered`;
          expect(wrong?.counted).toBe(wrong?.entered);
        },
      });
      ended.abort();
      await Promise.all(followed);
      await Promise.all([one, other].map(({ system }) => system.feed.stop()));
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});

describe('in every order, a process', () => {
  it(
    'that has just begun is not taken for dead by another that looks for the dead',
    async () => {
      const [one, other] = await Promise.all([stepped.join(), stepped.join()]);
      const orders = await stepped.everyOrder({
        interruptions: 3,
        prepare: async () =>
          [one, other].map(({ system }) => new Processes(system.store, 'member', NEVER_MS, () => {})),
        parties: (processes) =>
          [one, other].map(({ wire }, n) => ({ wire, act: async () => processes[n]?.start() })),
        async check(processes) {
          for (const { number } of processes)
            expect(await stepped.shop.count('actor_processes', `number = ${number}`)).toBe(1);
          await Promise.all(processes.map((one) => one.stop()));
        },
      });
      expect(orders).toBeGreaterThan(10);
    },
    ORDERS_TIMEOUT_MS,
  );
});
