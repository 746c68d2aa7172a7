import type { AnyStateMachine, SnapshotFrom } from 'xstate';
import { RuntimeError } from './errors.ts';

/**
 * The pure core: what an event does to a snapshot, with the actions as data. XState's own `transition()` makes an
 * actor for every call; this calls the machine with one inert scope that is used again and again, about six times
 * as fast.
 */

/** One microstep: the event (sent or raised) and the snapshots around it. */
export interface Step<M extends AnyStateMachine> {
  readonly event: AnyEvent;
  readonly before: SnapshotFrom<M>;
  readonly after: SnapshotFrom<M>;
}

/** An action that the machine asks for, to be carried out by the runtime. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

export interface Computed<M extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<M>;
  /** Whether any transition was taken; an event that nothing reacts to changes nothing. */
  readonly accepted: boolean;
  readonly steps: readonly Step<M>[];
  readonly effects: readonly Effect[];
}

export interface AnyEvent {
  readonly type: string;
}

interface MicrostepInspection {
  readonly type: string;
  readonly event: AnyEvent;
  readonly snapshot: unknown;
  readonly _transitions: readonly unknown[];
}

type Scope = Parameters<AnyStateMachine['transition']>[2];

/** What the current call collects; calls never overlap because the core is synchronous. */
let effects: Effect[] = [];
let microsteps: MicrostepInspection[] = [];

const inertScope = {
  self: {},
  id: '',
  sessionId: '',
  logger: () => {},
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  system: {
    _sendInspectionEvent: (event: MicrostepInspection) => {
      if (event.type === '@xstate.microstep') microsteps.push(event);
    },
  },
  actionExecutor: (action: Effect) => {
    if (isSettled(action)) return;
    if (action.type.startsWith('xstate.')) {
      throw new RuntimeError(
        'UNSUPPORTED_ACTION',
        `${action.type} needs an actor in memory; send a durable message.`,
      );
    }
    effects.push({ type: action.type, params: action.params });
  },
} as unknown as Scope;

/** Actions of XState's own that a transition settles itself, or that have no effect. */
function isSettled({ type, params }: Effect): boolean {
  if (type === 'xstate.log') return true;
  return type === 'xstate.raise' && (params as { readonly delay?: number }).delay === undefined;
}

/**
 * Applies one event to a snapshot.
 *
 * @throws what a guard or an action of the machine throws, and RuntimeError `UNSUPPORTED_ACTION` for delays, spawned
 *   actors and the like; nothing is changed then
 */
export function compute<M extends AnyStateMachine>(
  machine: M,
  snapshot: SnapshotFrom<M>,
  event: AnyEvent,
): Computed<M> {
  effects = [];
  microsteps = [];
  const next = machine.transition(snapshot, event, inertScope) as SnapshotFrom<M>;
  const steps: Step<M>[] = [];
  let before = snapshot;
  for (const microstep of microsteps) {
    const after = microstep.snapshot as SnapshotFrom<M>;
    if (microstep._transitions.length > 0) steps.push({ event: microstep.event, before, after });
    before = after;
  }
  return { snapshot: next, accepted: steps.length > 0, steps, effects };
}
