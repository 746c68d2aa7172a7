import type { Queryable, Tx } from '../db/connection.ts';
import type { Feed } from './feed.ts';
import type { Registry } from './registry.ts';
import type { Store } from './store.ts';

/** How often what has been journalled is added to the counts. */
const FOLD_MS = 1_000;
/** Entries that one transaction adds at most: what is far behind catches up in steps that end soon. */
const ENTRIES_MAX = 50_000;
/** How long the flow is kept. */
const FLOW_KEPT_MS = 48 * 3_600_000;
const MINUTE_MS = 60_000;

/** How many actors have each region, `machine.region`, in each state. Initial states are not in it. */
export type StateCounts = ReadonlyMap<`${string}.${string}`, ReadonlyMap<string, number>>;

/** How many transitions led into a state within a minute. */
export interface Flow {
  /** Its beginning. */
  readonly minute: Date;
  readonly machine: string;
  readonly region: string;
  readonly state: string;
  readonly count: number;
}

interface CountRow {
  readonly seq: string;
  readonly correlation_id: string;
  readonly machine: string;
  readonly region: string;
  readonly state: string;
  /** Null in the one row of an answer that says nothing but the sequence number. */
  readonly count: string | null;
}

/**
 * Counts that are kept, so that nobody has to scan what grows with the actors: how many are in which state, of each
 * correlation and of all, and how many entered a state in each minute of the last two days. They are folded from the
 * journal in the order of its numbers, each entry once, by whichever process comes first; what is added and how far it
 * reaches commit together, so they are exact as of a sequence number that every answer names. Whoever wants them live
 * follows the feed after that number.
 *
 * Nothing is journalled when an actor comes into being, so initial states are not counted: they are what is left of the
 * records.
 */
export class Counts {
  readonly #store: Store;
  readonly #feed: Feed;
  readonly #everyMs: number;
  readonly #initials: string;
  #timer: NodeJS.Timeout | null = null;
  #folding: Promise<void> | null = null;
  /** Up to which number this process knows the counts to reach. */
  #reached = 0;
  #prunedAt = 0;
  #stopped = true;

  /**
   * @param feed says up to which number the journal is complete
   * @param everyMs how often the counts are brought up to date, in milliseconds
   */
  constructor(store: Store, feed: Feed, everyMs = FOLD_MS) {
    this.#store = store;
    this.#feed = feed;
    this.#everyMs = everyMs;
    this.#initials = JSON.stringify(initialStates(store.registry));
  }

  /** Begins to fold; returns before the counts are up to date. */
  async start(): Promise<void> {
    await this.#store.query(
      (sql) => sql`insert into actor_counts_position default values on conflict do nothing`,
    );
    this.#stopped = false;
    this.#schedule(0);
  }

  /** Stops after the step that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#folding;
  }

  /** The counts of all actors together, as of the sequence number `seq`. */
  async totals(sql: Queryable): Promise<{ readonly seq: number; readonly totals: StateCounts }> {
    // One statement, so that number and counts are of the same moment.
    const rows = await sql<CountRow[]>`
      select p.seq, '' as correlation_id, t.machine, t.region, t.state, t.count
      from actor_counts_position p left join actor_totals t on t.count <> 0`;
    return { seq: seqOf(rows), totals: byRegion(rows) };
  }

  /**
   * The counts of some correlations, as of the sequence number `seq`. One that nothing has happened to is left out.
   *
   * @param correlationIds the caller bounds how many
   */
  async of(
    sql: Queryable,
    correlationIds: readonly string[],
  ): Promise<{ readonly seq: number; readonly byCorrelation: ReadonlyMap<string, StateCounts> }> {
    const rows = await sql<CountRow[]>`
      select p.seq, c.correlation_id, c.machine, c.region, c.state, c.count
      from actor_counts_position p
      left join actor_counts c on c.count <> 0 and c.correlation_id = any(${correlationIds as string[]})`;
    const known = Map.groupBy(rows.filter(isCount), (row) => row.correlation_id);
    const byCorrelation = new Map([...known].map(([id, some]) => [id, byRegion(some)]));
    return { seq: seqOf(rows), byCorrelation };
  }

  /** What entered each state, by minutes, from the minute of `since` on; 48 hours at most are kept. */
  async flow(sql: Queryable, since: Date): Promise<Flow[]> {
    const rows = await sql<(Omit<Flow, 'count'> & { count: string })[]>`
      select minute, machine, region, state, count from actor_flow
      where minute >= date_trunc('minute', ${since}::timestamptz) order by minute, machine, region, state`;
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  #schedule(inMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#folding = this.#catchUp()
        .catch((error: unknown) => this.#store.observer.troubled('counts', error))
        .finally(() => {
          this.#folding = null;
          this.#schedule(this.#everyMs);
        });
    }, inMs);
  }

  /** Asks the database nothing while nothing has happened. */
  async #catchUp(): Promise<void> {
    while (!this.#stopped && this.#reached < this.#feed.position) {
      const until = this.#feed.position;
      const reached = await this.#store.transact(({ sql }) => this.#fold(sql, until));
      // Another process is at it.
      if (reached === null) return;
      this.#reached = reached;
    }
  }

  /**
   * Adds the next entries to the counts.
   *
   * @param until sequence number up to which the journal is complete
   * @returns up to which number the counts reach now; null when another process is adding
   */
  async #fold(sql: Tx, until: number): Promise<number | null> {
    const [position] = await sql<{ seq: string }[]>`
      select seq from actor_counts_position for update skip locked`;
    if (!position) return null;
    const after = Number(position.seq);
    if (after >= until) return after;
    const [chunk] = await sql<{ last: string | null }[]>`
      select max(seq) as last from (
        select seq from actor_transitions where seq > ${after} and seq <= ${until} order by seq limit ${ENTRIES_MAX}
      ) entries`;
    // The numbers that are left may all have been rolled back.
    const last = Number(chunk?.last ?? until);
    await this.#add(sql, after, last);
    await sql`update actor_counts_position set seq = ${last}`;
    return last;
  }

  async #add(sql: Tx, after: number, last: number): Promise<void> {
    const now = this.#store.registry.clock.now().getTime();
    const keptFrom = new Date(now - FLOW_KEPT_MS);
    // What did not move between states (late results, changes of a due time) changes no count.
    await sql`
      with initial as materialized (
        select machine, region, state from json_to_recordset(${this.#initials}::json)
          as i(machine text, region text, state text)
      ), moved as materialized (
        select correlation_id, machine, region, from_state, to_state, date_trunc('minute', at) as minute,
          count(*) as times
        from actor_transitions
        where seq > ${after} and seq <= ${last} and from_state <> to_state
        group by 1, 2, 3, 4, 5, 6
      ), changed as materialized (
        select correlation_id, machine, region, state, sum(change) as change
        from (
          select correlation_id, machine, region, to_state as state, times as change from moved
          union all
          select correlation_id, machine, region, from_state, -times from moved
        ) changes
        where not exists (
          select from initial i
          where (i.machine, i.region, i.state) = (changes.machine, changes.region, changes.state)
        )
        group by 1, 2, 3, 4
        having sum(change) <> 0
      ), counts as (
        insert into actor_counts as c (correlation_id, machine, region, state, count)
        select correlation_id, machine, region, state, change from changed
        on conflict (correlation_id, machine, region, state) do update set count = c.count + excluded.count
      ), totals as (
        insert into actor_totals as t (machine, region, state, count)
        select machine, region, state, sum(change) from changed group by 1, 2, 3
        on conflict (machine, region, state) do update set count = t.count + excluded.count
      )
      insert into actor_flow as f (minute, machine, region, state, count)
      select minute, machine, region, to_state, sum(times) from moved where minute >= ${keptFrom} group by 1, 2, 3, 4
      on conflict (minute, machine, region, state) do update set count = f.count + excluded.count`;
    if (now - this.#prunedAt < MINUTE_MS) return;
    await sql`delete from actor_flow where minute < ${keptFrom}`;
    this.#prunedAt = now;
  }
}

function initialStates({ actors }: Registry): { machine: string; region: string; state: string }[] {
  return actors.flatMap(({ name, machine }) =>
    Object.entries(machine.states).map(([region, { config }]) => ({
      machine: name,
      region,
      state: String(config.initial),
    })),
  );
}

const isCount = (row: CountRow): boolean => row.count !== null;

const seqOf = ([row]: readonly CountRow[]): number => Number(row?.seq ?? 0);

function byRegion(rows: readonly CountRow[]): StateCounts {
  const regions = Map.groupBy(rows.filter(isCount), ({ machine, region }) => `${machine}.${region}` as const);
  return new Map(
    [...regions].map(([key, some]) => [key, new Map(some.map(({ state, count }) => [state, Number(count)]))]),
  );
}
