import { insertRows } from '../src/db/bulk.ts';
import { connect, type Database } from '../src/db/connection.ts';
import { accountStatements } from '../src/db/schema/index.ts';
import type { Stage } from '../src/runtime/stage.ts';
import { ActorSystem } from '../src/runtime/system.ts';
import { ACTORS, statementActor } from '../src/stages/actors.ts';
import { withServer } from './support/server.ts';

const ACTORS_IN_TABLE = 2_000;
const SECONDS = 4;
/** Transactions under way at the same time, as a process under load has. */
const LANES = 4;

export interface TransitionsResult {
  readonly single_row_update_commits_per_second: number;
  readonly per_second: Readonly<Record<string, number>>;
  readonly with_jobs_per_second: Readonly<Record<string, number>>;
}

/**
 * Durable transitions per second: row, journal and commit, at 1, 50 and 200 actors to a transaction; then the same with
 * a job inserted for every second transition. Beside it, in the same run on the same server: commits per
 * second of the plainest single-row update with as many transactions at a time.
 */
export function benchTransitions(): Promise<TransitionsResult> {
  return withServer(async ({ url }) => {
    const database = connect(url, { max: 8 });
    const system = new ActorSystem({
      database,
      actors: ACTORS,
      stages: [idleStage()],
      works: false,
      mode: 'tick',
    });
    await system.start();
    await prepare(database, system);
    const commits = await perSecond(LANES, (lane) => updateOneRow(database, lane));
    const rates: Record<string, number> = {};
    const withJobs: Record<string, number> = {};
    for (const size of [1, 50, 200]) {
      rates[size] = await perSecond(LANES, (lane, turn) => cycle(system, lane, turn, size, false));
      withJobs[size] = await perSecond(LANES, (lane, turn) => cycle(system, lane, turn, size, true));
    }
    await system.stop();
    await database.close();
    return {
      single_row_update_commits_per_second: commits,
      per_second: rates,
      with_jobs_per_second: withJobs,
    };
  });
}

/** The work of the stage is never done here: jobs are only inserted. */
function idleStage(): Stage {
  return {
    name: 'mt940_processor',
    actor: statementActor,
    region: 'statement_process',
    maxAttempts: 1_000_000_000,
    frequencySeconds: 3600,
    concurrency: 0,
    perform: async () => ({ kind: 'succeeded' }),
  };
}

const idOf = (n: number): string => `statement-${String(n).padStart(6, '0')}`;

async function prepare(database: Database, system: ActorSystem): Promise<void> {
  const at = new Date();
  await insertRows(
    database.sql,
    accountStatements,
    Array.from({ length: ACTORS_IN_TABLE }, (_, n) => ({
      statement_id: idOf(n),
      statement_upload_timestamp: at,
      number_of_entries: 0,
      content_digest: idOf(n),
    })),
  );
  const events = Array.from({ length: ACTORS_IN_TABLE }, (_, n) => ({
    id: idOf(n),
    event: { type: 'uploaded', at } as const,
  }));
  await system.transact((tx) => tx.send(statementActor, events));
  await database.sql`create table bench_rows (id int primary key, n int not null)`;
  await database.sql`insert into bench_rows select i, 0 from generate_series(0, 63) i`;
  await database.sql`vacuum analyze`;
}

async function updateOneRow(database: Database, lane: number): Promise<number> {
  await database.sql`update bench_rows set n = n + 1 where id = ${lane}`;
  return 1;
}

/** Two transitions of each actor of a set: cancelled and enabled again, or dispatched and postponed by their jobs. */
async function cycle(
  system: ActorSystem,
  lane: number,
  turn: number,
  size: number,
  jobs: boolean,
): Promise<number> {
  const share = ACTORS_IN_TABLE / LANES;
  const ids = Array.from({ length: size }, (_, n) => idOf(lane * share + ((turn * size + n) % share)));
  const jobOf = new Map(ids.map((id) => [id, system.store.jobs.newId()]));
  const away = (at: Date, id: string) =>
    jobs
      ? ({ type: 'statement_process.dispatch', job: jobOf.get(id) ?? '', at } as const)
      : ({ type: 'statement_process.cancel', at } as const);
  const back = (at: Date, id: string) =>
    jobs
      ? ({
          type: 'statement_process.postponed',
          job: jobOf.get(id) ?? '',
          code: 'AWAY',
          retryAt: at,
          at,
        } as const)
      : ({ type: 'statement_process.enable', dueAt: at, at } as const);
  let taken = 0;
  for (const eventAt of [away, back]) {
    const delivered = await system.transact((tx) =>
      tx.send(
        statementActor,
        ids.map((id) => ({ id, event: eventAt(tx.now, id) })),
      ),
    );
    taken += delivered.filter(({ accepted }) => accepted).length;
  }
  // What is refused costs nothing and must not be counted.
  if (taken !== 2 * size) throw new Error(`Only ${taken} of ${2 * size} transitions were taken.`);
  return taken;
}

/** Runs `once` in several lanes for a few seconds, after a second of warming up; returns what it counted per second. */
async function perSecond(
  lanes: number,
  once: (lane: number, turn: number) => Promise<number>,
): Promise<number> {
  const started = performance.now();
  let counted = 0;
  let since = 0;
  const lane = async (_: unknown, number: number) => {
    for (let turn = 0; ; turn += 1) {
      const n = await once(number, turn);
      const elapsed = (performance.now() - started) / 1000;
      if (elapsed < 1) continue;
      if (since === 0) since = performance.now();
      counted += n;
      if (elapsed > 1 + SECONDS) return;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return Math.round(counted / ((performance.now() - since) / 1000));
}
