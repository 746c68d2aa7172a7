import type { Schedule } from './schedule.ts';

const calm = { disorder: 1, staleAfterMs: 3_600_000 } as const;

/** Schedules that once broke a promise; they are run before all others. */
export const FOUND: readonly Schedule[] = [
  // A payment that was about to be announced when its row could not be read was forgotten until it was stale.
  {
    ...calm,
    seed: 2_147_483_620,
    processes: 1,
    bankKnowsKeys: true,
    isOutsideRough: false,
    acts: [
      { at: 5745, act: 'order', by: 2, items: 4 },
      { at: 555, act: 'resume', by: 2, stage: 1 },
      { at: 595, act: 'deafen', whom: 0, ms: 2306 },
      { at: 2732, act: 'jump', whom: 2, ms: 2182 },
      { at: 555, act: 'damage', forMs: 991 },
      { at: 4205, act: 'pause', by: 1, stage: 0 },
    ],
    faults: [
      { operation: 'finish', nth: 2, trouble: 'cut after' },
      { operation: 'commit', nth: 2, trouble: 'error' },
    ],
  },
  // A claim whose answer was lost with the connection kept its job from everybody until its heartbeat lapsed.
  {
    ...calm,
    disorder: 0.3,
    seed: 1_032_345_182,
    processes: 2,
    bankKnowsKeys: true,
    isOutsideRough: false,
    acts: [
      { at: 4735, act: 'order', by: 0, items: 3 },
      { at: 1734, act: 'order', by: 0, items: 1 },
      { at: 4742, act: 'resume', by: 0, stage: 1 },
      { at: 3700, act: 'kill', whom: 2, backAfterMs: 2122 },
      { at: 5678, act: 'restart database', ms: 1976 },
      { at: 5616, act: 'order', by: 1, items: 4 },
      { at: 2048, act: 'stop', whom: 0, backAfterMs: 2806 },
    ],
    faults: [],
  },
  // A process that had noticed a death stopped before it looked for what the dead one had fetched and not claimed.
  {
    ...calm,
    seed: 544_850_461,
    processes: 2,
    bankKnowsKeys: false,
    isOutsideRough: false,
    acts: [
      { at: 4440, act: 'order', by: 2, items: 4 },
      { at: 2887, act: 'stop', whom: 2, backAfterMs: 1263 },
      { at: 1283, act: 'resume', by: 1, stage: 2 },
      { at: 485, act: 'order', by: 1, items: 2 },
      { at: 1241, act: 'kill', whom: 1, backAfterMs: 1567 },
    ],
    faults: [],
  },
  // A process stopped while it was fetching: its grace was over before it heard which job it had been handed.
  {
    ...calm,
    seed: 1_945_065_528,
    processes: 1,
    bankKnowsKeys: false,
    isOutsideRough: true,
    acts: [],
    faults: [{ operation: 'commit', nth: 2, trouble: 'error' }],
  },
  // A claim stayed that was to be removed while its process got a new number.
  {
    ...calm,
    seed: 29,
    processes: 1,
    bankKnowsKeys: false,
    isOutsideRough: false,
    acts: [
      { at: 2459, act: 'pause', by: 0, stage: 2 },
      { at: 4859, act: 'order', by: 0, items: 3 },
      { at: 5496, act: 'restart', by: 0 },
      { at: 5352, act: 'cut', whom: 0 },
      { at: 174, act: 'cut', whom: 0 },
    ],
    faults: [],
  },
  // A process that was stopped while it started left the others, and then took work.
  {
    ...calm,
    seed: 18,
    processes: 3,
    bankKnowsKeys: false,
    isOutsideRough: false,
    acts: [
      { at: 12, act: 'retry', by: 0 },
      { at: 10, act: 'stop', whom: 0, backAfterMs: 0 },
    ],
    faults: [{ operation: 'machinesWithMail', nth: 10, trouble: 'death after' }],
  },
];
