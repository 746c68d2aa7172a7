import type { Queryable } from '../../db/connection.ts';
import { workerQueue } from '../../runtime/jobs.ts';
import type { OperatorContext } from './context.ts';
import { endpoint } from './endpoint.ts';
import { processesOf } from './processes.ts';
import { pausesOf } from './stage-overview.ts';
import { type StageInfo, stageList } from './stages.ts';
import { type Operations, operations } from './wire/operations.ts';

const PARKED_SHOWN_MAX = 100;

type StageOperations = Operations['stages'][number];

/** `GET /operator/operations`: ticks, queues, processes, and actors that cannot be read. */
export const operationsEndpoint = endpoint({
  method: 'GET',
  path: '/operator/operations',
  summary: 'Ticks, queues, processes with their circuits, and records that cannot be read',
  role: 'viewer',
  answer: operations,
  async handle(context) {
    const { sql } = context.database;
    return {
      as_of: context.clock.now().toISOString(),
      stages: await stagesOf(context),
      processes: await processesOf(sql),
      parked: await parkedOf(sql),
    };
  },
});

async function stagesOf({ system, database: { sql } }: OperatorContext): Promise<StageOperations[]> {
  const stages = stageList(system);
  const [ticks, pauses, queues, now] = await Promise.all([
    ticksOf(sql),
    pausesOf(sql),
    queuesOf(sql, stages),
    databaseTime(sql),
  ]);
  return stages.map(({ stage, title, policy, payerOnly }) => ({
    stage,
    title,
    frequency_seconds: policy.frequencySeconds,
    max_attempts: policy.maxAttempts,
    last_tick: ticks.get(stage) ?? null,
    next_tick_at: nextSlot(now, policy.frequencySeconds * 1000),
    paused: pauses.get(stage) ?? null,
    payer_only: payerOnly,
    queue: queues.get(workerQueue(policy)) ?? { waiting: 0, active: 0, failed: 0 },
  }));
}

/** Ticks come in slots of the database's clock. */
const nextSlot = (nowMs: number, slotMs: number): string =>
  new Date((Math.floor(nowMs / slotMs) + 1) * slotMs).toISOString();

async function databaseTime(sql: Queryable): Promise<number> {
  const [row] = await sql<{ now: number }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`;
  return row?.now ?? 0;
}

async function ticksOf(sql: Queryable): Promise<ReadonlyMap<string, StageOperations['last_tick']>> {
  const rows = await sql<{ stage: string; at: Date; dispatched: number; stale: number }[]>`
    select stage, at, dispatched, stale from actor_ticks`;
  return new Map(rows.map(({ stage, at, ...what }) => [stage, { at: at.toISOString(), ...what }]));
}

/** The jobs of each queue as pg-boss counts them every few seconds: completed ones are kept for 15 minutes and may be many. */
async function queuesOf(
  sql: Queryable,
  stages: readonly StageInfo[],
): Promise<ReadonlyMap<string, StageOperations['queue']>> {
  const names = stages.map(({ policy }) => workerQueue(policy));
  const rows = await sql<(StageOperations['queue'] & { name: string })[]>`
    select name, queued_count as waiting, active_count as active, failed_count as failed
    from pgboss.queue where name = any(${names})`;
  return new Map(rows.map(({ name, ...queue }) => [name, queue]));
}

async function parkedOf(sql: Queryable): Promise<Operations['parked']> {
  const rows = await sql<{ machine: string; actor_id: string; reason: string; parked_at: Date }[]>`
    select machine, actor_id, reason, parked_at from actor_parked
    order by parked_at desc, machine, actor_id limit ${PARKED_SHOWN_MAX}`;
  return rows.map(({ machine, actor_id: id, reason, parked_at: at }) => ({
    machine,
    id,
    reason,
    since: at.toISOString(),
  }));
}
