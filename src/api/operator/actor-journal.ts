import type { Tx } from '../../db/connection.ts';
import { eventOnChart } from './chart.ts';
import type { ActorDetail, Chart } from './wire/actors.ts';

/** Entries of one actor that are counted at most, the latest: few envelopes ever have more. */
export const ENTRIES_COUNTED_MAX = 50_000;

interface Counted {
  readonly region: string;
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly last_at: Date;
}

/** What an actor's journal says in sum. */
export interface JournalSum {
  readonly taken: ActorDetail['taken'];
  readonly takenSince: number | null;
  /** What the latest error of a region says, by region and code. */
  readonly messages: ReadonlyMap<string, string>;
}

const keyOf = (region: string, code: string): string => `${region} ${code}`;

/** The sentence that came with a region's error code, if one did. */
export const messageOf = ({ messages }: JournalSum, region: string, code: string): string | null =>
  messages.get(keyOf(region, code)) ?? null;

/** Sums up the latest {@link ENTRIES_COUNTED_MAX} entries of one actor. Found by index; nothing else is read. */
export async function sumJournal(sql: Tx, chart: Chart, id: string): Promise<JournalSum> {
  const { machine } = chart;
  const [cut] = await sql<{ seq: string }[]>`
    select seq from actor_transitions where machine = ${machine} and actor_id = ${id}
    order by seq desc offset ${ENTRIES_COUNTED_MAX - 1} limit 1`;
  const since = Number(cut?.seq ?? 0);
  const rows = await sql<Counted[]>`
    select region, event, from_state as from, to_state as to, count(*)::int as count, max(at) as last_at
    from actor_transitions where machine = ${machine} and actor_id = ${id} and seq >= ${since}
    group by 1, 2, 3, 4`;
  const errors = await sql<{ region: string; code: string; message: string }[]>`
    select distinct on (region, error_code) region, error_code as code, error_message as message
    from actor_transitions
    where machine = ${machine} and actor_id = ${id} and seq >= ${since}
      and error_code is not null and error_message is not null and event <> 'late'
    order by region, error_code, seq desc`;
  return {
    taken: takenOf(chart, rows),
    takenSince: cut ? since : null,
    messages: new Map(errors.map(({ region, code, message }) => [keyOf(region, code), message])),
  };
}

/** By the edges of the chart: what different events made an edge be taken that needs none is counted together. */
function takenOf(chart: Chart, rows: readonly Counted[]): ActorDetail['taken'] {
  const edges = new Map<string, Counted>();
  for (const row of rows) {
    // A result that came too late is no transition.
    if (row.event === 'late') continue;
    const event = eventOnChart(chart, row) ?? row.event;
    const key = JSON.stringify([row.region, event, row.from, row.to]);
    const before = edges.get(key);
    edges.set(key, {
      ...row,
      event,
      count: row.count + (before?.count ?? 0),
      last_at: before && before.last_at > row.last_at ? before.last_at : row.last_at,
    });
  }
  return [...edges.values()].map((edge) => ({ ...edge, last_at: edge.last_at.toISOString() }));
}
