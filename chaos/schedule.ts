import { type Random, randomFor } from './random.ts';

/** The processes of the bridge: they reach everything through proxies, and their clocks can be set. */
export const BRIDGE_PROCESSES = ['api', 'worker-1', 'worker-2', 'worker-3'] as const;
export type BridgeProcess = (typeof BRIDGE_PROCESSES)[number];

/** What is around the bridge. */
export const SIMULATORS = ['bank', 'spar', 'novu'] as const;
export type SimulatorName = (typeof SIMULATORS)[number];

/** What a process of the bridge connects to; PBMS and the farmer registry are at the same PostgreSQL server. */
export const UPSTREAMS = ['postgres', 'bank', 'spar', 'novu'] as const;
export type Upstream = (typeof UPSTREAMS)[number];

/** What a fault does; see docs/chaos.md. */
export const FAULT_KINDS = [
  'kill',
  'stop',
  'postgres',
  'disconnect',
  'refuse',
  'stall',
  'outside',
  'clock',
  'disk',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How a simulator misbehaves; `delay` is past every time-out of the bridge. */
export const MISBEHAVIOURS = [
  'drop_after',
  'drop_before',
  'delay',
  'error_before',
  'error_after',
  'refuse',
  'slow_body',
] as const;
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

/** When a fault strikes, and for how long; one of 0 ms is over at once. */
interface Moment {
  /** Since the faults began. */
  readonly atMs: number;
  readonly forMs: number;
}

/** One entry of a schedule. */
export type Fault = Moment &
  (
    | { readonly kind: 'kill'; readonly target: BridgeProcess | SimulatorName }
    | { readonly kind: 'stop'; readonly target: BridgeProcess | SimulatorName | 'postgres' }
    | {
        readonly kind: 'postgres';
        readonly target: 'postgres';
        /** The whole server is killed, told to quit at once, or loses one session and starts anew by itself. */
        readonly how: 'kill' | 'immediate' | 'session';
      }
    | {
        readonly kind: 'disconnect';
        readonly target: BridgeProcess;
        readonly upstream: Upstream;
        /** The connections are cut on the way, or PostgreSQL is told to end sessions of whomever. */
        readonly how: 'cut' | 'terminate';
        readonly sessions: number;
      }
    | { readonly kind: 'refuse' | 'stall'; readonly target: BridgeProcess; readonly upstream: Upstream }
    | {
        readonly kind: 'outside';
        readonly target: SimulatorName;
        readonly how: Misbehaviour;
        /** How many of the requests it strikes, from 0 to 1. */
        readonly probability: number;
        readonly seed: number;
      }
    | { readonly kind: 'clock'; readonly target: BridgeProcess; readonly byMs: number }
    | { readonly kind: 'disk'; readonly target: 'journal' }
  );

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** How often a kind of fault strikes, how long it lasts, and what it is. */
interface Recipe {
  readonly kind: FaultKind;
  readonly perMinute: number;
  readonly shortestMs: number;
  readonly longestMs: number;
  readonly make: (random: Random, moment: Moment) => Fault;
}

const RECIPES: readonly Recipe[] = [
  {
    kind: 'kill',
    perMinute: 10,
    shortestMs: 0,
    longestMs: 0,
    // Three in four strike the bridge, which is what is being proved.
    make: (random, moment) => ({
      ...moment,
      kind: 'kill',
      target: random.next() < 0.75 ? random.pick(BRIDGE_PROCESSES) : random.pick(SIMULATORS),
    }),
  },
  {
    kind: 'stop',
    perMinute: 2,
    shortestMs: 500,
    longestMs: 12 * SECOND_MS,
    make: (random, moment) => ({
      ...moment,
      kind: 'stop',
      target: random.pick([...BRIDGE_PROCESSES, ...SIMULATORS, 'postgres']),
    }),
  },
  {
    // Longer than a job's heartbeat (30 s), so that the work of who is stopped is given to others meanwhile.
    kind: 'stop',
    perMinute: 0.5,
    shortestMs: 35 * SECOND_MS,
    longestMs: 50 * SECOND_MS,
    make: (random, moment) => ({
      ...moment,
      kind: 'stop',
      target: random.pick(['worker-1', 'worker-2', 'worker-3']),
    }),
  },
  {
    kind: 'postgres',
    perMinute: 0.7,
    shortestMs: 0,
    longestMs: 0,
    make: (random, moment) => ({
      ...moment,
      kind: 'postgres',
      target: 'postgres',
      how: random.pick(['kill', 'immediate', 'session']),
    }),
  },
  {
    kind: 'disconnect',
    perMinute: 4,
    shortestMs: 0,
    longestMs: 0,
    make: (random, moment) => {
      const target = random.pick(BRIDGE_PROCESSES);
      const upstream = random.next() < 0.6 ? 'postgres' : random.pick(UPSTREAMS);
      const how = upstream === 'postgres' && random.next() < 0.5 ? 'terminate' : 'cut';
      return { ...moment, kind: 'disconnect', target, upstream, how, sessions: random.between(1, 8) };
    },
  },
  {
    kind: 'refuse',
    perMinute: 2,
    shortestMs: 500,
    longestMs: 8 * SECOND_MS,
    make: (random, moment) => ({
      ...moment,
      kind: 'refuse',
      target: random.pick(BRIDGE_PROCESSES),
      upstream: random.pick(UPSTREAMS),
    }),
  },
  {
    kind: 'stall',
    perMinute: 2,
    shortestMs: 500,
    longestMs: 8 * SECOND_MS,
    make: (random, moment) => ({
      ...moment,
      kind: 'stall',
      target: random.pick(BRIDGE_PROCESSES),
      upstream: random.pick(UPSTREAMS),
    }),
  },
  {
    kind: 'outside',
    perMinute: 4,
    shortestMs: 2 * SECOND_MS,
    longestMs: 12 * SECOND_MS,
    make: (random, moment) => ({
      ...moment,
      kind: 'outside',
      target: random.next() < 0.6 ? 'bank' : random.pick(SIMULATORS),
      how: random.pick(MISBEHAVIOURS),
      probability: random.pick([0.2, 0.5, 1]),
      seed: random.between(1, 1_000_000),
    }),
  },
  {
    kind: 'clock',
    perMinute: 1.5,
    shortestMs: 2 * SECOND_MS,
    longestMs: 30 * SECOND_MS,
    make: (random, moment) => ({
      ...moment,
      kind: 'clock',
      target: random.pick(BRIDGE_PROCESSES),
      byMs: random.pick([-1, 1]) * random.between(MINUTE_MS, 6 * HOUR_MS),
    }),
  },
  {
    kind: 'disk',
    perMinute: 0.4,
    shortestMs: SECOND_MS,
    longestMs: 10 * SECOND_MS,
    make: (_random, moment) => ({ ...moment, kind: 'disk', target: 'journal' }),
  },
];

/**
 * The faults of a run, in the order in which they strike. The same arguments always give the same list, and leaving out
 * a kind changes nothing about the others. What takes something away gives it back before the end.
 *
 * @param seed whole number
 * @param minutes how long the faults go on
 * @param kinds which of them there are
 */
export function makeSchedule(seed: number, minutes: number, kinds: readonly FaultKind[]): readonly Fault[] {
  const endMs = minutes * MINUTE_MS;
  return RECIPES.flatMap((recipe, index) =>
    kinds.includes(recipe.kind) ? faultsOf(recipe, randomFor(seed, `${recipe.kind} ${index}`), endMs) : [],
  ).sort((a, b) => a.atMs - b.atMs);
}

/** Each has a slot of its own, so that they are spread over the run and do not overlap with others of the recipe. */
function faultsOf(recipe: Recipe, random: Random, endMs: number): Fault[] {
  const wanted = Math.max(1, Math.ceil((recipe.perMinute * endMs) / MINUTE_MS));
  const room = recipe.shortestMs === 0 ? wanted : Math.floor(endMs / recipe.shortestMs);
  const count = Math.min(wanted, room);
  const slotMs = Math.floor(endMs / count);
  return Array.from({ length: count }, (_, n) => {
    const forMs = random.between(recipe.shortestMs, Math.min(recipe.longestMs, slotMs));
    const atMs = n * slotMs + random.between(0, slotMs - forMs);
    return recipe.make(random, { atMs, forMs });
  });
}
