import { setTimeout as delay } from 'node:timers/promises';
import { insertRows } from '../src/db/bulk.ts';
import { connect, type Database } from '../src/db/connection.ts';
import { accountStatements } from '../src/db/schema/index.ts';
import { silentObserver } from '../src/runtime/observer.ts';
import { ActorSystem } from '../src/runtime/system.ts';
import { ACTORS, statementActor } from '../src/stages/actors.ts';
import { quantile } from './support/figures.ts';
import { withServer } from './support/server.ts';

const SAMPLES = 200;
/** Long enough for everything to be idle again, and not in step with any poll. */
const pauseMs = () => 30 + Math.random() * 70;

export interface LatencyResult {
  readonly samples: number;
  readonly due_to_start_ms: { readonly p50: number; readonly p99: number };
  /** From NOTIFY to its listener on the same server: the least a hand-over between connections can take. */
  readonly notify_ms: { readonly p50: number; readonly p99: number };
}

/** How long work waits in an idle system from the moment it is due until a worker starts with it. */
export function benchLatency(): Promise<LatencyResult> {
  return withServer(async ({ url }) => {
    const database = connect(url, { max: 8 });
    const notify = await notifications(database);
    const waits = await waitsOfWork(database);
    await database.close();
    return { samples: SAMPLES, due_to_start_ms: summary(waits), notify_ms: summary(notify) };
  });
}

const summary = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) });

async function notifications(database: Database): Promise<number[]> {
  const times: number[] = [];
  let heard: () => void = () => {};
  const { unlisten } = await database.sql.listen('bench', () => heard());
  for (let n = 0; n < SAMPLES; n += 1) {
    const arrival = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const sent = performance.now();
    await database.sql`select pg_notify('bench', '')`;
    await arrival;
    times.push(performance.now() - sent);
    await delay(pauseMs() / 5);
  }
  await unlisten();
  return times;
}

async function waitsOfWork(database: Database): Promise<number[]> {
  const waits: number[] = [];
  const stage = {
    name: 'mt940_processor',
    actor: statementActor,
    region: 'statement_process',
    maxAttempts: 3,
    frequencySeconds: 3600,
    concurrency: 2,
    perform: async () => ({ kind: 'succeeded' }) as const,
  };
  const observer = {
    ...silentObserver,
    workStarted: (_: unknown, { waitedMs }: { waitedMs: number }) => void waits.push(waitedMs),
  };
  const system = new ActorSystem({ database, actors: ACTORS, stages: [stage], works: true, observer });
  await system.start();
  for (let n = 0; n < SAMPLES; n += 1) {
    const id = `statement-${n}`;
    await system.transact(async (tx) => {
      const row = {
        statement_id: id,
        statement_upload_timestamp: tx.now,
        number_of_entries: 0,
        content_digest: id,
      };
      await insertRows(tx.sql, accountStatements, [row]);
      await tx.send(statementActor, [{ id, event: { type: 'uploaded', at: tx.now } }]);
    });
    while (waits.length <= n) await delay(1);
    await delay(pauseMs());
  }
  await system.stop();
  return waits;
}
