import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { Actor } from '../../runtime/actor.ts';
import type { Transition } from '../../runtime/journal.ts';
import type { Registry } from '../../runtime/registry.ts';
import { type Reading, type Subject, Subjects } from './subjects.ts';

/**
 * Tells transitions of the journal as the inspection events of Stately: an actor when it is first heard of (parents before
 * their children, with the definition of its machine), then for each transition the event and the snapshot after it. The
 * journal alone makes the snapshots, so what is replayed and what happens now look the same.
 */
export class Inspection {
  readonly #subjects: Subjects;
  readonly #inspector: ReturnType<typeof createInspector>;
  /** Which actor the next event is about, and when it happened. */
  #about: { readonly subject: Subject; readonly at: Date } | null = null;

  /** @param send takes the events, in their order */
  constructor(registry: Registry, send: (event: StatelyInspectionEvent) => void) {
    this.#subjects = new Subjects(registry);
    this.#inspector = createInspector(
      { send },
      // The inspector is made for actors of this moment and this process; ours have a past and names of their own.
      { serialize: (event) => this.#stamped(event) },
    );
  }

  /** Tells entries of the journal, in their order. Those of actors for which there is no room any more are left out. */
  async tell(reading: Reading, entries: readonly Transition[]): Promise<void> {
    const named = entries.map((entry) => ({ machine: entry.machine, id: entry.actor_id }));
    const [first] = entries;
    if (!first) return;
    for (const subject of await this.#subjects.meet(reading, named)) {
      this.#about = { subject, at: first.at };
      this.#inspector.actor(subject as never, snapshotOf(subject));
    }
    for (const entry of entries) this.#tellOne(entry);
  }

  #tellOne(entry: Transition): void {
    const subject = this.#subjects.get({ machine: entry.machine, id: entry.actor_id });
    if (!subject) return;
    const event = eventOf(subject, entry);
    apply(subject, entry);
    this.#about = { subject, at: entry.at };
    this.#inspector.event(subject.sessionId, event);
    this.#inspector.snapshot(subject.sessionId, snapshotOf(subject), { event });
  }

  #stamped(event: StatelyInspectionEvent): StatelyInspectionEvent {
    if (!this.#about) return event;
    const { subject, at } = this.#about;
    const stamped = { ...event, createdAt: String(at.getTime()), rootId: rootOf(subject).sessionId };
    return stamped.type === '@xstate.actor'
      ? { ...stamped, name: subject.name, definition: definitionOf(subject.actor) }
      : stamped;
  }
}

const definitions = new WeakMap<Actor, string>();

/** The machine as the inspector draws it; written once, since it is long. Functions are named only. */
function definitionOf(actor: Actor): string {
  const known = definitions.get(actor);
  if (known !== undefined) return known;
  const named = (_key: string, value: unknown) =>
    typeof value === 'function' ? { type: value.name } : value;
  const made = JSON.stringify(actor.machine.config, named);
  definitions.set(actor, made);
  return made;
}

const rootOf = (subject: Subject): Subject => (subject._parent ? rootOf(subject._parent) : subject);

/** A copy: the subject goes on. */
const snapshotOf = ({ value, stages, name }: Subject) => ({
  status: 'active' as const,
  value: { ...value },
  context: { id: name, stages: { ...stages } },
});

/** The event under the name that the machine has for it, with what the journal keeps of it. */
function eventOf({ actor: { machine } }: Subject, entry: Transition) {
  const { region, event, job_id: job, error_code: code, error_message: message, at } = entry;
  const own = `${region}.${event}`;
  return {
    type: machine.events.includes(own) ? own : event,
    at: at.toISOString(),
    seq: entry.seq,
    ...(job !== null && { job }),
    ...(code !== null && { code }),
    ...(message !== null && { message }),
    ...(entry.by !== null && { by: entry.by, reason: entry.reason }),
  };
}

function apply(subject: Subject, entry: Transition): void {
  const { region, attempt, job_id, due_at, error_code } = entry;
  if (region === '') return;
  subject.value[region] = entry.to_state;
  const stage = subject.actor.stages.find((one) => one.region === region);
  if (!stage) return;
  // An entry also names the job that has just ended.
  const jobId = entry.to_state === stage.processing ? job_id : null;
  subject.stages[region] = { attempts: attempt, jobId, dueAt: due_at, errorCode: error_code };
}
