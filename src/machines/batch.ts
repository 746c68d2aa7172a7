import { and, not, setup, stateIn } from 'xstate';
import type { BenefitType } from './benefit-type.ts';
import {
  type ActorContext,
  PROCESS_STATUS,
  type StageEvent,
  stageImplementations,
  stageRegion,
  type Timed,
} from './stage.ts';

export { BENEFIT_TYPES, type BenefitType } from './benefit-type.ts';

/** The stages of a batch, in the order of the pipeline. */
export const BATCH_REGIONS = [
  'fa_resolution',
  'geo_resolution',
  'warehouse_allocation',
  'agency_allocation',
  'sponsor_bank_dispatch',
] as const;
export type BatchRegion = (typeof BATCH_REGIONS)[number];

/** The columns of a batch that its machine reads. */
export interface BatchFacts {
  readonly disbursement_envelope_id: string;
  readonly benefit_type: BenefitType;
}

export type BatchEvent =
  | Exclude<StageEvent<BatchRegion>, { readonly type: 'agency_allocation.succeeded' }>
  | (Timed & { readonly type: 'agency_allocation.succeeded'; readonly job: string; readonly notify: boolean })
  | (Timed & { readonly type: 'received' })
  /** Its envelope was cancelled. */
  | (Timed & { readonly type: 'cancel' })
  /** Some of its disbursements were cancelled. */
  | (Timed & { readonly type: 'disbursements_cancelled' });
export type BatchContext = ActorContext<BatchRegion, BatchFacts>;

const shared = stageImplementations<BatchRegion, BatchFacts, BatchEvent>();

const batch = setup({
  types: {} as { context: BatchContext; events: BatchEvent; input: BatchContext },
  actions: shared.actions,
  guards: {
    ...shared.guards,
    isDigitalCash: ({ context }) => context.facts.benefit_type === 'CASH_DIGITAL',
    isPhysicalCash: ({ context }) => context.facts.benefit_type === 'CASH_PHYSICAL',
  },
});

/** Makes another stage of this batch due at once. */
const enableNow = <const R extends BatchRegion>(region: R) =>
  batch.raise(({ event }) => ({ type: `${region}.enable`, at: event.at, dueAt: event.at }) as BatchEvent);

/**
 * Payment waits for the envelope: its funds must be blocked. The batch does not look; it asks, and the envelope, which
 * handles its messages one at a time, answers with `sponsor_bank_dispatch.due` now or when the funds are blocked.
 */
const readyToPay = [
  batch.raise(({ event }) => ({ type: 'sponsor_bank_dispatch.enable', at: event.at, dueAt: null })),
  {
    type: 'tell',
    params: ({ context, event }: { context: BatchContext; event: Timed }) => ({
      to: 'envelope',
      id: context.facts.disbursement_envelope_id,
      event: { type: 'batch_ready', batch: context.id, at: event.at },
    }),
  },
] as const;

const physicalCashIsReadyToPay = batch.enqueueActions(({ enqueue, check }) => {
  if (check('isPhysicalCash')) for (const action of readyToPay) enqueue(action);
});

/** Everybody concerned is told now, or never when notifications are suppressed. */
const geosAreAllocated = {
  type: 'tell',
  params: ({ context, event }: { context: BatchContext; event: BatchEvent }) => ({
    to: 'geo',
    childrenOf: context.id,
    event: { type: 'allocated', notify: 'notify' in event && event.notify, at: event.at },
  }),
} as const;

const geosAreCancelled = {
  type: 'tell',
  params: ({ context, event }: { context: BatchContext; event: BatchEvent }) => ({
    to: 'geo',
    childrenOf: context.id,
    event: { type: 'cancel', at: event.at },
  }),
} as const;

/** What waits is called off; what is under way finds out by itself. */
const callOff = (region: BatchRegion) =>
  batch.raise(({ event }) => ({ type: `${region}.cancel`, at: event.at }) as BatchEvent);

/** A stage that worked, or works, on disbursements that have been cancelled begins with those that are left. */
const beginAnew = (region: BatchRegion) =>
  batch.raise(({ event }) => ({ type: `${region}.restart`, at: event.at, dueAt: event.at }) as BatchEvent);
const reset = (region: BatchRegion) =>
  batch.raise(({ event }) => ({ type: `${region}.reset`, at: event.at }) as BatchEvent);
const addressesAreMissing = not(stateIn({ fa_resolution: 'PROCESSED' }));

/**
 * A batch of disbursements, as it was received in one request. Its five regions are the columns `<region>_status` of
 * `disbursement_batch_control`; the benefit type decides which of them it passes.
 */
export const batchMachine = batch.createMachine({
  id: 'batch',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    cancel: [
      {
        guard: stateIn({ agency_allocation: 'PROCESSED' }),
        actions: [...BATCH_REGIONS.map(callOff), geosAreCancelled],
      },
      // Of geo records that have not heard of their warehouse and agency nothing waits.
      { actions: BATCH_REGIONS.map(callOff) },
    ],
    disbursements_cancelled: [
      { guard: and(['isDigitalCash', addressesAreMissing]), actions: beginAnew('fa_resolution') },
      { guard: 'isDigitalCash' },
      {
        guard: not(stateIn({ agency_allocation: 'PROCESSED' })),
        actions: [beginAnew('geo_resolution'), reset('warehouse_allocation'), reset('agency_allocation')],
      },
    ],
    received: [
      { guard: 'isDigitalCash', actions: enableNow('fa_resolution') },
      { actions: enableNow('geo_resolution') },
    ],
  },
  states: {
    fa_resolution: stageRegion('fa_resolution', PROCESS_STATUS, {
      releasable: true,
      restartable: true,
      onProcessed: readyToPay,
    }),
    geo_resolution: stageRegion('geo_resolution', PROCESS_STATUS, {
      releasable: true,
      restartable: true,
      onProcessed: [enableNow('warehouse_allocation')],
    }),
    warehouse_allocation: stageRegion('warehouse_allocation', PROCESS_STATUS, {
      releasable: false,
      restartable: true,
      onProcessed: [enableNow('agency_allocation')],
    }),
    agency_allocation: stageRegion('agency_allocation', PROCESS_STATUS, {
      releasable: false,
      restartable: true,
      onProcessed: [geosAreAllocated, physicalCashIsReadyToPay],
    }),
    sponsor_bank_dispatch: stageRegion('sponsor_bank_dispatch', PROCESS_STATUS, {
      releasable: true,
      onProcessed: [],
    }),
  },
});
