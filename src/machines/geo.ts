import { and, not, setup, stateIn } from 'xstate';
import {
  type ActorContext,
  PROCESS_STATUS,
  type StageEvent,
  stageImplementations,
  stageRegion,
  type Timed,
} from './stage.ts';

/** The stages of a geo record, in the order in which people are told. */
export const GEO_REGIONS = ['warehouse_notification', 'agency_notification'] as const;
export type GeoRegion = (typeof GEO_REGIONS)[number];

/** A geo record's machine reads no columns but those of its stages. */
export type GeoFacts = Readonly<Record<never, never>>;

/** Warehouse and agency have been found; `notify` is false when notifications are suppressed. */
export type Allocated = Timed & { readonly type: 'allocated'; readonly notify: boolean };

/** The envelope was cancelled. */
export type Cancel = Timed & { readonly type: 'cancel' };

export type GeoEvent = StageEvent<GeoRegion> | Allocated | Cancel;
export type GeoContext = ActorContext<GeoRegion, GeoFacts>;

const shared = stageImplementations<GeoRegion, GeoFacts, GeoEvent>();

const geo = setup({
  types: {} as { context: GeoContext; events: GeoEvent; input: GeoContext },
  actions: shared.actions,
  guards: {
    ...shared.guards,
    isToNotify: ({ event }) => event.type === 'allocated' && event.notify,
    isNew: and([
      stateIn({ warehouse_notification: 'NOT_APPLICABLE' }),
      stateIn({ agency_notification: 'NOT_APPLICABLE' }),
    ]),
    // Once more after an operator's retry, which counts anew: whoever has a time already keeps it.
    isFirstAttempt: ({ context }) => context.stages.agency_notification.attempts === 0,
  },
});

const tellBeneficiaries = (event: (cause: GeoEvent) => Timed & { readonly type: string }) =>
  ({
    type: 'tell',
    params: ({ context, event: cause }: { context: GeoContext; event: GeoEvent }) => ({
      to: 'beneficiary',
      childrenOf: context.id,
      event: event(cause),
    }),
  }) as const;

const beneficiariesAreAllocated = tellBeneficiaries(({ at, ...cause }) => ({
  type: 'allocated',
  notify: 'notify' in cause && cause.notify,
  at,
}));

const beneficiariesMayBeNotified = tellBeneficiaries(({ at }) => ({
  type: 'beneficiary_notification.due',
  at,
  dueAt: at,
}));

/** The agency's turn comes with the end of the first attempt to tell the warehouse: one that fails holds nobody back. */
const agencyMayBeNotified = geo.raise(({ event }) => ({
  type: 'agency_notification.due',
  at: event.at,
  dueAt: event.at,
}));

/** Later attempts to tell the agency change nothing for the beneficiaries, of whom there may be many. */
const firstAttemptLetsBeneficiariesGo = geo.enqueueActions(({ enqueue, check }) => {
  if (check('isFirstAttempt')) enqueue(beneficiariesMayBeNotified);
});

const beneficiariesAreCancelled = tellBeneficiaries(({ at }) => ({ type: 'cancel', at }));

/** What waits is called off; what is under way finds out by itself. */
const callOff = (region: GeoRegion) =>
  geo.raise(({ event }) => ({ type: `${region}.cancel`, at: event.at }) as GeoEvent);

const enable = (region: GeoRegion, now: boolean) =>
  geo.raise(
    ({ event }) => ({ type: `${region}.enable`, at: event.at, dueAt: now ? event.at : null }) as GeoEvent,
  );
const skip = (region: GeoRegion) =>
  geo.raise(({ event }) => ({ type: `${region}.skip`, at: event.at }) as GeoEvent);

/**
 * A geo record: the part of a batch that goes to one small zone. First its warehouse is told, then its agency, then its
 * beneficiaries. Its regions are columns of `disbursement_batch_control_geo`.
 */
export const geoMachine = geo.createMachine({
  id: 'geo',
  type: 'parallel',
  context: ({ input }) => input,
  on: {
    cancel: {
      guard: not('isNew'),
      actions: [callOff('warehouse_notification'), callOff('agency_notification'), beneficiariesAreCancelled],
    },
    allocated: [
      {
        guard: and(['isNew', 'isToNotify']),
        actions: [
          enable('warehouse_notification', true),
          enable('agency_notification', false),
          beneficiariesAreAllocated,
        ],
      },
      {
        guard: 'isNew',
        actions: [skip('warehouse_notification'), skip('agency_notification'), beneficiariesAreAllocated],
      },
    ],
  },
  states: {
    warehouse_notification: stageRegion('warehouse_notification', PROCESS_STATUS, {
      releasable: false,
      skippable: true,
      onProcessed: [],
      onAttempted: [agencyMayBeNotified],
    }),
    agency_notification: stageRegion('agency_notification', PROCESS_STATUS, {
      releasable: false,
      skippable: true,
      onProcessed: [],
      onAttempted: [firstAttemptLetsBeneficiariesGo],
    }),
  },
});
