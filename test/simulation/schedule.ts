import fc from 'fast-check';
import type { Trouble } from './client.ts';

/** Something that is done at a moment, in milliseconds after the beginning. */
export type Act =
  | { readonly at: number; readonly act: 'order'; readonly by: number; readonly items: number }
  | {
      readonly at: number;
      readonly act: 'kill' | 'stop';
      readonly whom: number;
      readonly backAfterMs: number;
    }
  | {
      readonly at: number;
      readonly act: 'freeze' | 'deafen' | 'jump';
      readonly whom: number;
      readonly ms: number;
    }
  | { readonly at: number; readonly act: 'cut'; readonly whom: number }
  | { readonly at: number; readonly act: 'restart database'; readonly ms: number }
  | { readonly at: number; readonly act: 'pause' | 'resume'; readonly by: number; readonly stage: number }
  | { readonly at: number; readonly act: 'retry' | 'dispatch' | 'restart'; readonly by: number }
  | { readonly at: number; readonly act: 'damage'; readonly forMs: number };

/** What goes wrong with the nth request of one kind, whoever makes it. */
export interface Fault {
  readonly operation: string;
  readonly nth: number;
  readonly trouble: Trouble;
}

/** Everything that a simulated run is made of: the same schedule gives the same run. */
export interface Schedule {
  readonly seed: number;
  /** How unevenly long everything takes, from 0 to 1. */
  readonly disorder: number;
  readonly processes: number;
  readonly bankKnowsKeys: boolean;
  readonly isOutsideRough: boolean;
  /** Work in progress for so long is taken back, in milliseconds. */
  readonly staleAfterMs: number;
  readonly acts: readonly Act[];
  readonly faults: readonly Fault[];
}

export const STAGES = ['prepare', 'check', 'pay'] as const;

/** Requests of the runtime that something may go wrong with; those that matter more come more often. */
const OPERATIONS = [
  ...['commit', 'commit', 'commit', 'commit', 'fetch', 'fetch', 'claim', 'complete', 'touch', 'lockRows'],
  ...['readRows', 'updateRows', 'appendJournal', 'insertJobs', 'insertMessages', 'takeMessages', 'endClaims'],
  ...[
    'unclaim',
    'handBack',
    'claimsOf',
    'takeClaims',
    'deadProcesses',
    'removeProcesses',
    'unclaimed',
    'now',
  ],
  ...[
    'search',
    'pausedAmong',
    'holdPauses',
    'readPauses',
    'storePause',
    'deletePause',
    'lockPause',
    'register',
  ],
  ...['machinesWithMail', 'addressToChildren', 'actorsWithMail', 'finish', 'fail', 'rollback', 'connect'],
  ...['moveClaims', 'lockNames', 'isInTime', 'sendOnce', 'takeParked', 'park', 'heartbeat', 'cancel'],
];
const TROUBLES: readonly Trouble[] = [
  'error',
  'cut before',
  'cut after',
  'death before',
  'death after',
  'standstill',
  'slow',
];
/** After this everything goes well again. */
export const ROUGH_MS = 6_000;
const BACK_MS = 3_000;

const at = fc.integer({ min: 0, max: ROUGH_MS });
const whom = fc.nat({ max: 2 });
const some = <A extends Act['act'], T>(act: readonly A[], rest: T) =>
  fc.record({ at, act: fc.constantFrom(...act), ...(rest as object) }) as unknown as fc.Arbitrary<Act>;

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: some(['order'], { by: whom, items: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: some(['kill', 'stop'], { whom, backAfterMs: fc.integer({ min: 0, max: BACK_MS }) }),
  },
  {
    weight: 3,
    arbitrary: some(['freeze', 'deafen', 'jump'], { whom, ms: fc.integer({ min: 1, max: 5_000 }) }),
  },
  { weight: 2, arbitrary: some(['cut'], { whom }) },
  { weight: 1, arbitrary: some(['restart database'], { ms: fc.integer({ min: 1, max: 2_000 }) }) },
  { weight: 4, arbitrary: some(['pause', 'resume'], { by: whom, stage: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: some(['retry', 'dispatch', 'restart'], { by: whom }) },
  { weight: 1, arbitrary: some(['damage'], { forMs: fc.integer({ min: 1, max: 3_000 }) }) },
);

const faults = fc.array(
  fc.record({
    operation: fc.constantFrom(...OPERATIONS),
    nth: fc.nat({ max: 12 }),
    trouble: fc.constantFrom(...TROUBLES),
  }),
  { maxLength: 6, size: 'max' },
);

/** Schedules; they shrink to fewer acts and faults, and to less disorder. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  disorder: fc.constantFrom(0, 0.3, 1),
  processes: fc.integer({ min: 1, max: 3 }),
  bankKnowsKeys: fc.boolean(),
  isOutsideRough: fc.boolean(),
  staleAfterMs: fc.constantFrom(3_600_000, 3_600_000, 2_000),
  acts: fc.array(act, { maxLength: 7, size: 'max' }),
  faults,
});
