import { and, not, or, setup, stateIn } from 'xstate';
import { addDecimals } from '../decimal.ts';
import { isCash } from './benefit-type.ts';
import type { EnvelopeContext, EnvelopeEvent, EnvelopeFacts, EnvelopeRegion } from './envelope-data.ts';
import {
  isAmendedInVain,
  isCancelled,
  isComplete,
  isPossible,
  mayHaveBlocked,
  mayHavePaid,
  receiptAfter,
} from './envelope-receipt.ts';
import { PROCESS_STATUS, stageImplementations, stageRegion, type Timed } from './stage.ts';

export * from './envelope-data.ts';

const shared = stageImplementations<EnvelopeRegion, EnvelopeFacts, EnvelopeEvent>();

const envelope = setup({
  types: {} as { context: EnvelopeContext; events: EnvelopeEvent; input: EnvelopeContext },
  actions: shared.actions,
  guards: {
    ...shared.guards,
    isCash: ({ context }) => isCash(context.facts.benefit_type),
    isStanding: ({ context }) => !isCancelled(context),
    completes: ({ context, event }) => isComplete(receiptAfter(context, event)),
    noPaymentStarted: ({ context }) => !mayHavePaid(context),
    hasNoBlock: ({ context }) => context.facts.funds_blocked_reference_number === null,
    knowsWhatIsBlocked: ({ context }) => !mayHaveBlocked(context),
    staysPossible: ({ context, event }) => isPossible(receiptAfter(context, event)),
    changesMoney: ({ context, event }) =>
      isCash(context.facts.benefit_type) && !isAmendedInVain(context, event),
    mayHaveSubmittedBlock: ({ context }) => context.stages.funds_blocked.submittedAt !== null,
    batchesAreReady: ({ context }) => context.facts.number_of_batches_ready > 0,
    isCancelled: ({ context }) => isCancelled(context),
  },
});

const facts = (change: (facts: EnvelopeFacts, event: EnvelopeEvent) => Partial<EnvelopeFacts>) =>
  envelope.assign(({ context, event }) => ({ facts: { ...context.facts, ...change(context.facts, event) } }));

const count = (column: 'shipped' | 'reconciled' | 'reversed') =>
  facts((before, event) => {
    if (event.type !== column) return {};
    const number = `number_of_disbursements_${column}` as const;
    const sum = `quantity_${column}` as const;
    return {
      [number]: before[number] + event.count,
      [sum]: addDecimals(before[sum], event.quantity ?? '0'),
    };
  });

const receive = envelope.assign(({ context, event }) => ({
  facts: { ...context.facts, ...receiptAfter(context, event) },
}));

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
 * recovery or an operator to wait again, is called off. But what the bank may have blocked without us knowing the block
 * is found out, so that it can be given back.
 */
const calledOff = <R extends EnvelopeRegion>(region: R, pending: string, askAgain: string) => ({
  guard: and([
    'isCancelled',
    or([stateIn({ [region]: pending }), stateIn({ [region]: askAgain })]),
    not('mayHaveSubmittedBlock'),
  ]),
  target: '.NOT_APPLICABLE' as const,
  actions: [{ type: 'cancelled' as const, params: { region } }],
});

/** One block can be on its way back at a time. */
const canGiveBack = or([
  'hasNoBlock',
  stateIn({ funds_released: 'NOT_APPLICABLE' }),
  stateIn({ funds_released: 'PROCESSED' }),
]);

/** Nothing has been paid or may be, and what the bank has blocked is known, so totals can still change. */
const isChangeable = and(['noPaymentStarted', 'knowsWhatIsBlocked', canGiveBack, 'staysPossible']);

/** Has the bank free the block, where there is one. */
const giveBack = envelope.enqueueActions(({ enqueue, context, event }) => {
  const reference = context.facts.funds_blocked_reference_number;
  if (reference === null) return;
  enqueue.assign({ facts: { ...context.facts, funds_released_reference_number: reference } });
  enqueue.raise({ type: 'funds_released.restart', at: event.at, dueAt: event.at });
});

/** A block that was under way when the envelope was cancelled; one that is on its way back is waited for. */
const giveBackWhenCancelled = envelope.enqueueActions(({ enqueue, check }) => {
  if (check('isCancelled') && check(canGiveBack)) enqueue(giveBack);
});

/** The block that waited for the one that has just been given back. */
const giveBackNextWhenCancelled = envelope.enqueueActions(({ enqueue, check, context: { facts } }) => {
  if (facts.funds_blocked_reference_number === facts.funds_released_reference_number) return;
  if (check('isCancelled')) enqueue(giveBack);
});

/** What was short of money may have been so because of the block that has just been given back. */
const askAgainForMoney = envelope.enqueueActions(({ enqueue, check, event: { at } }) => {
  if (check(stateIn({ funds_available: 'FUNDS_NOT_AVAILABLE' })))
    enqueue.raise({ type: 'funds_available.restart', at, dueAt: at });
  if (check(stateIn({ funds_blocked: 'FUNDS_BLOCK_FAILURE' })))
    enqueue.raise({ type: 'funds_blocked.restart', at, dueAt: at });
});

/** Money that was found and blocked for other totals is given back and asked for again when all is received. */
const beginMoneyAnew = envelope.enqueueActions(({ enqueue, check, context, event }) => {
  if (!check('changesMoney')) return;
  enqueue(giveBack);
  enqueue.assign(({ context: now }) => ({ facts: { ...now.facts, funds_blocked_reference_number: null } }));
  const { at } = event;
  const from = event.type === 'amend' ? event.funds_due_from : context.facts.funds_due_from;
  const dueAt = isComplete(receiptAfter(context, event)) ? later(from, at) : null;
  enqueue.raise({ type: 'funds_available.restart', at, dueAt });
  enqueue.raise({ type: 'funds_blocked.restart', at, dueAt: null });
});

const amendFacts = facts((_, event) =>
  event.type === 'amend'
    ? {
        number_of_disbursements: event.number_of_disbursements,
        total_disbursement_quantity: event.total_disbursement_quantity,
        funds_due_from: event.funds_due_from,
      }
    : {},
);

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
              {
                guard: and(['isStanding', 'completes']),
                target: 'RECEIVED',
                actions: [receive, fundsMayBeChecked],
              },
              { guard: and(['isStanding', 'staysPossible']), actions: receive },
            ],
            amend: { guard: and(['isStanding', isChangeable, 'completes']), target: 'RECEIVED' },
          },
        },
        RECEIVED: {
          on: {
            amend: { guard: and(['isStanding', isChangeable, not('completes')]), target: 'RECEIVING' },
            disbursements_cancelled: { guard: and(['isStanding', isChangeable]), target: 'RECEIVING' },
          },
        },
      },
    },
    cancellation: {
      initial: 'Not_Cancelled',
      states: {
        Not_Cancelled: {
          on: {
            cancel: {
              guard: and(['noPaymentStarted', canGiveBack]),
              target: 'Cancelled',
              actions: [facts((_, event) => ({ cancellation_timestamp: event.at })), giveBack],
            },
            amend: { guard: isChangeable, actions: [beginMoneyAnew, amendFacts] },
            disbursements_cancelled: { guard: isChangeable, actions: [beginMoneyAnew, receive] },
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
          restartable: true,
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
            giveBackWhenCancelled,
          ],
          restartable: true,
        },
      ),
    },
    funds_released: stageRegion('funds_released', PROCESS_STATUS, {
      releasable: true,
      restartable: true,
      onProcessed: [giveBackNextWhenCancelled, askAgainForMoney],
    }),
  },
});
