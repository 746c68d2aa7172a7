import { assign } from 'xstate';
import {
  type ActorContext,
  type AnyStageEvent,
  CALLED_OFF,
  STALE,
  type StageData,
  type Timed,
} from './stage-data.ts';

export * from './stage-data.ts';

/**
 * The stage region: the life of one piece of work of one record, written once and used by every region whose work is
 * done by a worker. Its states are the values of the region's status column, so the row is the snapshot.
 *
 * ```
 * NOT_APPLICABLE ─enable→ PENDING ─dispatch→ PROCESSING ─succeeded→ PROCESSED (─skip→ from the first to the last)
 *        ↑────────cancel─────┘ ↑                 │
 *                              ├─failed, stale───┤ (attempts left)
 *                              ├─postponed───────┤ (uses up no attempt)
 *                            retry               ├─failed, stale→ ERROR ─release→ PROCESSED
 *                              └──── ERROR ←─────┘ (none left)
 * ```
 *
 * A fault that says that the work was called off leads from PROCESSING to NOT_APPLICABLE. A stage that is `restartable`
 * goes from everywhere to PENDING with `restart`, and to NOT_APPLICABLE with `reset`; what a worker is doing for it at
 * that moment is ignored when it comes.
 */

type Change = (stage: StageData, event: AnyStageEvent) => Partial<StageData>;

const takenBack = (event: AnyStageEvent): Partial<StageData> => (event.unsent ? { submittedAt: null } : {});

/** What has been submitted before is not what will be submitted next. */
function startedAnew(stage: StageData): Partial<StageData> {
  const submission = stage.submission + (stage.submittedAt === null ? 0 : 1);
  return { attempts: 0, errorCode: null, jobId: null, dueAt: null, submission, submittedAt: null };
}

/** What each kind of transition writes; the timestamp is stamped on all of them. */
const changes = {
  enabled: (_, event) => ({ dueAt: event.dueAt ?? null }),
  becameDue: (_, event) => ({ dueAt: event.dueAt ?? event.at }),
  dispatched: (_, event) => ({ jobId: event.job ?? null, dueAt: null }),
  submitting: (stage, event) => ({ submittedAt: stage.submittedAt ?? event.at, timestamp: stage.timestamp }),
  succeeded: (stage) => ({ attempts: stage.attempts + 1, errorCode: null, jobId: null }),
  mustAskAgain: (stage, event) => ({
    errorCode: event.code ?? null,
    jobId: null,
    dueAt: event.at,
    submission: stage.submission + 1,
    submittedAt: null,
  }),
  failed: (stage, event) => ({
    attempts: stage.attempts + 1,
    errorCode: event.code ?? STALE,
    jobId: null,
    dueAt: event.retryAt ?? null,
    ...takenBack(event),
  }),
  gaveUp: (stage, event) => ({
    attempts: stage.attempts + 1,
    errorCode: event.code ?? STALE,
    jobId: null,
    dueAt: null,
    ...takenBack(event),
  }),
  postponed: (_, event) => ({
    errorCode: event.code ?? null,
    jobId: null,
    dueAt: event.retryAt ?? null,
    ...takenBack(event),
  }),
  calledOff: (_, event) => ({ errorCode: event.code ?? null, jobId: null, dueAt: null, ...takenBack(event) }),
  refused: (stage) => ({ submission: stage.submission + 1, submittedAt: null }),
  retried: (_, event) => ({ attempts: 0, dueAt: event.at }),
  released: () => ({}),
  cancelled: () => ({ dueAt: null }),
  skipped: () => ({}),
  restarted: (stage, event) => ({ ...startedAnew(stage), dueAt: event.dueAt ?? null }),
  reset: startedAnew,
} satisfies Record<string, Change>;

/**
 * The actions and guards that every machine with stage regions puts into its `setup()`.
 *
 * `tell` and `enqueue` do nothing by themselves: they come back from the pure transition as data, and the runtime
 * turns them into a durable message and a job within the transaction that stores the transition.
 */
export function stageImplementations<R extends string, F, E extends AnyStageEvent>() {
  type Context = ActorContext<R, F>;
  const change = (apply: Change) =>
    assign<Context, E, { readonly region: R }, E, never>(({ context, event }, { region }) => {
      const stage = context.stages[region];
      const next = { ...stage, timestamp: event.at, ...apply(stage, event) };
      return { stages: { ...context.stages, [region]: next } } as Partial<Context>;
    });
  return {
    actions: {
      enabled: change(changes.enabled),
      becameDue: change(changes.becameDue),
      dispatched: change(changes.dispatched),
      submitting: change(changes.submitting),
      succeeded: change(changes.succeeded),
      mustAskAgain: change(changes.mustAskAgain),
      failed: change(changes.failed),
      gaveUp: change(changes.gaveUp),
      refused: change(changes.refused),
      retried: change(changes.retried),
      released: change(changes.released),
      cancelled: change(changes.cancelled),
      skipped: change(changes.skipped),
      postponed: change(changes.postponed),
      calledOff: change(changes.calledOff),
      restarted: change(changes.restarted),
      reset: change(changes.reset),
      enqueue: (_: unknown, _params: { readonly region: R; readonly job: string }) => {},
      tell: (_: unknown, _params: Tell) => {},
    },
    guards: {
      waits: ({ context }: Seen<Context>, { region }: { readonly region: R }) =>
        context.stages[region].dueAt === null,
      ownsJob: ({ context, event }: Seen<Context>, { region }: { readonly region: R }) =>
        owns(context, event, region),
      ownsJobOfWorkCalledOff: ({ context, event }: Seen<Context>, { region }: { readonly region: R }) =>
        owns(context, event, region) && event.code === CALLED_OFF,
      ownsJobAndMayTryAgain: ({ context, event }: Seen<Context>, { region }: { readonly region: R }) =>
        owns(context, event, region) && !event.final && mayTryAgain(context, region),
      mayTryAgain: ({ context }: Seen<Context>, { region }: { readonly region: R }) =>
        mayTryAgain(context, region),
    },
  };
}

interface Seen<C> {
  readonly context: C;
  readonly event: AnyStageEvent;
}

function owns<R extends string, F>(context: ActorContext<R, F>, event: AnyStageEvent, region: R): boolean {
  const { jobId } = context.stages[region];
  return jobId !== null && event.job === jobId;
}

function mayTryAgain<R extends string, F>(context: ActorContext<R, F>, region: R): boolean {
  return context.stages[region].attempts + 1 < context.maxAttempts[region];
}

/** A durable message: to one actor by `id`, or to all actors whose parent is `childrenOf`. */
export interface Tell {
  readonly to: string;
  readonly id?: string;
  readonly childrenOf?: string;
  readonly event: Timed & { readonly type: string };
}

/** The words a region uses for its states: ProcessStatus by default, the funds columns have their own. */
export interface StageNames<P extends string, G extends string, D extends string, A extends string> {
  readonly pending: P;
  readonly processing: G;
  readonly processed: D;
  /** Where "no" leads when it is an answer and not a fault: asked again at every tick, uses up no attempts. */
  readonly askAgain: A;
}

/** ProcessStatus, the words of all regions but the funds'. "No" counts as a fault here. */
export const PROCESS_STATUS = {
  pending: 'PENDING',
  processing: 'PROCESSING',
  processed: 'PROCESSED',
  askAgain: 'ERROR',
} as const;

/** What a machine adds to a stage region of its own. */
export interface StageOptions<D extends readonly unknown[]> {
  /** Actions on the way into the processed state, by `succeeded` or by `release`. */
  readonly onProcessed: D;
  /** Whether an operator may accept what was done and leave out what failed. */
  readonly releasable: boolean;
  /** Whether configuration may declare the stage done without doing it. */
  readonly skippable?: boolean;
  /** Whether the stage may be begun anew, or declared not applicable after all. */
  readonly restartable?: boolean;
  /** Actions whenever an attempt has ended, well or badly; they see the stage as it was before this one counts. */
  readonly onAttempted?: readonly unknown[];
}

/**
 * Builds the state node of one stage region.
 *
 * @param region name of the region; also the prefix of its events and columns
 * @param names the words for its states, see {@link StageNames}
 * @param options what this machine adds, see {@link StageOptions}
 */
export function stageRegion<
  const R extends string,
  const D extends readonly unknown[],
  const P extends string,
  const G extends string,
  const S extends string,
  const A extends string,
>(region: R, names: StageNames<P, G, S, A>, options: StageOptions<D>) {
  const on = <const K extends string>(event: K) => `${region}.${event}` as const;
  const params = { region } as const;
  const { pending, processing, processed, askAgain } = names;
  const { onAttempted = [] } = options;
  const anew = options.restartable
    ? ({
        [on('restart')]: { target: pending, actions: [{ type: 'restarted', params }] },
        [on('reset')]: { target: 'NOT_APPLICABLE', actions: [{ type: 'reset', params }] },
      } as const)
    : {};
  const dispatch = {
    target: processing,
    actions: [
      { type: 'dispatched', params },
      {
        type: 'enqueue',
        params: ({ event }: { event: AnyStageEvent }) => ({ region, job: event.job ?? '' }),
      },
    ],
  } as const;
  const cancel = { target: 'NOT_APPLICABLE', actions: [{ type: 'cancelled', params }] } as const;
  const fault = <const X extends readonly unknown[]>(...first: X) =>
    [
      {
        guard: { type: 'ownsJobAndMayTryAgain', params },
        target: pending,
        actions: [...onAttempted, ...first, { type: 'failed', params }],
      },
      {
        guard: { type: 'ownsJob', params },
        target: 'ERROR',
        actions: [...onAttempted, ...first, { type: 'gaveUp', params }],
      },
    ] as const;
  const refusal =
    askAgain === 'ERROR'
      ? fault({ type: 'refused', params })
      : ([
          {
            guard: { type: 'ownsJob', params },
            target: askAgain,
            actions: [{ type: 'mustAskAgain', params }],
          },
        ] as const);

  const states = {
    NOT_APPLICABLE: {
      on: {
        [on('enable')]: { target: pending, actions: [{ type: 'enabled', params }] },
        ...(options.skippable
          ? { [on('skip')]: { target: processed, actions: [{ type: 'skipped', params }] } }
          : {}),
        ...(options.restartable
          ? { [on('restart')]: { target: pending, actions: [{ type: 'restarted', params }] } }
          : {}),
      },
    },
    [pending]: {
      on: {
        // What has a time already, be it a retry's, keeps it.
        [on('due')]: { guard: { type: 'waits', params }, actions: [{ type: 'becameDue', params }] },
        [on('dispatch')]: dispatch,
        [on('cancel')]: cancel,
        ...anew,
      },
    },
    [processing]: {
      on: {
        [on('submitting')]: { guard: { type: 'ownsJob', params }, actions: [{ type: 'submitting', params }] },
        [on('succeeded')]: {
          guard: { type: 'ownsJob', params },
          target: processed,
          actions: [...onAttempted, { type: 'succeeded', params }, ...options.onProcessed],
        },
        [on('refused')]: refusal,
        [on('failed')]: [
          {
            guard: { type: 'ownsJobOfWorkCalledOff', params },
            target: 'NOT_APPLICABLE',
            actions: [...onAttempted, { type: 'calledOff', params }],
          },
          ...fault(),
        ],
        [on('postponed')]: {
          guard: { type: 'ownsJob', params },
          target: pending,
          actions: [{ type: 'postponed', params }],
        },
        [on('stale')]: [
          {
            guard: { type: 'mayTryAgain', params },
            target: pending,
            actions: [...onAttempted, { type: 'failed', params }],
          },
          { target: 'ERROR', actions: [...onAttempted, { type: 'gaveUp', params }] },
        ],
        ...anew,
      },
    },
    [processed]: { on: anew },
    ERROR: {
      on: {
        [on('retry')]: { target: pending, actions: [{ type: 'retried', params }] },
        ...(options.releasable
          ? {
              [on('release')]: {
                target: processed,
                actions: [{ type: 'released', params }, ...options.onProcessed],
              },
            }
          : {}),
        ...anew,
      },
    },
    ...(askAgain === 'ERROR'
      ? {}
      : { [askAgain]: { on: { [on('dispatch')]: dispatch, [on('cancel')]: cancel, ...anew } } }),
  } as const;
  type State = (typeof states)[string];
  return {
    initial: 'NOT_APPLICABLE',
    states: states as Record<'NOT_APPLICABLE' | 'ERROR' | P | G | S | A, State>,
  } as const;
}
