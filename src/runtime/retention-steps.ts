import { quoted } from '../db/bulk.ts';
import type { Queryable, Tx } from '../db/connection.ts';
import type { Actor } from './actor.ts';
import type { Registry } from './registry.ts';

/** Who removes history holds this lock until the transaction ends: one process at a time. */
const RETENTION_LOCK = 7_240_944;
/** Correlations that are emptied together: enough for a chunk of small ones. */
const CORRELATIONS_MAX = 200;

/** A part of the journal that was looked at for what has come to its end. */
export interface Slice {
  /** Its last sequence number; null when nothing was left to look at. */
  readonly until: number | null;
  /** The correlations that have old entries in it. */
  readonly old: readonly string[];
}

/** Whether this transaction is the one that removes history. */
export async function mayPrune(sql: Tx): Promise<boolean> {
  const [row] = await sql<{ mine: boolean }[]>`select pg_try_advisory_xact_lock(${RETENTION_LOCK}) as mine`;
  return row?.mine === true;
}

/**
 * The moment before which entries are old. By the clock that is behind, the process's or the database's: a clock that has
 * jumped ahead must not remove what is to be kept.
 */
export async function oldBefore(sql: Queryable, now: Date, keepMs: number): Promise<Date> {
  const [row] = await sql<{ now: Date }[]>`select least(clock_timestamp(), ${now}::timestamptz) as now`;
  return new Date((row?.now ?? now).getTime() - keepMs);
}

/** Up to which number the journal is in the counts: what is beyond is not removed. */
export async function countedUpTo(sql: Queryable): Promise<number> {
  const [row] = await sql<{ seq: string }[]>`select seq from actor_counts_position`;
  return Number(row?.seq ?? 0);
}

/** The number of the last message that somebody has sent. */
export async function lastMessage(sql: Queryable): Promise<number> {
  const [row] = await sql<{ seq: string | null }[]>`select max(seq) as seq from actor_messages`;
  return Number(row?.seq ?? 0);
}

/**
 * Whether messages up to a number should have been delivered by now. Those of actors that are left alone do not count, nor
 * do those for later: who is to be woken has work left. Nor do those for machines that do not exist (any more), which
 * nobody delivers.
 */
export async function hasMailUpTo(
  sql: Queryable,
  { actors }: Pick<Registry, 'actors'>,
  seq: number,
  now: Date,
): Promise<boolean> {
  const machines = actors.map(({ name }) => name);
  const [row] = await sql<{ waits: boolean }[]>`
    select exists (
      select from actor_messages m where m.seq <= ${seq} and m.deliver_at <= ${now} and m.machine = any(${machines})
        and not exists (select from actor_parked p where p.machine = m.machine and p.actor_id = m.actor_id)
    ) as waits`;
  return row?.waits === true;
}

/** The next entries after a sequence number, up to `until`. */
export async function nextSlice(
  sql: Queryable,
  after: number,
  until: number,
  before: Date,
  limit: number,
): Promise<Slice> {
  const [row] = await sql<{ until: string | null; old: string[] | null }[]>`
    select max(seq) as until, array_agg(distinct correlation_id) filter (where at < ${before}) as old
    from (
      select seq, at, correlation_id from actor_transitions where seq > ${after} and seq <= ${until}
      order by seq limit ${limit}) slice`;
  return { until: row?.until ? Number(row.until) : null, old: row?.old ?? [] };
}

/**
 * Decides which of some correlations have come to their end: no work of any of their actors is left or in ERROR, nothing
 * is to come, nobody is parked, and their last entry is old and counted. From its commit on their history is removed.
 *
 * @returns how many there were
 */
export async function markEnded(
  sql: Tx,
  registry: Registry,
  correlations: readonly string[],
  { before, until, now }: { readonly before: Date; readonly until: number; readonly now: Date },
): Promise<number> {
  const marked = await sql.unsafe(
    `insert into actor_pruned as p (correlation_id, seq, pruned_at)
     select c.id, last.seq, $4 from unnest($1::text[]) c (id)
     cross join lateral (
       select seq, at from actor_transitions t where t.correlation_id = c.id order by seq desc limit 1) last
     where last.at < $2 and last.seq <= $3
       and not exists (
         select from actor_counts n
         join json_to_recordset($5::json) as b(machine text, region text, state text)
           on (n.machine, n.region, n.state) = (b.machine, b.region, b.state)
         where n.correlation_id = c.id and n.count <> 0)
       ${registry.actors.map((actor) => unlessParked(actor) + unlessMoreComes(actor)).join('')}
     on conflict (correlation_id) do update
       set seq = excluded.seq, pruned_at = excluded.pruned_at, emptied = false where p.seq < excluded.seq`,
    [correlations as string[], before, until, now, JSON.stringify(busyStates(registry))],
  );
  return marked.count;
}

/** States in which a stage has work or a problem: all but those before it and the one after it. */
function busyStates({ actors }: Registry): { machine: string; region: string; state: string }[] {
  return actors.flatMap(({ name, stages }) =>
    stages.flatMap(({ region, pending, processing, askAgain }) =>
      [pending, processing, ...askAgain, 'ERROR'].map((state) => ({ machine: name, region, state })),
    ),
  );
}

const unlessParked = ({ name, tables: [main], correlation }: Actor): string => `
  and not exists (
    select from actor_parked k join ${quoted(main.name)} m on m.${quoted(main.id)} = k.actor_id
    where k.machine = '${name}' and m.${quoted(correlation)} = c.id)`;

function unlessMoreComes({ tables: [main, ...others], states, correlation, ends }: Actor): string {
  const reached = Object.entries(ends).map(([region, state]) => {
    const column = states[region] ?? '';
    const table = others.findIndex(({ columns }) => columns.includes(column));
    return `t${table + 1}.${quoted(column)} = '${state}'`;
  });
  if (reached.length === 0) return '';
  const joins = others.map(
    ({ name, id }, n) => `join ${quoted(name)} t${n + 1} on t${n + 1}.${quoted(id)} = t0.${quoted(main.id)}`,
  );
  return `
  and not exists (
    select from ${quoted(main.name)} t0 ${joins.join(' ')}
    where t0.${quoted(correlation)} = c.id and not (${reached.join(' or ')}))`;
}

/**
 * Removes entries of histories that are to go, in the order of their numbers.
 *
 * @param limit entries at most
 * @returns how many went; null when no history is left to go
 */
export async function emptySome(sql: Tx, limit: number): Promise<number | null> {
  const marks = await sql<{ id: string; until: string }[]>`
    select correlation_id as id, seq as until from actor_pruned where not emptied limit ${CORRELATIONS_MAX}`;
  if (marks.length === 0) return null;
  const these = JSON.stringify(marks);
  const { count } = await sql`
    delete from actor_transitions where seq in (
      select t.seq from json_to_recordset(${these}::json) as m(id text, until bigint)
      cross join lateral (
        select seq from actor_transitions where correlation_id = m.id and seq <= m.until order by seq limit ${limit}
      ) t limit ${limit})`;
  if (count < limit)
    await close(
      sql,
      marks.map(({ id }) => id),
    );
  return count;
}

/** Of states that nobody is in, nothing is to be counted any more. */
async function close(sql: Tx, correlations: readonly string[]): Promise<void> {
  await sql`update actor_pruned set emptied = true where correlation_id = any(${correlations as string[]})`;
  await sql`delete from actor_counts where correlation_id = any(${correlations as string[]}) and count = 0`;
}
