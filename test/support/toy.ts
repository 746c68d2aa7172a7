import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { setup } from 'xstate';
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
import type { OneByOne, Outcome, Stage, StagePolicy, Work } from '../../src/runtime/stage.ts';

/** A print shop: orders of documents; each document is typeset, then printed; the order counts printed pages. */

export const toyOrders = pgTable('toy_orders', {
  id: text().primaryKey(),
  delivery_status: text().notNull().default('OPEN'),
  ...stageColumns('paper'),
});

export const toyOrderTotals = pgTable('toy_order_totals', {
  order_id: text().primaryKey(),
  pages_printed: integer().notNull().default(0),
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
      restartable: true,
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
  | StageEvent<'paper'>
  | (Timed & { readonly type: 'ordered' })
  | (Timed & { readonly type: 'printed'; readonly pages: number })
  | (Timed & { readonly type: 'recall' });
type OrderContext = ActorContext<'paper', OrderFacts>;

/** Whether there is paper is a question that is asked again until the answer is yes. */
export const PAPER_STATUS = {
  pending: 'TO_CHECK',
  processing: 'CHECKING',
  processed: 'IN_STOCK',
  askAgain: 'OUT_OF_STOCK',
} as const;

const sharedByOrder = stageImplementations<'paper', OrderFacts, OrderEvent>();
const order = setup({
  types: {} as { context: OrderContext; events: OrderEvent; input: OrderContext },
  actions: sharedByOrder.actions,
  guards: sharedByOrder.guards,
});

export const orderMachine = order.createMachine({
  id: 'order',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    ordered: {
      actions: order.raise(({ event }) => ({ type: 'paper.enable', at: event.at, dueAt: event.at })),
    },
  },
  states: {
    paper: stageRegion('paper', PAPER_STATUS, { releasable: false, onProcessed: [] }),
    delivery: {
      initial: 'OPEN',
      states: {
        OPEN: {
          on: {
            printed: {
              actions: order.assign(({ context, event }) =>
                event.type === 'printed'
                  ? { facts: { pages_printed: context.facts.pages_printed + event.pages } }
                  : {},
              ),
            },
            recall: {
              target: 'RECALLED',
              actions: {
                type: 'tell',
                params: ({ context, event }: { context: OrderContext; event: Timed }) => ({
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
  tables: [
    { table: toyOrders, id: 'id' },
    { table: toyOrderTotals, id: 'order_id' },
  ],
  stages: { paper: {} },
  states: { delivery: 'delivery_status' },
  ends: { delivery: 'RECALLED' },
  facts: ['pages_printed'],
});

export const TOY_ACTORS = [documentActor, orderActor];

type StageName = Region | 'paper';
export type Performers = Partial<Record<StageName, (work: Work) => Promise<Outcome>>>;

const done = async (): Promise<Outcome> => ({ kind: 'succeeded' });

/** Stages of the print shop; what they do is the test's business, and so is everything else about them. */
export function toyStages(perform: Performers = {}, options: Partial<StagePolicy & OneByOne> = {}): Stage[] {
  return (['typesetting', 'printing', 'paper'] as const).map((region) => ({
    name: `toy_${region}`,
    actor: region === 'paper' ? orderActor : documentActor,
    region,
    maxAttempts: 3,
    frequencySeconds: 3600,
    concurrency: 2,
    perform: perform[region] ?? done,
    ...options,
  }));
}

const stageColumnsSql = (region: string) => `
  ${region}_status text not null default 'NOT_APPLICABLE', ${region}_timestamp timestamptz(3),
  ${region}_latest_error_code text, ${region}_attempts int not null default 0, ${region}_job_id text,
  ${region}_due_at timestamptz(3)`;

/** The tables of the print shop, and one for whatever a test's outcomes write. */
export const TOY_SCHEMA = `
  create table toy_orders (id text primary key, delivery_status text not null default 'OPEN', ${stageColumnsSql('paper')});
  create table toy_order_totals (order_id text primary key, pages_printed int not null default 0);
  create table toy_documents (id text primary key, order_id text not null, pages int not null,
    ${stageColumnsSql('typesetting')}, ${stageColumnsSql('printing')},
    printing_submission int not null default 1, printing_submitted_at timestamptz(3));
  create table toy_prints (document_id text not null, note text not null default '');`;
