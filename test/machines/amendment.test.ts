import { describe, expect, it } from 'vitest';
import { type EnvelopeEvent, envelopeMachine } from '../../src/machines/envelope.ts';
import {
  AVAILABLE,
  all,
  amend,
  asked,
  at,
  BLOCKED,
  batchReady,
  blocked,
  cancel,
  changed,
  dispatch,
  envelope,
  factsOf,
  fault,
  found,
  givenBack,
  NOW,
  RELEASED,
  received,
  statesOf,
  takeBack,
  twoBlocks,
} from './funds.ts';
import { run, SCHEDULED, START, stageOf, step } from './records.ts';

/** Other totals, another date, disbursements taken back, all of it taken back: what may still be, and what follows. */

describe('an amendment', () => {
  it('of totals to what has been received completes the envelope, and its funds are checked', () => {
    const snapshot = changed(envelope([received(1, '0.1')]), amend(1, '0.10'));
    expect(statesOf(snapshot)).toMatchObject({ receipt: 'RECEIVED', funds_available: 'PENDING_CHECK' });
    expect(factsOf(snapshot)).toMatchObject({
      number_of_disbursements: 1,
      total_disbursement_quantity: '0.10',
    });
    expect(stageOf(snapshot, AVAILABLE).dueAt).toEqual(NOW);
  });

  it.each([
    ['number', amend(3, '0.3')],
    ['quantity', amend(2, '0.31')],
  ])('to a greater %s makes the envelope wait for the rest, and its funds wait with it', (_, event) => {
    const snapshot = changed(envelope([all, ...found(1)]), event);
    expect(statesOf(snapshot)).toMatchObject({
      receipt: 'RECEIVING',
      funds_available: 'PENDING_CHECK',
      funds_blocked: 'PENDING_CHECK',
    });
    expect(stageOf(snapshot, AVAILABLE)).toMatchObject({ dueAt: null, attempts: 0 });
    expect(stageOf(snapshot, BLOCKED).dueAt).toBeNull();
    const missing = event.number_of_disbursements === 3 ? received(1, '0') : received(0, '0.01');
    const complete = changed(snapshot, missing);
    expect(statesOf(complete).receipt).toBe('RECEIVED');
    expect(stageOf(complete, AVAILABLE).dueAt).toEqual(START);
  });

  it('of the date alone has the money asked for again on the new day', () => {
    const snapshot = changed(envelope([all, ...blocked(1)]), amend(2, '0.3', SCHEDULED));
    expect(statesOf(snapshot).receipt).toBe('RECEIVED');
    expect(stageOf(snapshot, AVAILABLE).dueAt).toEqual(SCHEDULED);
    expect(factsOf(snapshot).funds_due_from).toEqual(SCHEDULED);
    expect(statesOf(snapshot).funds_released).toBe('PENDING');
  });

  it.each([
    ['waits', []],
    ['is found', found(1)],
    ['is blocked', blocked(1)],
  ])('that changes neither totals nor date changes nothing about money that %s', (_, events) => {
    const before = envelope([all, ...events]);
    const snapshot = changed(before, amend(2, '0.300'));
    expect(statesOf(snapshot)).toEqual(statesOf(before));
    for (const region of [AVAILABLE, BLOCKED, RELEASED]) {
      expect(stageOf(snapshot, region)).toBe(stageOf(before, region));
    }
    const { funds_blocked_reference_number: reference } = factsOf(before);
    expect(factsOf(snapshot).funds_blocked_reference_number).toBe(reference);
  });

  it('gives the block back and has another one made, under another key', () => {
    const snapshot = changed(envelope([all, ...blocked(1)]), amend(2, '0.31'));
    expect(factsOf(snapshot)).toMatchObject({
      funds_blocked_reference_number: null,
      funds_released_reference_number: 'BLOCK-1',
    });
    expect(statesOf(snapshot)).toMatchObject({ funds_blocked: 'PENDING_CHECK', funds_released: 'PENDING' });
    expect(stageOf(snapshot, RELEASED).dueAt).toEqual(NOW);
    expect(stageOf(snapshot, BLOCKED)).toMatchObject({ submission: 2, submittedAt: null });
    const paid = run(envelopeMachine, snapshot, [received(0, '0.01'), ...blocked(2), batchReady]);
    expect(factsOf(paid.snapshot).funds_blocked_reference_number).toBe('BLOCK-2');
    expect(paid.effects.at(-1)).toMatchObject({ type: 'tell', params: { id: 'batch-1' } });
  });

  it.each([
    ['checks the funds', [dispatch(AVAILABLE, 'j')], { type: 'funds_available.succeeded', at, job: 'j' }],
    [
      'is about to ask for the block',
      [...found(1), dispatch(BLOCKED, 'j')],
      { type: 'funds_blocked.submitting', at, job: 'j' },
    ],
  ] as const)('makes a worker that %s work in vain', (_, events, result) => {
    const snapshot = changed(envelope([all, ...events]), amend(2, '0.31'));
    expect(stageOf(snapshot, BLOCKED).submission).toBe(1);
    expect(step(envelopeMachine, snapshot, result).snapshot).toBe(snapshot);
  });

  it('is no matter of money in kind', () => {
    const before = envelope([all], { benefit_type: 'COMMODITY' });
    const snapshot = changed(before, amend(3, '0.4', SCHEDULED));
    expect(statesOf(snapshot)).toEqual({ ...statesOf(before), receipt: 'RECEIVING' });
    expect(changed(snapshot, received(1, '0.1')).value.receipt).toBe('RECEIVED');
  });

  it.each([
    ['fewer than were received', [received(2, '0.1')], amend(1, '0.3')],
    [
      'less than was received by the last decimal place',
      [received(1, '0.1')],
      amend(2, '0.0999999999999999999'),
    ],
  ])('to %s is refused', (_, events, event) => {
    const before = envelope(events);
    expect(changed(before, event)).toBe(before);
  });
});

describe('cancelled disbursements', () => {
  it('leave the envelope waiting for others in their place, its money for them', () => {
    const snapshot = changed(envelope([all, ...found(1)]), takeBack(1, '0.1'));
    expect(statesOf(snapshot)).toMatchObject({ receipt: 'RECEIVING', funds_available: 'PENDING_CHECK' });
    expect(factsOf(snapshot)).toMatchObject({
      number_of_disbursements: 2,
      number_of_disbursements_received: 1,
      total_disbursement_quantity_received: '0.2',
    });
    expect(stageOf(snapshot, AVAILABLE).dueAt).toBeNull();
    expect(stageOf(changed(snapshot, received(1, '0.1')), AVAILABLE).dueAt).toEqual(START);
  });

  it('give the block back', () => {
    const snapshot = changed(envelope([all, ...blocked(1)]), takeBack(1, '0'));
    expect(statesOf(snapshot)).toMatchObject({ receipt: 'RECEIVING', funds_released: 'PENDING' });
    expect(factsOf(snapshot).funds_released_reference_number).toBe('BLOCK-1');
    expect(factsOf(snapshot).funds_blocked_reference_number).toBeNull();
  });

  it.each([
    ['more than there are', [received(1, '0.3')], takeBack(2, '0.1')],
    ['of more than there is', [received(2, '0.1')], takeBack(1, '0.11')],
  ])('%s are refused', (_, events, event) => {
    const before = envelope(events);
    expect(changed(before, event)).toBe(before);
  });
});

const CHANGES = [
  ['an amendment', amend(3, '0.4')],
  ['the cancellation of disbursements', takeBack(1, '0.1')],
  ['the cancellation of the envelope', cancel],
] as const;

describe.each(CHANGES)('%s', (name, event) => {
  it.each([
    ['a batch may have been paid', [all, batchReady, ...blocked(1)]],
    ['a batch may have been paid that asked late', [all, ...blocked(1), batchReady]],
    ['a former block is on its way back while there is another', twoBlocks],
    ['the former block is just being given back', [...twoBlocks, dispatch(RELEASED, 'j')]],
    [
      'the former block cannot be given back',
      [...twoBlocks, dispatch(RELEASED, 'j'), { type: 'funds_released.failed', ...fault('j'), final: true }],
    ],
    ['the envelope was cancelled', [all, { type: 'cancel', at }]],
  ] as [string, EnvelopeEvent[]][])('is refused when %s', (_, events) => {
    const before = envelope(events);
    const stepped = step(envelopeMachine, before, event);
    expect(stepped.snapshot).toBe(before);
    expect(stepped.effects).toEqual([]);
  });

  it.each([
    ['batches wait for a block that is not there', [all, batchReady, ...found(1)]],
    ['the funds do not suffice', [all, ...asked(1), { type: 'funds_blocked.refused', ...fault('block-1') }]],
    [
      'the block surely never left',
      [all, ...asked(1), { type: 'funds_blocked.failed', ...fault('block-1'), unsent: true }],
    ],
    [
      'a former block is on its way back and there is no other',
      [all, ...blocked(1), takeBack(1, '0.1'), all],
    ],
    ['the former block has been given back', [...twoBlocks, ...givenBack(1)]],
    [
      'a person has freed the former block',
      [
        ...twoBlocks,
        dispatch(RELEASED, 'j'),
        { type: 'funds_released.failed', ...fault('j'), final: true },
        { type: 'funds_released.release', at },
      ],
    ],
  ] as [string, EnvelopeEvent[]][])('is accepted when %s', (_, events) => {
    const before = envelope(events);
    expect(changed(before, event)).not.toBe(before);
  });

  it.each([
    ['on its way', []],
    ['without an answer', [{ type: 'funds_blocked.failed', ...fault('block-1') }]],
    ['given up', [{ type: 'funds_blocked.failed', ...fault('block-1'), final: true }]],
    ['put off', [{ type: 'funds_blocked.postponed', ...fault('block-1') }]],
  ] as [string, EnvelopeEvent[]][])('of money whose block is %s', (_, events) => {
    const before = envelope([all, ...asked(1), ...events]);
    const accepted = changed(before, event) !== before;
    // A cancellation has what became of it found out; other totals must wait for that.
    expect(accepted).toBe(name === 'the cancellation of the envelope');
  });
});
