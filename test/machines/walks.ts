import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import {
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
  type EventFromLogic,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
} from 'xstate';
import type { StageEvent } from '../../src/machines/stage.ts';
import { later, START, seen, stageOf, step } from './records.ts';
import { type MachineRules, plain, predict, type RegionEvent, type World } from './table.ts';

/** Walks through every state that a machine can get to, generated from the machine and checked against the table. */

/** A transition of a machine: each guarded alternative of an event is one of its own. */
interface Listed {
  readonly definition: AnyTransitionDefinition;
  readonly name: string;
}

/** All transitions that a machine defines, on whatever level. */
export function transitionsOf(machine: AnyStateMachine): Listed[] {
  const listed: Listed[] = [];
  const visit = (node: AnyStateNode) => {
    const always = (node.always ?? []) as readonly AnyTransitionDefinition[];
    const alternatives: [string, readonly AnyTransitionDefinition[]][] = [
      ...node.transitions,
      ['always', always],
    ];
    for (const [event, definitions] of alternatives) {
      definitions.forEach((definition, n) => {
        listed.push({ definition, name: `${node.id} -(${event} ${n + 1}/${definitions.length})->` });
      });
    }
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(machine.root);
  return listed;
}

/** One transition as it was taken, by the event itself or by one that it raised. */
export interface Microstep {
  readonly event: { readonly type: string };
  readonly before: unknown;
  readonly after: unknown;
  readonly transitions: readonly AnyTransitionDefinition[];
}

export function microsteps<M extends AnyStateMachine>(
  machine: M,
  snapshot: SnapshotFrom<M>,
  event: EventFromLogic<M>,
): Microstep[] {
  const steps: Microstep[] = [];
  let before: unknown = snapshot;
  let sending = false;
  const actor = createActor(machine as AnyStateMachine, {
    snapshot,
    inspect: (seenEvent) => {
      if (!sending || seenEvent.type !== '@xstate.microstep') return;
      const { event: cause, snapshot: after, _transitions: transitions } = seenEvent;
      steps.push({ event: cause, before, after, transitions });
      before = after;
    },
  }).start();
  sending = true;
  actor.send(event);
  return steps;
}

export interface WalkOptions<M extends AnyStateMachine> {
  readonly machine: M;
  readonly input: InputFrom<M>;
  /** What the outside may send now; unlike the machine's own list, it has events that are out of place, too. */
  events(snapshot: SnapshotFrom<M>, at: Date): readonly EventFromLogic<M>[];
  /** What else tells states apart. Dates and counts that only grow must not be among it. */
  more?(world: World): unknown;
  readonly rules: MachineRules;
}

const LOOKS_MAX = 3;

/** What walks have come by. */
export class Coverage {
  readonly #machine: AnyStateMachine;
  readonly #taken = new Set<AnyTransitionDefinition>();
  readonly #looks = new Map<string, number>();
  states = 0;
  steps = 0;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  /**
   * @param name a step that looks the same: looked at again only a few times, since looking is slow
   */
  take(name: string, definitions: () => readonly AnyTransitionDefinition[]): void {
    const looks = this.#looks.get(name) ?? 0;
    if (looks === LOOKS_MAX) return;
    this.#looks.set(name, looks + 1);
    for (const definition of definitions()) this.#taken.add(definition);
  }

  /** Transitions that no walk has taken. */
  missed(): string[] {
    return transitionsOf(this.#machine)
      .filter(({ definition }) => !this.#taken.has(definition))
      .map(({ name }) => name);
  }
}

const CALLED_OFF = 'ENVELOPE_CANCELLED';
const STATES_MAX = 2_000;

/**
 * Walks the shortest way to every state, and from there every event once; after each step the machine must be where
 * the table says, to the last column, and ask of the outside exactly what the table says.
 */
export function walkEverywhere<M extends AnyStateMachine>(options: WalkOptions<M>, coverage: Coverage): void {
  const [start] = initialTransition(options.machine, options.input);
  const reached = new Map<string, readonly [SnapshotFrom<M>, World]>();
  reached.set(keyOf(start, options), [start, worldOf(start)]);
  // What is added on the way is walked as well.
  for (const [before, world] of reached.values()) {
    for (const event of options.events(before, now(before))) {
      const after = check(options, before, world, event, coverage);
      const key = keyOf(after[0], options);
      if (!reached.has(key)) reached.set(key, after);
    }
    expect(reached.size).toBeLessThan(STATES_MAX);
  }
  coverage.states += reached.size;
}

function check<M extends AnyStateMachine>(
  { machine, rules }: WalkOptions<M>,
  before: SnapshotFrom<M>,
  world: World,
  event: EventFromLogic<M>,
  coverage: Coverage,
): [SnapshotFrom<M>, World] {
  const expected = predict(rules, world, event as unknown as RegionEvent);
  const { snapshot, effects } = step(machine, before, event);
  const actual = { world: worldOf(snapshot), effects };
  // The same question first in its fast form: there are tens of thousands.
  if (!isDeepStrictEqual(actual, expected)) {
    expect(actual, `after ${JSON.stringify(event)} in ${JSON.stringify(world)}`).toEqual(expected);
    expect.unreachable('The two comparisons disagree.');
  }
  // Nothing to happen means nothing at all, not even a copy.
  if (expected.world === world) expect(snapshot, `after ${JSON.stringify(event)}`).toBe(before);
  const name = `${event.type} ${Object.values(world.value)} ${Object.values(expected.world.value)}`;
  // Of a record's own events, also those that it takes without doing anything.
  const own = rules.regions[event.type.split('.')[0] ?? ''] === undefined;
  if (snapshot !== before || effects.length > 0 || own)
    coverage.take(name, () => microsteps(machine, before, event).flatMap((one) => one.transitions));
  coverage.steps += 1;
  return [snapshot, expected.world];
}

export function worldOf(snapshot: unknown): World {
  const { value, context } = seen(snapshot);
  return { value, stages: context.stages, facts: context.facts };
}

/** What tells states apart: the columns that a region's next step depends on. */
function keyOf<M extends AnyStateMachine>(snapshot: unknown, { more, rules }: WalkOptions<M>): string {
  const world = worldOf(snapshot);
  const parts = Object.entries(rules.regions).map(([region, ofRegion]) => {
    const state = world.value[region] ?? '';
    const { attempts, dueAt, submittedAt, errorCode } = stageOf(snapshot, region);
    if (['NOT_APPLICABLE', 'PROCESSED'].includes(plain(ofRegion, state))) return state;
    const sending = submittedAt !== null && plain(ofRegion, state) === 'PROCESSING';
    // Whether it is the very first attempt matters only where something follows from attempts.
    const first = rules.onAttempted !== undefined && errorCode === null;
    return [state, attempts, dueAt !== null, sending, first];
  });
  return JSON.stringify([world.value, parts, more?.(world)]);
}

/** Time passes by a minute a step. */
function now(snapshot: unknown): Date {
  const stamps = Object.values(seen(snapshot).context.stages).map(
    ({ timestamp }) => timestamp?.getTime() ?? 0,
  );
  return later(new Date(Math.max(START.getTime(), ...stamps)));
}

/**
 * Everything that workers, ticks and operators send to a region, in place or not: each result under the job that owns
 * the stage and under another. Dispatching waits for the due date, as ticks and the runtime do.
 */
export function stageEvents<R extends string>(snapshot: unknown, region: R, at: Date): StageEvent<R>[] {
  const { jobId, dueAt, attempts } = stageOf(snapshot, region);
  const mustWait = dueAt === null && seen(snapshot).value[region]?.startsWith('PENDING');
  const retryAt = later(at, 5);
  const fault = { at, code: `FAULT_${attempts}`, retryAt };
  const jobs = jobId === null ? ['foreign-job'] : [jobId, 'foreign-job'];
  const kinds: Readonly<Record<string, unknown>>[] = [
    ...(mustWait ? [] : [{ type: 'dispatch', at, job: `job-${at.getTime()}` }]),
    ...jobs.flatMap((job) => [
      { type: 'submitting', at, job },
      { type: 'succeeded', at, job, reference: `BLOCK-${job}` },
      { type: 'failed', job, ...fault },
      { type: 'failed', job, ...fault, code: CALLED_OFF, final: true },
      { type: 'refused', job, ...fault },
      { type: 'postponed', job, ...fault },
    ]),
    ...(jobId === null ? [] : variants(jobId, fault)),
    { type: 'stale', at, retryAt },
    { type: 'retry', at },
    { type: 'release', at },
    { type: 'cancel', at },
    { type: 'skip', at },
  ];
  return kinds.map((event) => ({ ...event, type: `${region}.${event.type}` }) as unknown as StageEvent<R>);
}

/** Faults that are final, or of submissions that surely never left. */
const variants = (job: string, fault: object) => [
  { type: 'failed', job, ...fault, final: true },
  { type: 'failed', job, ...fault, unsent: true },
  { type: 'failed', job, ...fault, code: CALLED_OFF, unsent: true },
  { type: 'refused', job, ...fault, final: true },
  { type: 'postponed', job, ...fault, unsent: true },
];

/** What makes a stage begin, again or for the first time, with a time and without; stages send it to themselves. */
export function beginnings<R extends string>(region: R, at: Date): StageEvent<R>[] {
  const kinds = [
    { type: 'enable', at, dueAt: null },
    { type: 'due', at, dueAt: later(at, 2) },
    { type: 'restart', at, dueAt: null },
    { type: 'restart', at, dueAt: later(at, 3) },
    { type: 'reset', at },
  ];
  return kinds.map((event) => ({ ...event, type: `${region}.${event.type}` }) as unknown as StageEvent<R>);
}
