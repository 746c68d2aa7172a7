import { and, or, setup, stateIn } from 'xstate';
import { addDecimals, compareDecimals } from '../decimal.ts';
import { BATCH_REGIONS } from './batch.ts';
import { type BenefitType, isCash } from './benefit-type.ts';
import {
  type ActorContext,
  type StageEvent,
  stageImplementations,
  stageRegion,
  type Timed,
} from './stage.ts';

/** The stages of an envelope: cash must be there, then it is reserved. */
export const ENVELOPE_REGIONS = ['funds_available', 'funds_blocked'] as const;
export type EnvelopeRegion = (typeof ENVELOPE_REGIONS)[number];

/** The columns of an envelope that its machine reads and writes. Quantities are exact decimal strings. */
export interface EnvelopeFacts {
  readonly benefit_type: BenefitType;
  readonly number_of_disbursements: number;
  readonly total_disbursement_quantity: string;
  readonly number_of_disbursements_received: number;
  readonly total_disbursement_quantity_received: string;
  /** From when funds may be checked: the start of the schedule date (UTC), or the receipt where future dates run. */
  readonly funds_due_from: Date;
  /** Batches that are resolved and wait for, or have, the permission to pay. */
  readonly number_of_batches_ready: number;
  readonly funds_blocked_reference_number: string | null;
  readonly number_of_disbursements_shipped: number;
  readonly number_of_disbursements_reconciled: number;
  readonly number_of_disbursements_reversed: number;
  readonly cancellation_timestamp: Date | null;
}

type Counted<T extends string> = Timed & { readonly type: T; readonly count: number };

export type EnvelopeEvent =
  | StageEvent<'funds_available'>
  | Exclude<StageEvent<'funds_blocked'>, { readonly type: 'funds_blocked.succeeded' }>
  | (Timed & { readonly type: 'funds_blocked.succeeded'; readonly job: string; readonly reference: string })
  | (Timed & { readonly type: 'created' })
  | (Timed & { readonly type: 'batch_received'; readonly count: number; readonly quantity: string })
  | (Timed & { readonly type: 'batch_ready'; readonly batch: string })
  | (Timed & { readonly type: 'cancel' })
  | Counted<'shipped'>
  | Counted<'reconciled'>
  | Counted<'reversed'>;

export type EnvelopeContext = ActorContext<EnvelopeRegion, EnvelopeFacts>;

const shared = stageImplementations<EnvelopeRegion, EnvelopeFacts, EnvelopeEvent>();

type BatchReceived = Extract<EnvelopeEvent, { type: 'batch_received' }>;

function receivedWith({ facts }: EnvelopeContext, event: BatchReceived) {
  return {
    number_of_disbursements_received: facts.number_of_disbursements_received + event.count,
    total_disbursement_quantity_received: addDecimals(
      facts.total_disbursement_quantity_received,
      event.quantity,
    ),
  };
}

const isCancelled = ({ facts }: EnvelopeContext) => facts.cancellation_timestamp !== null;

const envelope = setup({
  types: {} as { context: EnvelopeContext; events: EnvelopeEvent; input: EnvelopeContext },
  actions: shared.actions,
  guards: {
    ...shared.guards,
    isCash: ({ context }) => isCash(context.facts.benefit_type),
    fits: ({ context, event }) => {
      if (event.type !== 'batch_received' || isCancelled(context)) return false;
      const received = receivedWith(context, event);
      return (
        received.number_of_disbursements_received <= context.facts.number_of_disbursements &&
        compareDecimals(
          received.total_disbursement_quantity_received,
          context.facts.total_disbursement_quantity,
        ) <= 0
      );
    },
    completes: ({ context, event }) => {
      if (event.type !== 'batch_received' || isCancelled(context)) return false;
      const received = receivedWith(context, event);
      return (
        received.number_of_disbursements_received === context.facts.number_of_disbursements &&
        compareDecimals(
          received.total_disbursement_quantity_received,
          context.facts.total_disbursement_quantity,
        ) === 0
      );
    },
    noPaymentStarted: ({ context }) =>
      context.facts.funds_blocked_reference_number === null || context.facts.number_of_batches_ready === 0,
    batchesAreReady: ({ context }) => context.facts.number_of_batches_ready > 0,
    isCancelled: ({ context }) => isCancelled(context),
  },
});

const facts = (change: (facts: EnvelopeFacts, event: EnvelopeEvent) => Partial<EnvelopeFacts>) =>
  envelope.assign(({ context, event }) => ({ facts: { ...context.facts, ...change(context.facts, event) } }));

const count = (column: 'shipped' | 'reconciled' | 'reversed') =>
  facts((before, event) => {
    const name = `number_of_disbursements_${column}` as const;
    return 'count' in event ? { [name]: before[name] + event.count } : {};
  });

const addReceived = envelope.assign(({ context, event }) =>
  event.type === 'batch_received' ? { facts: { ...context.facts, ...receivedWith(context, event) } } : {},
);

const later = (a: Date, b: Date): Date => (a.getTime() > b.getTime() ? a : b);

const fundsMayBeChecked = envelope.raise(({ context, event }) => ({
  type: 'funds_available.due',
  at: event.at,
  dueAt: later(context.facts.funds_due_from, event.at),
}));

/** Tells batches that they may be paid: the one that asks, or all of them when the funds have just been blocked. */
const mayPay = (event: Timed) =>
  ({ type: 'sponsor_bank_dispatch.due', at: event.at, dueAt: event.at }) as const;

const tellBatch = {
  type: 'tell',
  params: ({ event }: { event: EnvelopeEvent }) => ({
    to: 'batch',
    ...(event.type === 'batch_ready' ? { id: event.batch } : {}),
    event: mayPay(event),
  }),
} as const;

const tellAllBatches = {
  type: 'tell',
  params: ({ context, event }: { context: EnvelopeContext; event: EnvelopeEvent }) => ({
    to: 'batch',
    childrenOf: context.id,
    event: mayPay(event),
  }),
} as const;

/**
 * Only when one has asked: the message reaches every batch that waits, also one whose question is still on its way. If
 * that were the only one, it would be paid while the envelope knows of no payment and may still be cancelled; it gets
 * its answer when its question arrives. A block that was under way when the envelope was cancelled permits nothing.
 */
const tellReadyBatches = envelope.enqueueActions(({ enqueue, check }) => {
  if (check('batchesAreReady') && !check('isCancelled')) enqueue(tellAllBatches);
});

const tellBatchToCancel = {
  type: 'tell',
  params: ({ event }: { event: EnvelopeEvent }) => ({
    to: 'batch',
    ...(event.type === 'batch_ready' ? { id: event.batch } : {}),
    event: { type: 'sponsor_bank_dispatch.cancel', at: event.at },
  }),
} as const;

/**
 * The bank is asked nothing more for a cancelled envelope: a stage that waits, or comes back from its worker, its
 * recovery or an operator to wait again, is called off.
 */
const calledOff = <R extends EnvelopeRegion>(region: R, pending: string, askAgain: string) => ({
  guard: and(['isCancelled', or([stateIn({ [region]: pending }), stateIn({ [region]: askAgain })])]),
  target: '.NOT_APPLICABLE' as const,
  actions: [{ type: 'cancelled' as const, params: { region } }],
});

const tellBatchesToCancel = BATCH_REGIONS.map((region) => ({
  type: 'tell' as const,
  params: ({ context, event }: { context: EnvelopeContext; event: EnvelopeEvent }) => ({
    to: 'batch',
    childrenOf: context.id,
    event: { type: `${region}.cancel`, at: event.at },
  }),
}));

/**
 * An envelope: what a ministry announced, its receipt, its money and whether it still stands. Its rows are
 * `disbursement_envelopes`, `envelope_control` and `envelope_batch_status_for_cash`.
 */
export const envelopeMachine = envelope.createMachine({
  id: 'envelope',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    created: {
      guard: 'isCash',
      actions: [
        envelope.raise(({ event }) => ({ type: 'funds_available.enable', at: event.at, dueAt: null })),
        envelope.raise(({ event }) => ({ type: 'funds_blocked.enable', at: event.at, dueAt: null })),
      ],
    },
    shipped: { actions: count('shipped') },
    reconciled: { actions: count('reconciled') },
    reversed: { actions: count('reversed') },
  },
  states: {
    receipt: {
      initial: 'RECEIVING',
      states: {
        RECEIVING: {
          on: {
            batch_received: [
              { guard: 'completes', target: 'RECEIVED', actions: [addReceived, fundsMayBeChecked] },
              { guard: 'fits', actions: addReceived },
            ],
          },
        },
        RECEIVED: {},
      },
    },
    cancellation: {
      initial: 'Not_Cancelled',
      states: {
        Not_Cancelled: {
          on: {
            cancel: {
              guard: 'noPaymentStarted',
              target: 'Cancelled',
              actions: [facts((_, event) => ({ cancellation_timestamp: event.at })), ...tellBatchesToCancel],
            },
            batch_ready: [
              {
                guard: stateIn({ funds_blocked: 'FUNDS_BLOCK_SUCCESS' }),
                actions: [
                  facts((before) => ({ number_of_batches_ready: before.number_of_batches_ready + 1 })),
                  tellBatch,
                ],
              },
              {
                actions: facts((before) => ({ number_of_batches_ready: before.number_of_batches_ready + 1 })),
              },
            ],
          },
        },
        Cancelled: { on: { batch_ready: { actions: tellBatchToCancel } } },
      },
    },
    funds_available: {
      always: calledOff('funds_available', 'PENDING_CHECK', 'FUNDS_NOT_AVAILABLE'),
      ...stageRegion(
        'funds_available',
        {
          pending: 'PENDING_CHECK',
          processing: 'CHECK_IN_PROGRESS',
          processed: 'FUNDS_AVAILABLE',
          askAgain: 'FUNDS_NOT_AVAILABLE',
        },
        {
          releasable: false,
          onProcessed: [
            envelope.raise(({ event }) => ({ type: 'funds_blocked.due', at: event.at, dueAt: event.at })),
          ],
        },
      ),
    },
    funds_blocked: {
      always: calledOff('funds_blocked', 'PENDING_CHECK', 'FUNDS_BLOCK_FAILURE'),
      ...stageRegion(
        'funds_blocked',
        {
          pending: 'PENDING_CHECK',
          processing: 'CHECK_IN_PROGRESS',
          processed: 'FUNDS_BLOCK_SUCCESS',
          askAgain: 'FUNDS_BLOCK_FAILURE',
        },
        {
          releasable: false,
          onProcessed: [
            facts((_, event) =>
              'reference' in event ? { funds_blocked_reference_number: event.reference } : {},
            ),
            tellReadyBatches,
          ],
        },
      ),
    },
  },
});
