import { describe, expect, it } from 'vitest';
import {
  type BatchEvent,
  type BatchRegion,
  type BenefitType,
  batchMachine,
} from '../../src/machines/batch.ts';
import type { EnvelopeEvent } from '../../src/machines/envelope.ts';
import {
  all,
  asked,
  at,
  BLOCKED,
  blocked,
  blockedAs,
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
  statesOf,
  toLowerTotals,
} from './funds.ts';
import { newBatch, run, seen, stageOf, step } from './records.ts';

/** What becomes of money and batches when an envelope, or some of its disbursements, are cancelled. */

describe('a cancelled envelope', () => {
  it('gives its block back', () => {
    const snapshot = changed(envelope([all, ...blocked(1)]), cancel);
    expect(statesOf(snapshot)).toMatchObject({ cancellation: 'Cancelled', funds_released: 'PENDING' });
    expect(stageOf(snapshot, RELEASED).dueAt).toEqual(NOW);
    expect(factsOf(snapshot).funds_released_reference_number).toBe('BLOCK-1');
    expect(statesOf(changed(snapshot, ...givenBack(1))).funds_released).toBe('PROCESSED');
  });

  it('has nothing to give back before the bank was asked, and asks no more', () => {
    const snapshot = changed(envelope([all, ...found(1)]), cancel);
    expect(statesOf(snapshot)).toMatchObject({
      funds_blocked: 'NOT_APPLICABLE',
      funds_released: 'NOT_APPLICABLE',
    });
  });

  it.each([
    ['on its way', []],
    [
      'lost and found',
      [
        { type: 'funds_blocked.failed', ...fault('block-1') },
        dispatch(BLOCKED, 'block-1'),
        { type: 'funds_blocked.submitting', at, job: 'block-1' },
      ],
    ],
  ] as [string, EnvelopeEvent[]][])('gives back a block that was %s', (_, events) => {
    const snapshot = changed(envelope([all, ...asked(1)]), cancel, ...events, blockedAs(1));
    expect(statesOf(snapshot)).toMatchObject({
      funds_blocked: 'FUNDS_BLOCK_SUCCESS',
      funds_released: 'PENDING',
    });
    expect(factsOf(snapshot).funds_released_reference_number).toBe('BLOCK-1');
  });

  it.each([
    ['refused', { type: 'funds_blocked.refused', ...fault('block-1') }],
    ['never sent', { type: 'funds_blocked.failed', ...fault('block-1'), unsent: true }],
    ['put off unsent', { type: 'funds_blocked.postponed', ...fault('block-1'), unsent: true }],
  ] as [string, EnvelopeEvent][])('asks no more when the block under way was %s', (_, result) => {
    const snapshot = changed(envelope([all, ...asked(1)]), cancel, result);
    expect(statesOf(snapshot)).toMatchObject({
      funds_blocked: 'NOT_APPLICABLE',
      funds_released: 'NOT_APPLICABLE',
    });
    expect(stageOf(snapshot, BLOCKED).dueAt).toBeNull();
  });

  it('gives back one block after the other when one was on its way back and another came', () => {
    const both = changed(
      envelope([all, ...blocked(1), ...toLowerTotals, ...asked(2)]),
      cancel,
      dispatch(RELEASED, 'release-1'),
      blockedAs(2),
    );
    expect(statesOf(both).funds_released).toBe('PROCESSING');
    expect(factsOf(both).funds_released_reference_number).toBe('BLOCK-1');
    const second = changed(both, { type: 'funds_released.succeeded', at: NOW, job: 'release-1' });
    expect(statesOf(second).funds_released).toBe('PENDING');
    expect(factsOf(second).funds_released_reference_number).toBe('BLOCK-2');
    expect(statesOf(changed(second, ...givenBack(2))).funds_released).toBe('PROCESSED');
  });
});

/** A batch whose stages up to one have succeeded. */
function batchAfter(benefitType: BenefitType, stages: readonly BatchRegion[]) {
  return run(batchMachine, newBatch(benefitType), [
    { type: 'received', at },
    ...stages.flatMap((region): BatchEvent[] => [
      { type: `${region}.dispatch`, at, job: region },
      { type: `${region}.succeeded`, at, job: region, notify: true },
    ]),
  ]).snapshot;
}

const LOCATED = ['geo_resolution', 'warehouse_allocation'] as const;

describe('the batches of a cancelled envelope', () => {
  it.each([
    ['CASH_DIGITAL', []],
    ['CASH_DIGITAL', ['fa_resolution']],
    ['CASH_PHYSICAL', [...LOCATED, 'agency_allocation']],
    ['COMMODITY', ['geo_resolution']],
  ] as [BenefitType, BatchRegion[]][])('of %s that have passed %s wait for nothing more', (type, stages) => {
    const batch = step(batchMachine, batchAfter(type, stages), { type: 'cancel', at: NOW });
    const states = Object.values(seen(batch.snapshot).value);
    expect(states.filter((state) => state === 'PROCESSED')).toHaveLength(stages.length);
    expect(new Set(states)).not.toContain('PENDING');
    const toGeos = {
      type: 'tell',
      params: { to: 'geo', childrenOf: 'batch-1', event: { type: 'cancel', at: NOW } },
    };
    expect(batch.effects).toEqual(stages.includes('agency_allocation') ? [toGeos] : []);
  });
});

describe('a batch without some of its disbursements', () => {
  const cancelled = { type: 'disbursements_cancelled', at: NOW } as const;

  it('is resolved again, and the worker that resolves it works in vain', () => {
    const busy = run(batchMachine, newBatch('CASH_DIGITAL'), [
      { type: 'received', at },
      { type: 'fa_resolution.dispatch', at, job: 'j' },
    ]).snapshot;
    const { snapshot } = step(batchMachine, busy, cancelled);
    expect(stageOf(snapshot, 'fa_resolution')).toMatchObject({ dueAt: NOW, jobId: null });
    const late = { type: 'fa_resolution.succeeded', at, job: 'j' } as const;
    expect(step(batchMachine, snapshot, late).snapshot).toBe(snapshot);
  });

  it('keeps the addresses that it has', () => {
    const batch = batchAfter('CASH_DIGITAL', ['fa_resolution']);
    expect(step(batchMachine, batch, cancelled).snapshot).toBe(batch);
  });

  it.each([[[]], [LOCATED.slice(0, 1)], [LOCATED]])('is located and allocated again after %s', (stages) => {
    const { snapshot } = step(batchMachine, batchAfter('CASH_PHYSICAL', stages), cancelled);
    expect(seen(snapshot).value).toMatchObject({
      geo_resolution: 'PENDING',
      warehouse_allocation: 'NOT_APPLICABLE',
      agency_allocation: 'NOT_APPLICABLE',
    });
    expect(stageOf(snapshot, 'geo_resolution').dueAt).toEqual(NOW);
  });

  it('stays as it is once agencies have been found, since people are told', () => {
    const batch = batchAfter('CASH_PHYSICAL', [...LOCATED, 'agency_allocation']);
    const stepped = step(batchMachine, batch, cancelled);
    expect(stepped.snapshot).toBe(batch);
    expect(stepped.effects).toEqual([]);
  });
});
