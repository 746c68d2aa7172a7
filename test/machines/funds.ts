import type { EnvelopeEvent, EnvelopeFacts } from '../../src/machines/envelope.ts';
import { envelopeMachine } from '../../src/machines/envelope.ts';
import { later, newEnvelope, run, START, seen } from './records.ts';

/** What happens to the money of an envelope of two disbursements of 0.3 together, from its receipt to its return. */

export type Snapshot = ReturnType<typeof newEnvelope>;
export const [AVAILABLE, BLOCKED, RELEASED] = ['funds_available', 'funds_blocked', 'funds_released'] as const;

export const at = START;
export const NOW = later(START, 60);
export const factsOf = (snapshot: Snapshot) => seen(snapshot).context.facts as unknown as EnvelopeFacts;
export const statesOf = (snapshot: Snapshot) => seen(snapshot).value;

export const received = (count: number, quantity: string) =>
  ({ type: 'batch_received', at, count, quantity }) as const;
export const amend = (number: number, quantity: string, from = START) =>
  ({
    type: 'amend',
    at: NOW,
    number_of_disbursements: number,
    total_disbursement_quantity: quantity,
    funds_due_from: from,
  }) as const;
export const takeBack = (count: number, quantity: string) =>
  ({ type: 'disbursements_cancelled', at: NOW, count, quantity }) as const;
export const cancel = { type: 'cancel', at: NOW } as const;
export const batchReady = { type: 'batch_ready', at, batch: 'batch-1' } as const;
export const toLowerTotals = [takeBack(1, '0.1'), received(1, '0.1')] as const;

export const dispatch = (region: typeof AVAILABLE | typeof BLOCKED | typeof RELEASED, job: string) =>
  ({ type: `${region}.dispatch`, at, job }) as const;
export const fault = (job: string) => ({ at, job, code: 'FAULT', retryAt: later(NOW) });
export const found = (n: number): EnvelopeEvent[] => [
  dispatch(AVAILABLE, `check-${n}`),
  { type: 'funds_available.succeeded', at, job: `check-${n}` },
];
export const asked = (n: number): EnvelopeEvent[] => [
  ...found(n),
  dispatch(BLOCKED, `block-${n}`),
  { type: 'funds_blocked.submitting', at, job: `block-${n}` },
];
export const blockedAs = (n: number): EnvelopeEvent => ({
  type: 'funds_blocked.succeeded',
  at,
  job: `block-${n}`,
  reference: `BLOCK-${n}`,
});
export const blocked = (n: number): EnvelopeEvent[] => [...asked(n), blockedAs(n)];
export const givenBack = (n: number): EnvelopeEvent[] => [
  dispatch(RELEASED, `release-${n}`),
  { type: 'funds_released.succeeded', at, job: `release-${n}` },
];

/** An envelope of two disbursements of 0.3 together, of which some have been received, after some events. */
export const envelope = (events: readonly EnvelopeEvent[], facts: Partial<EnvelopeFacts> = {}): Snapshot =>
  run(envelopeMachine, newEnvelope({ funds_due_from: START, ...facts }), [{ type: 'created', at }, ...events])
    .snapshot;
export const all = received(2, '0.3');
/** A block goes back while another one is there. */
export const twoBlocks = [all, ...blocked(1), ...toLowerTotals, ...blocked(2)];

export const changed = (before: Snapshot, ...events: readonly EnvelopeEvent[]) =>
  run(envelopeMachine, before, events).snapshot;
