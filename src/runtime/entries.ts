import type { AnyStateMachine } from 'xstate';
import type { Actor } from './actor.ts';
import { type SnapshotView, view } from './codec.ts';
import type { AnyEvent, Step } from './compute.ts';
import type { NewTransition } from './journal.ts';
import { whoOf } from './who.ts';

/** Whom and when a journal entry is about. */
export interface Subject {
  readonly actor: Actor;
  readonly id: string;
  readonly correlation: string;
  readonly at: Date;
}

/** One entry for every region that a step touched; one without a region when it touched none. */
export function stepEntries(subject: Subject, step: Step<AnyStateMachine>, cause: AnyEvent): NewTransition[] {
  const before = view(step.before);
  const after = view(step.after);
  const { stages, states } = subject.actor;
  const touched = [
    ...stages
      .map(({ region }) => region)
      .filter((region) => before.context.stages[region] !== after.context.stages[region]),
    ...Object.keys(states).filter((region) => before.value[region] !== after.value[region]),
  ];
  const message = step.event === cause && 'message' in cause ? String(cause.message) : null;
  return (touched.length === 0 ? [''] : touched).map((region) => ({
    ...entry(subject, region, after),
    event: nameWithin(region, step.event),
    from_state: before.value[region] ?? '',
    job_id: after.context.stages[region]?.jobId ?? before.context.stages[region]?.jobId ?? null,
    error_message: message,
    ...whoOf(cause),
  }));
}

/** A result under a job that no longer owns the stage changes nothing, but it is shown. */
export function lateEntry(subject: Subject, now: SnapshotView, event: AnyEvent): NewTransition[] {
  const region = event.type.slice(0, Math.max(0, event.type.indexOf('.')));
  const state = now.value[region];
  if (state === undefined) return [];
  return [
    {
      ...entry(subject, region, now),
      event: 'late',
      from_state: state,
      job_id: 'job' in event ? String(event.job) : null,
      error_message: `${event.type} came under a job that no longer owns the work; it was ignored.`,
      ...whoOf(event),
    },
  ];
}

/** What an entry says of the region as it is afterwards. */
function entry({ actor, id, correlation, at }: Subject, region: string, { value, context }: SnapshotView) {
  const stage = context.stages[region];
  return {
    at,
    machine: actor.name,
    actor_id: id,
    correlation_id: correlation,
    region,
    to_state: value[region] ?? '',
    attempt: stage?.attempts ?? 0,
    due_at: stage?.dueAt ?? null,
    error_code: stage?.errorCode ?? null,
  };
}

const nameWithin = (region: string, { type }: AnyEvent): string =>
  type.startsWith(`${region}.`) ? type.slice(region.length + 1) : type;
