import { randomBytes } from 'node:crypto';
import { connect, type Database } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import { Jobs } from '../../src/runtime/jobs.ts';
import type { Observer } from '../../src/runtime/observer.ts';
import { ActorSystem, type SystemOptions } from '../../src/runtime/system.ts';
import { createDatabase } from './database.ts';
import { documentActor, type Performers, TOY_ACTORS, TOY_SCHEMA, toyStages } from './toy.ts';

/** A print shop with a database of its own, in which any number of processes work. */
export interface Shop {
  readonly url: string;
  /** The test's own connections. */
  readonly database: Database;
  /** A further process of the same system, as far as the runtime can tell; stopped with the shop. */
  join(options?: Partial<SystemOptions>, perform?: Performers): Promise<ActorSystem>;
  /**
   * Inserts an order with documents of two pages each and tells the documents that they were received.
   *
   * @param at when their typesetting is due, at once unless told otherwise; null: when somebody says so
   */
  receive(system: ActorSystem, orderId: string, documents: number, at?: Date | null): Promise<string[]>;
  documents(): Promise<Document[]>;
  document(id: string): Promise<Document>;
  /** The journal of one actor, or all of it. */
  journal(actorId?: string): Promise<JournalRow[]>;
  /** Counts the rows of a table that fulfil a condition. */
  count(table: string, condition?: string): Promise<number>;
  /** Pages that all orders together have counted. */
  pagesPrinted(): Promise<number>;
  /** Breaks all connections to the database but the test's own. @returns how many */
  breakConnections(): Promise<number>;
  close(): Promise<void>;
}

export type Document = Readonly<Record<string, unknown>>;
export interface JournalRow {
  readonly seq: string;
  readonly at: Date;
  readonly actor_id: string;
  readonly region: string;
  readonly event: string;
  readonly from_state: string;
  readonly to_state: string;
  readonly attempt: number;
  readonly job_id: string | null;
  readonly due_at: Date | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

const TEST_APPLICATION = 'test';
/** Sooner than usual, yet longer than the living take to claim what they have fetched. */
const LOOK_FOR_DEAD_MS = 500;

let template: Promise<string> | undefined;

/** Preparing a database takes a second, copying one a fraction of it. */
async function prepareTemplate(): Promise<string> {
  const { url } = await createDatabase('shop_template');
  await migrate(url);
  const database = connect(url, { max: 1 });
  await database.sql.unsafe(TOY_SCHEMA);
  const jobs = new Jobs(url, false, () => {});
  await jobs.start(toyStages());
  await jobs.boss.stop({ graceful: false, close: true });
  await database.close();
  return url;
}

async function copyTemplate(): Promise<{ url: string; drop(): Promise<void> }> {
  template ??= prepareTemplate();
  const url = new URL(await template);
  const source = url.pathname.slice(1);
  const name = `shop_${randomBytes(6).toString('hex')}`;
  url.pathname = '/postgres';
  const admin = connect(url.href, { max: 1 });
  await admin.sql`create database ${admin.sql(name)} template ${admin.sql(source)} strategy file_copy`;
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await admin.sql`drop database if exists ${admin.sql(name)} with (force)`;
      await admin.close();
    },
  };
}

export async function openShop(): Promise<Shop> {
  const { url, drop } = await copyTemplate();
  const database = connect(url, { max: 8, applicationName: TEST_APPLICATION });
  const { sql } = database;
  const systems: ActorSystem[] = [];
  const databases: Database[] = [database];
  const documents = () => sql<Document[]>`select * from toy_documents order by id`;
  const one = <T>(row: T | undefined, what: string): T => {
    if (!row) throw new Error(`There is no ${what}.`);
    return row;
  };
  return {
    url,
    database,
    async join(options = {}, perform = {}) {
      const own = connect(url, { max: 4 });
      databases.push(own);
      const system = new ActorSystem({
        database: own,
        actors: TOY_ACTORS,
        stages: toyStages(perform),
        works: true,
        backoff: { baseMs: 10, maxMs: 50 },
        lookForDeadMs: LOOK_FOR_DEAD_MS,
        ...options,
      });
      systems.push(system);
      await system.start();
      return system;
    },
    async receive(system, orderId, count, at = new Date()) {
      const ids = Array.from({ length: count }, (_, n) => `${orderId}-${String(n).padStart(4, '0')}`);
      await system.transact(async (tx) => {
        await tx.sql`insert into toy_orders (id) values (${orderId}) on conflict do nothing`;
        await tx.sql`insert into toy_order_totals (order_id) values (${orderId}) on conflict do nothing`;
        await tx.sql`
          insert into toy_documents (id, order_id, pages) select id, ${orderId}, 2 from unnest(${ids}::text[]) id`;
        await tx.send(
          documentActor,
          ids.map((id) => ({
            id,
            event: at ? { type: 'received', at } : { type: 'typesetting.enable', at: tx.now, dueAt: null },
          })),
        );
      });
      return ids;
    },
    documents,
    async document(id) {
      const [row] = await sql<Document[]>`select * from toy_documents where id = ${id}`;
      return one(row, `document ${id}`);
    },
    journal: (actorId) => sql<JournalRow[]>`
      select * from actor_transitions
      ${actorId === undefined ? sql`` : sql`where actor_id = ${actorId}`} order by seq`,
    async count(table, condition = 'true') {
      const [row] = await sql.unsafe<{ n: number }[]>(
        `select count(*)::int as n from ${table} where ${condition}`,
      );
      return one(row, 'count').n;
    },
    async pagesPrinted() {
      const [row] = await sql<
        { n: number }[]
      >`select coalesce(sum(pages_printed), 0)::int as n from toy_order_totals`;
      return one(row, 'sum').n;
    },
    async breakConnections() {
      const broken = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name <> ${TEST_APPLICATION}
          and backend_type = 'client backend'`;
      return broken.length;
    },
    async close() {
      await Promise.all(systems.map((system) => system.stop(1_000)));
      // A pool whose connections were broken waits for its time-out, so that is short here.
      await Promise.all(databases.map((one) => one.sql.end({ timeout: 1 })));
      await drop();
    },
  };
}

/** Keeps everything that the runtime reports. */
export function listen() {
  const heard = {
    parked: [] as string[],
    ended: [] as { id: string; job: string; outcome: string; code: string | null }[],
    stale: 0,
    ticks: [] as { stage: string; dispatched: number; stale: number }[],
    /** `paused <stage>` and `resumed <stage>`. */
    pauses: [] as string[],
    recovered: 0,
    pruned: { histories: 0, entries: 0 },
    troubled: [] as string[],
  };
  const observer: Observer = {
    transitions: () => {},
    parked: (reason) => heard.parked.push(reason),
    workStarted: () => {},
    workEnded: (_, { id, job, outcome, code }) => heard.ended.push({ id, job, outcome, code }),
    stale: (_, count) => {
      heard.stale += count;
    },
    ticked: ({ name }, result) => heard.ticks.push({ stage: name, ...result }),
    paused: ({ name }) => heard.pauses.push(`paused ${name}`),
    resumed: ({ name }) => heard.pauses.push(`resumed ${name}`),
    recovered: (count) => {
      heard.recovered += count;
    },
    pruned: ({ histories, entries }) => {
      heard.pruned.histories += histories;
      heard.pruned.entries += entries;
    },
    troubled: (where, error) =>
      heard.troubled.push(`${where}: ${error instanceof Error ? error.message : error}`),
  };
  return { heard, observer };
}
