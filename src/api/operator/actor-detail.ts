import { z } from 'zod';
import { quoted } from '../../db/bulk.ts';
import type { Tx } from '../../db/connection.ts';
import { type Action, waits } from '../../runtime/actions.ts';
import type { Actor } from '../../runtime/actor.ts';
import { decode, type Row, type SnapshotView, view } from '../../runtime/codec.ts';
import { UnknownStateError } from '../../runtime/errors.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { type JournalSum, messageOf, sumJournal } from './actor-journal.ts';
import { readRow, readRowAsText } from './actor-row.ts';
import { endpoint } from './endpoint.ts';
import { actorNamed, actorUnknown, childrenActorsOf, envelopeOf, parentMachineOf } from './family.ts';
import { chartOfActor } from './machines.ts';
import { atOneMoment } from './one-moment.ts';
import { stageOfRegion } from './stages.ts';
import { type ActorDetail, actorDetail, type Chart } from './wire/actors.ts';
import { line } from './wire/common.ts';

/** Children of each machine that are counted at most. */
export const CHILDREN_COUNTED_MAX = 100_000;

export const actorParams = z.object({ machine: line(40).min(1), id: line(200).min(1) });

/** `GET /operator/actors/{machine}/{id}`: one actor as it stands, and how it came to stand so. */
export const readActor = endpoint({
  method: 'GET',
  path: '/operator/actors/{machine}/{id}',
  summary: 'One actor: its row, its regions, what it did and what can be done about it',
  role: 'viewer',
  params: actorParams,
  answer: actorDetail,
  refusals: { MACHINE_UNKNOWN: 404, ACTOR_UNKNOWN: 404 },
  handle({ system, database, clock }, { params: { machine, id } }): Promise<ActorDetail> {
    const actor = actorNamed(system, machine);
    const chart = chartOfActor(system, actor);
    // Settled before anything is read: whoever follows the feed after it misses nothing, and may see things twice.
    const seq = system.feed.position;
    return atOneMoment(database, async (sql) => {
      const row = await readRow(sql, actor, id);
      if (!row) throw actorUnknown(machine, id);
      const journal = await sumJournal(sql, chart, id);
      const parked = await parkedReason(sql, machine, id);
      const seen = parked === null ? snapshotOf(system, actor, row) : null;
      return {
        machine,
        id,
        envelope: envelopeOf(actor, row),
        parent: parentOf(actor, row),
        children: await countChildren(sql, childrenActorsOf(system, machine), id),
        parked,
        regions: chart.regions.map((region) =>
          regionOf({ system, actor, row, journal, seen, now: clock.now() }, region),
        ),
        taken: journal.taken,
        taken_since: journal.takenSince,
        row: await readRowAsText(sql, actor, id),
        seq,
      };
    });
  },
});

/** Null when the row cannot be read: nothing can be done to it then. */
function snapshotOf(system: ActorSystem, actor: Actor, row: Row): SnapshotView | null {
  try {
    return view(decode(actor, row, system.store.registry.maxAttempts(actor)));
  } catch (error) {
    if (error instanceof UnknownStateError) return null;
    throw error;
  }
}

async function parkedReason(sql: Tx, machine: string, id: string): Promise<string | null> {
  const [parked] = await sql<{ reason: string }[]>`
    select reason from actor_parked where machine = ${machine} and actor_id = ${id}`;
  return parked?.reason ?? null;
}

function parentOf(actor: Actor, row: Row): ActorDetail['parent'] {
  const machine = parentMachineOf(actor.name);
  return machine === null ? null : { machine, id: String(row[actor.parent]) };
}

async function countChildren(
  sql: Tx,
  actors: readonly Actor[],
  id: string,
): Promise<ActorDetail['children']> {
  const counts: ActorDetail['children'] = [];
  for (const { name, tables, parent } of actors) {
    const [row] = await sql.unsafe<{ count: number }[]>(
      `select count(*)::int as count from (
         select from ${quoted(tables[0].name)} where ${quoted(parent)} = $1 limit ${CHILDREN_COUNTED_MAX}) counted`,
      [id],
    );
    counts.push({ machine: name, count: row?.count ?? 0 });
  }
  return counts;
}

interface Standing {
  readonly system: ActorSystem;
  readonly actor: Actor;
  readonly row: Row;
  readonly journal: JournalSum;
  readonly seen: SnapshotView | null;
  readonly now: Date;
}

function regionOf(standing: Standing, chart: Chart['regions'][number]): ActorDetail['regions'][number] {
  const { system, actor, row, journal } = standing;
  const { region } = chart;
  const stage = actor.stages.find((one) => one.region === region);
  const state = String(row[stage?.columns.status ?? actor.states[region] ?? '']);
  if (!stage) {
    const since = enteredAt(journal, region, state);
    return { ...WITHOUT_WORK, region, state, since };
  }
  const { columns } = stage;
  const code = row[columns.latest_error_code] as string | null;
  return {
    region,
    stage: chart.stage,
    state,
    attempts: row[columns.attempts] as number,
    max_attempts: chart.stage === null ? null : (system.store.registry.maxAttempts(actor)[region] ?? null),
    since: momentOf(row[columns.timestamp]),
    due_at: momentOf(row[columns.due_at]),
    job: row[columns.job_id] as string | null,
    error: code === null ? null : { code, message: messageOf(journal, region, code) },
    actions: actionsOf(standing, chart, state),
  };
}

/** A region that is no stage. */
const WITHOUT_WORK = {
  stage: null,
  attempts: 0,
  max_attempts: null,
  due_at: null,
  job: null,
  error: null,
  actions: [],
};

/** When a region came into its state, by the journal; null when it has always been there. */
function enteredAt({ taken }: JournalSum, region: string, state: string): string | null {
  const entries = taken.filter((edge) => edge.region === region && edge.to === state && edge.from !== state);
  return (
    entries
      .map(({ last_at }) => last_at)
      .sort()
      .at(-1) ?? null
  );
}

const ACTIONS = ['retry', 'release', 'dispatch'] as const satisfies readonly Action[];

/** What would be accepted now, whoever asks. */
function actionsOf(
  { system, actor, seen, now }: Standing,
  { region, stage, transitions }: Chart['regions'][number],
  state: string,
): Action[] {
  const info = stageOfRegion(system, actor.name, region);
  if (seen === null || stage === null || info === null) return [];
  return ACTIONS.filter((action) => {
    if (!transitions.some(({ from, event }) => from === state && event === action)) return false;
    if (action === 'dispatch' && system.pauses.list().has(stage)) return false;
    return action !== 'dispatch' || waits(info.policy, seen, now);
  });
}

const momentOf = (value: unknown): string | null => (value instanceof Date ? value.toISOString() : null);
