import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openAccess } from '../src/api/operator/access/open.ts';
import { buildApi } from '../src/api/server.ts';
import { loadConfig } from '../src/config.ts';
import { connect, type Database } from '../src/db/connection.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { ActorSystem } from '../src/runtime/system.ts';
import { ACTORS } from '../src/stages/actors.ts';
import { quantile } from './support/figures.ts';
import { withServer } from './support/server.ts';

const WRITER = fileURLToPath(new URL('./support/feed-writer.ts', import.meta.url));
const CLIENTS = fileURLToPath(new URL('./support/feed-clients.ts', import.meta.url));
/** Long enough for the last transitions to arrive, or never. */
const SETTLE_MS = 2_000;
/** What is asked of a hundred clients. */
const P99_MS_MAX = 200;

/** What some clients have seen of the same load. */
export interface FeedFigures {
  readonly clients: number;
  readonly transitions: number;
  /** That were committed in a second, on a machine that may have had other things to do. */
  readonly transitions_per_second: number;
  readonly messages: number;
  /** Transitions that a client did not get, or got twice or out of order; of all clients together. */
  readonly missed: number;
  readonly out_of_order: number;
  readonly commit_to_client_ms: { readonly p50: number; readonly p99: number };
  /** Of one core, by the process that serves the feed. */
  readonly server_cpu_percent: number;
}

export interface FeedResult {
  readonly many: FeedFigures;
  /** The same load with a single client. */
  readonly one: FeedFigures;
  /** Nothing was missed, and 99 of 100 transitions reached the many in time. */
  readonly ok: boolean;
}

/**
 * How long a transition takes from its commit in one process to the clients of the feed of another, and what that costs
 * there. Writer and clients are processes of their own. Beside it, in the same run on the same server: the same with
 * one client.
 */
export function benchFeed(clients: number, perSecond: number, seconds: number): Promise<FeedResult> {
  return withServer(async ({ url }) => {
    const database = connect(url, { max: 8 });
    const config = loadConfig({ G2P_BRIDGE_OPERATOR_ACCESS: 'loopback' });
    const access = openAccess(config, { database, clock: systemClock, onProblem: () => {} });
    const system = new ActorSystem({ database, actors: ACTORS, stages: [], works: false });
    await system.start();
    const app = buildApi({ system, database, role: 'all', operators: { access, config } });
    const api = await app.listen({ port: 0, host: '127.0.0.1' });
    const load: Load = { database, system, url, api, perSecond, seconds };
    const one = await measure(load, 'one', [1]);
    const many = await measure(load, 'many', [Math.ceil(clients / 2), Math.floor(clients / 2)]);
    await app.close();
    await system.stop();
    await database.close();
    const complete = [one, many].every(({ missed, out_of_order }) => missed + out_of_order === 0);
    const ok = complete && many.commit_to_client_ms.p99 < P99_MS_MAX;
    return { many, one, ok };
  });
}

interface Load {
  readonly database: Database;
  readonly system: ActorSystem;
  readonly url: string;
  readonly api: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** @param groups how many clients each process has */
async function measure(load: Load, run: string, groups: readonly number[]): Promise<FeedFigures> {
  const { database, system, url, api, perSecond, seconds } = load;
  const writer = await start(WRITER, [url, String(perSecond), String(seconds), run]);
  const after = await settled(load);
  const clients = await Promise.all(
    groups.map((count) => start(CLIENTS, [api, String(count), String(after)])),
  );
  const cpu = process.cpuUsage();
  const began = performance.now();
  writer.send('go');
  const written = await heard<[string, number][]>(writer);
  const { user, system: kernel } = process.cpuUsage(cpu);
  const elapsedMs = performance.now() - began;
  await delay(SETTLE_MS);
  const committed = await withNumbers(database, after, new Map(written));
  const answers = await Promise.all(clients.map((child) => ask(child, committed)));
  const delaysMs = answers.flatMap((answer) => [...answer.delaysMs]);
  const lastedMs = (written.at(-1)?.[1] ?? 0) - (written[0]?.[1] ?? 0);
  const total = groups.reduce((sum, count) => sum + count, 0);
  if (committed.length !== written.length || system.feed.position < (committed.at(-1)?.[0] ?? 0))
    throw new Error('The journal does not have what was written.');
  return {
    clients: total,
    transitions: committed.length,
    transitions_per_second: Math.round(committed.length / (lastedMs / 1_000)),
    messages: delaysMs.length,
    missed: answers.reduce((sum, { missed }) => sum + missed, 0),
    out_of_order: answers.reduce((sum, { disorder }) => sum + disorder, 0),
    commit_to_client_ms: { p50: quantile(delaysMs, 0.5), p99: quantile(delaysMs, 0.99) },
    server_cpu_percent: Math.round((user + kernel) / elapsedMs / 10),
  };
}

interface Answer {
  readonly missed: number;
  readonly disorder: number;
  readonly delaysMs: Float64Array;
}

async function start(script: string, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(script, [...args], { serialization: 'advanced' });
  await heard(child);
  return child;
}

async function ask(child: ChildProcess, committed: readonly (readonly [number, number])[]): Promise<Answer> {
  child.send([...committed]);
  return heard<Answer>(child);
}

/** What a child says next. @throws when it ends instead */
async function heard<T>(child: ChildProcess): Promise<T> {
  const answer = once(child, 'message').then(([message]) => message as T);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${child.spawnfile} ended with ${code} before it was done.`);
  });
  return Promise.race([answer, ended]);
}

/** The last sequence number, once the feed knows it. */
async function settled({ database, system }: Load): Promise<number> {
  const [row] = await database.sql<{ seq: string }[]>`select max(seq) as seq from actor_transitions`;
  const last = Number(row?.seq ?? 0);
  while (system.feed.position < last) await delay(10);
  return last;
}

/** The sequence number of everything that was written, with the moment of its commit. */
async function withNumbers(
  { sql }: Database,
  after: number,
  written: ReadonlyMap<string, number>,
): Promise<[number, number][]> {
  const rows = await sql<{ seq: string; actor_id: string; at: Date; event: string }[]>`
    select seq, actor_id, at, event from actor_transitions where seq > ${after} order by seq`;
  return rows.map(({ seq, actor_id, at, event }) => {
    const committed = written.get(`${actor_id} ${at.getTime()} ${event}`);
    if (committed === undefined) throw new Error(`Nobody knows when entry ${seq} was written.`);
    return [Number(seq), committed];
  });
}
