import type { Sql } from '../../src/db/connection.ts';
import { invariant } from './with-database.ts';

type Range = readonly [from: number, to: number];

/** Whoever follows the feed with reconnects has received every entry of the journal once, in order, and nothing else. */
export const feedIsWhole = invariant(
  'A client of the feed has received every entry of the journal once, in order.',
  async function* (sql, { feed }) {
    for (const disorder of feed.disorder) yield { found: `In the feed ${disorder}.` };
    const committed = await committedRanges(sql);
    for (const [from, to] of without(committed, feed.ranges)) {
      const found = `The feed has left out ${named(from, to)}.`;
      yield { found, at: await momentOf(sql, from) };
    }
    for (const [from, to] of without(feed.ranges, committed)) {
      yield { found: `The feed has sent ${named(from, to)}, which the journal does not have.` };
    }
  },
);

const named = (from: number, to: number): string =>
  from === to ? `number ${from}` : `numbers ${from} to ${to}`;

/** The numbers that transactions have committed, as closed ranges in order. */
async function committedRanges(sql: Sql): Promise<Range[]> {
  const rows = await sql<{ from: string; to: string }[]>`
    select min(seq) as from, max(seq) as to
    from (select seq, seq - row_number() over (order by seq) as island from actor_transitions) numbered
    group by island order by 1`;
  return rows.map(({ from, to }) => [Number(from), Number(to)]);
}

async function momentOf(sql: Sql, seq: number): Promise<Date | null> {
  const [row] = await sql<{ at: Date }[]>`select at from actor_transitions where seq = ${seq}`;
  return row?.at ?? null;
}

/** What the one has and the other has not; both are closed ranges in order. */
export function* without(some: readonly Range[], others: readonly Range[]): Generator<Range> {
  let n = 0;
  for (const [from, to] of some) {
    for (let start = from; start <= to; ) {
      let other = others[n];
      while (other !== undefined && other[1] < start) {
        n += 1;
        other = others[n];
      }
      if (other === undefined || other[0] > to) {
        yield [start, to];
        break;
      }
      if (other[0] > start) yield [start, other[0] - 1];
      start = other[1] + 1;
    }
  }
}
