import { setup } from 'xstate';
import type { Allocated, Cancel } from './geo.ts';
import {
  type ActorContext,
  PROCESS_STATUS,
  type StageEvent,
  stageImplementations,
  stageRegion,
} from './stage.ts';

/** The one stage of a beneficiary record. */
export const BENEFICIARY_REGIONS = ['beneficiary_notification'] as const;
export type BeneficiaryRegion = (typeof BENEFICIARY_REGIONS)[number];

/** A beneficiary record's machine reads no columns but those of its stage. */
export type BeneficiaryFacts = Readonly<Record<never, never>>;

export type BeneficiaryEvent = StageEvent<BeneficiaryRegion> | Allocated | Cancel;
export type BeneficiaryContext = ActorContext<BeneficiaryRegion, BeneficiaryFacts>;

const shared = stageImplementations<BeneficiaryRegion, BeneficiaryFacts, BeneficiaryEvent>();

const beneficiary = setup({
  types: {} as { context: BeneficiaryContext; events: BeneficiaryEvent; input: BeneficiaryContext },
  actions: shared.actions,
  guards: {
    ...shared.guards,
    isToNotify: ({ event }) => event.type === 'allocated' && event.notify,
  },
});

/**
 * A beneficiary record: where one beneficiary of a batch lives, and whether they have been told. They are told after the
 * agency that serves them, whose geo record sends `due`. Its row is `disbursement_resolution_geo_address`.
 */
export const beneficiaryMachine = beneficiary.createMachine({
  id: 'beneficiary',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    cancel: {
      actions: beneficiary.raise(({ event }) => ({ type: 'beneficiary_notification.cancel', at: event.at })),
    },
    allocated: [
      {
        guard: 'isToNotify',
        actions: beneficiary.raise(({ event }) => ({
          type: 'beneficiary_notification.enable',
          at: event.at,
          dueAt: null,
        })),
      },
      {
        actions: beneficiary.raise(({ event }) => ({ type: 'beneficiary_notification.skip', at: event.at })),
      },
    ],
  },
  states: {
    beneficiary_notification: stageRegion('beneficiary_notification', PROCESS_STATUS, {
      releasable: false,
      skippable: true,
      onProcessed: [],
    }),
  },
});
