import { quoted } from '../../db/bulk.ts';
import type { Queryable, Tx } from '../../db/connection.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { type StageInfo, stageList } from './stages.ts';
import { tallyOf } from './tally.ts';
import type { Overview } from './wire/overview.ts';

export const MINUTE_MS = 60_000;

export type StageOverview = Overview['stages'][number];
export type Pauses = ReadonlyMap<string, NonNullable<StageOverview['paused']>>;

/** The beginning of a moment's minute. */
export const minuteOf = (at: Date): Date => new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS);

/**
 * Every stage with what became of its work.
 *
 * @returns also the sequence number up to which the journal is in the tallies
 */
export async function stageOverviews(
  system: ActorSystem,
  tx: Tx,
  now: Date,
): Promise<{ readonly seq: number; readonly stages: readonly StageOverview[] }> {
  const list = stageList(system);
  const { seq, totals } = await system.counts.totals(tx);
  const oldest = await oldestDue(tx, list, now);
  const lastMinute = new Date(minuteOf(now).getTime() - MINUTE_MS);
  const flow = (await system.counts.flow(tx, lastMinute)).filter(
    ({ minute }) => minute.getTime() === lastMinute.getTime(),
  );
  const paused = await pausesOf(tx);
  const stages = list.map((info) => {
    const { stage, title, actor, region, states } = info;
    const processed = flow.find(
      (one) => one.machine === actor.name && one.region === region.region && one.state === states.processed,
    );
    return {
      stage,
      title,
      machine: actor.name,
      region: region.region,
      states,
      tally: tallyOf(info, totals),
      oldest_due_at: oldest.get(stage)?.toISOString() ?? null,
      per_minute: processed?.count ?? 0,
      paused: paused.get(stage) ?? null,
    };
  });
  return { seq, stages };
}

/** The stages that are paused, in all processes. */
export async function pausesOf(sql: Queryable): Promise<Pauses> {
  const rows = await sql<{ stage: string; paused_at: Date; by: string; reason: string }[]>`
    select stage, paused_at, by, reason from actor_pauses`;
  return new Map(
    rows.map(({ stage, paused_at: at, by, reason }) => [stage, { since: at.toISOString(), by, reason }]),
  );
}

/** Since when the oldest work that is due waits, by stage: the first entry of each index behind the ticks. */
async function oldestDue(
  tx: Tx,
  stages: readonly StageInfo[],
  now: Date,
): Promise<ReadonlyMap<string, Date>> {
  if (stages.length === 0) return new Map();
  const rows = await tx.unsafe<{ stage: string; due_at: Date }[]>(
    stages.map(oldestDueOf).join(' union all '),
    [now],
    { prepare: true },
  );
  return new Map(rows.map(({ stage, due_at: at }) => [stage, at]));
}

/** States and names are written out, as in the condition of the index: parameters would keep it from being used. */
function oldestDueOf({ stage, actor, region }: StageInfo): string {
  const { status, due_at: dueAt } = region.columns;
  const [main] = actor.tables;
  const table = actor.tables.find(({ columns }) => columns.includes(status)) ?? main;
  const states = [region.pending, ...region.askAgain].map((state) => `'${state}'`).join(', ');
  return `(select '${stage}' as stage, ${quoted(dueAt)} as due_at from ${quoted(table.name)}
    where ${quoted(status)} in (${states}) and ${quoted(dueAt)} <= $1 order by ${quoted(dueAt)} limit 1)`;
}
