import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { setup } from 'xstate';
import { connect, type Database } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import { stageColumns, stageSubmissionColumns } from '../../src/db/schema/stage-columns.ts';
import {
  type ActorContext,
  PROCESS_STATUS,
  type StageEvent,
  stageImplementations,
  stageRegion,
  type Timed,
} from '../../src/machines/stage.ts';
import { defineActor } from '../../src/runtime/actor.ts';
import type { Outcome, Stage, Work } from '../../src/runtime/stage.ts';
import { ActorSystem, type SystemOptions } from '../../src/runtime/system.ts';
import { createDatabase } from './database.ts';

/** A print shop: orders of documents; each document is typeset, then printed; the order counts printed pages. */

export const toyOrders = pgTable('toy_orders', {
  id: text().primaryKey(),
  delivery_status: text().notNull().default('OPEN'),
  pages_printed: integer().notNull().default(0),
  paper: text().notNull().default('A4'),
  closed_at: timestamp({ withTimezone: true }),
});

export const toyDocuments = pgTable('toy_documents', {
  id: text().primaryKey(),
  order_id: text().notNull(),
  pages: integer().notNull(),
  ...stageColumns('typesetting'),
  ...stageColumns('printing'),
  ...stageSubmissionColumns('printing'),
});

type Region = 'typesetting' | 'printing';
interface DocumentFacts {
  readonly order_id: string;
  readonly pages: number;
}
type DocumentEvent = StageEvent<Region> | (Timed & { readonly type: 'received' });
type DocumentContext = ActorContext<Region, DocumentFacts>;

const shared = stageImplementations<Region, DocumentFacts, DocumentEvent>();
const document = setup({
  types: {} as { context: DocumentContext; events: DocumentEvent; input: DocumentContext },
  actions: shared.actions,
  guards: shared.guards,
});

export const documentMachine = document.createMachine({
  id: 'document',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    received: {
      actions: document.raise(({ event }) => ({ type: 'typesetting.enable', at: event.at, dueAt: event.at })),
    },
  },
  states: {
    typesetting: stageRegion('typesetting', PROCESS_STATUS, {
      releasable: true,
      onProcessed: [
        document.raise(({ event }) => ({ type: 'printing.enable', at: event.at, dueAt: event.at })),
      ],
    }),
    printing: stageRegion('printing', PROCESS_STATUS, {
      releasable: false,
      onProcessed: [
        {
          type: 'tell',
          params: ({ context, event }: { context: DocumentContext; event: Timed }) => ({
            to: 'order',
            id: context.facts.order_id,
            event: { type: 'printed', pages: context.facts.pages, at: event.at },
          }),
        },
      ],
    }),
  },
});

interface OrderFacts {
  readonly pages_printed: number;
}
type OrderEvent =
  | (Timed & { readonly type: 'printed'; readonly pages: number })
  | (Timed & { readonly type: 'recall' });

const order = setup({
  types: {} as {
    context: ActorContext<never, OrderFacts>;
    events: OrderEvent;
    input: ActorContext<never, OrderFacts>;
  },
  actions: { tell: (_: unknown, _params: unknown) => {} },
});

export const orderMachine = order.createMachine({
  id: 'order',
  type: 'parallel',
  context: ({ input }) => input,
  states: {
    delivery: {
      initial: 'OPEN',
      states: {
        OPEN: {
          on: {
            printed: {
              actions: order.assign(({ context, event }) =>
                event.type === 'printed'
                  ? { facts: { ...context.facts, pages_printed: context.facts.pages_printed + event.pages } }
                  : {},
              ),
            },
            recall: {
              target: 'RECALLED',
              actions: {
                type: 'tell',
                params: ({ context, event }: { context: { id: string }; event: Timed }) => ({
                  to: 'document',
                  childrenOf: context.id,
                  event: { type: 'printing.cancel', at: event.at },
                }),
              },
            },
          },
        },
        RECALLED: {},
      },
    },
  },
});

export const documentActor = defineActor({
  name: 'document',
  machine: documentMachine,
  tables: [{ table: toyDocuments, id: 'id' }],
  stages: { typesetting: {}, printing: {} },
  facts: ['order_id', 'pages'],
  parent: 'order_id',
});

export const orderActor = defineActor({
  name: 'order',
  machine: orderMachine,
  tables: [{ table: toyOrders, id: 'id' }],
  stages: {},
  states: { delivery: 'delivery_status' },
  facts: ['pages_printed'],
});

export interface Shop {
  readonly url: string;
  readonly database: Database;
  /** A further process of the same system, as far as the runtime can tell; stopped with the shop. */
  join(options?: Partial<SystemOptions>, perform?: Performers): Promise<ActorSystem>;
  /** Inserts an order with documents and tells the documents that they were received. */
  receive(system: ActorSystem, orderId: string, documents: number, at?: Date): Promise<string[]>;
  documents(): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export type Performers = Partial<Record<Region, (work: Work) => Promise<Outcome>>>;

const done = async (): Promise<Outcome> => ({ kind: 'succeeded' });

/** Stages of the print shop; what they do is the test's business. */
export function toyStages(perform: Performers = {}, concurrency = 4): Stage[] {
  return (['typesetting', 'printing'] as const).map((region) => ({
    name: `toy_${region}`,
    actor: documentActor,
    region,
    maxAttempts: 3,
    frequencySeconds: 3600,
    concurrency,
    perform: perform[region] ?? done,
  }));
}

export async function openShop(): Promise<Shop> {
  const { url, drop } = await createDatabase('shop');
  await migrate(url);
  const database = connect(url, { max: 8 });
  const stage = (region: string) => `
    ${region}_status text not null default 'NOT_APPLICABLE', ${region}_timestamp timestamptz,
    ${region}_latest_error_code text, ${region}_attempts int not null default 0, ${region}_job_id text,
    ${region}_due_at timestamptz`;
  await database.sql.unsafe(`
    create table toy_orders (id text primary key, delivery_status text not null default 'OPEN',
      pages_printed int not null default 0, paper text not null default 'A4', closed_at timestamptz);
    create table toy_documents (id text primary key, order_id text not null, pages int not null,
      ${stage('typesetting')}, ${stage('printing')},
      printing_submission int not null default 1, printing_submitted_at timestamptz);`);
  const systems: ActorSystem[] = [];
  const databases: Database[] = [database];
  return {
    url,
    database,
    async join(options = {}, perform = {}) {
      const own = connect(url, { max: 8 });
      databases.push(own);
      const system = new ActorSystem({
        database: own,
        actors: [documentActor, orderActor],
        stages: toyStages(perform),
        works: true,
        backoff: { baseMs: 10, maxMs: 50 },
        ...options,
      });
      systems.push(system);
      await system.start();
      return system;
    },
    async receive(system, orderId, documents, at = new Date()) {
      const ids = Array.from({ length: documents }, (_, n) => `${orderId}-${String(n).padStart(4, '0')}`);
      await system.transact(async (tx) => {
        await tx.sql`insert into toy_orders (id) values (${orderId}) on conflict do nothing`;
        await tx.sql`insert into toy_documents (id, order_id, pages) select id, ${orderId}, 2 from unnest(${ids}::text[]) id`;
        await tx.send(
          documentActor,
          ids.map((id) => ({ id, event: { type: 'received', at } })),
        );
      });
      return ids;
    },
    documents: () => database.sql`select * from toy_documents order by id`,
    async close() {
      for (const system of systems) await system.stop(1_000);
      for (const one of databases) await one.close();
      await drop();
    },
  };
}
