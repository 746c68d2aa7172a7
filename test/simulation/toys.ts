import { jsonb, pgTable, text } from 'drizzle-orm/pg-core';
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

/** An order of items. Each item is checked and paid; the order hears of every try and payment, and closes after the last. */

const orders = pgTable('orders', {
  id: text().primaryKey(),
  state_status: text().notNull(),
  items: jsonb().notNull(),
  heard: jsonb().notNull(),
  tries: jsonb().notNull(),
  ...stageColumns('prepare'),
});

const items = pgTable('items', {
  id: text().primaryKey(),
  order_id: text().notNull(),
  closings: jsonb().notNull(),
  ...stageColumns('check'),
  ...stageColumns('pay'),
  ...stageSubmissionColumns('pay'),
});

type Region = 'check' | 'pay';
interface ItemFacts {
  readonly order_id: string;
  /** How often it was told that its order is closed. */
  readonly closings: number;
}
type ItemEvent = StageEvent<Region> | (Timed & { readonly type: 'closed' });
type ItemContext = ActorContext<Region, ItemFacts>;
type Seen = { readonly context: ItemContext; readonly event: Timed };

const ofItem = setup({
  types: {} as { context: ItemContext; events: ItemEvent; input: ItemContext },
  ...stageImplementations<Region, ItemFacts, ItemEvent>(),
});

const itemMachine = ofItem.createMachine({
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    closed: {
      actions: ofItem.assign(({ context }) => ({
        facts: { ...context.facts, closings: context.facts.closings + 1 },
      })),
    },
  },
  states: {
    check: stageRegion('check', PROCESS_STATUS, {
      releasable: true,
      restartable: true,
      onProcessed: [ofItem.raise(({ event }) => ({ type: 'pay.enable', at: event.at, dueAt: event.at }))],
    }),
    pay: stageRegion('pay', PROCESS_STATUS, {
      releasable: false,
      onProcessed: [
        {
          type: 'tell',
          params: ({ context, event }: Seen) => ({
            to: 'order',
            id: context.facts.order_id,
            event: { type: 'paid', item: context.id, at: event.at },
          }),
        },
      ],
      onAttempted: [
        {
          type: 'tell',
          params: ({ context, event }: Seen) => ({
            to: 'order',
            id: context.facts.order_id,
            event: { type: 'tried', item: context.id, attempt: context.stages.pay.attempts, at: event.at },
          }),
        },
      ],
    }),
  },
});

export interface OrderFacts {
  readonly items: readonly string[];
  /** Items that were paid, as the order heard of them. */
  readonly heard: readonly string[];
  /** `item attempt`, as the order heard of them. */
  readonly tries: readonly string[];
}
type OrderEvent =
  | StageEvent<'prepare'>
  | (Timed & { readonly type: 'opened' })
  | (Timed & { readonly type: 'paid'; readonly item: string })
  | (Timed & { readonly type: 'tried'; readonly item: string; readonly attempt: number });
type OrderContext = ActorContext<'prepare', OrderFacts>;

const ofOrder = setup({
  types: {} as { context: OrderContext; events: OrderEvent; input: OrderContext },
  ...stageImplementations<'prepare', OrderFacts, OrderEvent>(),
});
const tellItems = (type: string) => ({
  type: 'tell' as const,
  params: ({ context, event }: { context: OrderContext; event: Timed }) => ({
    to: 'item',
    childrenOf: context.id,
    event: { type, at: event.at, dueAt: event.at },
  }),
});
const hear = ofOrder.assign(({ context, event }) =>
  event.type === 'paid' ? { facts: { ...context.facts, heard: [...context.facts.heard, event.item] } } : {},
);

const orderMachine = ofOrder.createMachine({
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    opened: {
      actions: ofOrder.raise(({ event }) => ({ type: 'prepare.enable', at: event.at, dueAt: event.at })),
    },
    tried: {
      actions: ofOrder.assign(({ context, event }) =>
        event.type === 'tried'
          ? {
              facts: { ...context.facts, tries: [...context.facts.tries, `${event.item} ${event.attempt}`] },
            }
          : {},
      ),
    },
  },
  states: {
    prepare: stageRegion('prepare', PROCESS_STATUS, {
      releasable: true,
      onProcessed: [tellItems('check.enable')],
    }),
    state: {
      initial: 'OPEN',
      states: {
        OPEN: {
          on: {
            paid: [
              {
                guard: ({ context }) => context.facts.heard.length + 1 === context.facts.items.length,
                target: 'CLOSED',
                actions: [hear, tellItems('closed')],
              },
              { actions: hear },
            ],
          },
        },
        CLOSED: { on: { paid: { actions: hear } } },
      },
    },
  },
});

export const itemActor = defineActor({
  name: 'item',
  machine: itemMachine,
  tables: [{ table: items, id: 'id' }],
  stages: { check: {}, pay: {} },
  facts: ['order_id', 'closings'],
  parent: 'order_id',
});

export const orderActor = defineActor({
  name: 'order',
  machine: orderMachine,
  tables: [{ table: orders, id: 'id' }],
  stages: { prepare: {} },
  states: { state: 'state_status' },
  facts: ['items', 'heard', 'tries'],
});

export const ACTORS = [orderActor, itemActor];

const fresh = (region: string) => ({
  [`${region}_status`]: 'NOT_APPLICABLE',
  [`${region}_timestamp`]: null,
  [`${region}_latest_error_code`]: null,
  [`${region}_attempts`]: 0,
  [`${region}_job_id`]: null,
  [`${region}_due_at`]: null,
});

export const freshOrder = (id: string, itemIds: readonly string[]) => ({
  id,
  state_status: 'OPEN',
  items: itemIds,
  heard: [],
  tries: [],
  ...fresh('prepare'),
});

export const freshItem = (id: string, orderId: string) => ({
  id,
  order_id: orderId,
  closings: 0,
  ...fresh('check'),
  ...fresh('pay'),
  pay_submission: 1,
  pay_submitted_at: null,
});
