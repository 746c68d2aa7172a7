import { describe, expect, it } from 'vitest';
import type { WorkActionAnswer } from '../../src/api/operator/wire/actions.ts';
import { PAYER_CODES } from '../../src/api/operator/wire/actions.ts';
import { reason as reasonOnWire } from '../../src/api/operator/wire/common.ts';
import { REASON_LENGTH_MAX, reasonFault } from '../../src/dashboard/actions/reason.ts';
import { type Outcome, runAction } from '../../src/dashboard/actions/run.ts';
import { moneyWarning, outcomeSentences, roleFor, targetWords } from '../../src/dashboard/actions/words.ts';

/** Answers one after the other; more requests than answers fail the test. */
function server(...answers: readonly (WorkActionAnswer | Error)[]) {
  const left = [...answers];
  return async (): Promise<WorkActionAnswer> => {
    const next = left.shift();
    if (next === undefined) throw new TypeError('It was asked once more than it answers.');
    if (next instanceof Error) throw next;
    return next;
  };
}
const answer = (accepted: number, refused: number, remaining: number) => ({ accepted, refused, remaining });
const never = new AbortController().signal;
const silent = (): void => {};

describe('an action on many records', () => {
  it('asks until nothing remains, and tells how far it has come', async () => {
    const told: Outcome[] = [];
    const once = server(answer(9_990, 10, 5_000), answer(5_000, 0, 0));
    const outcome = await runAction(once, (now) => told.push(now), never);
    expect(outcome).toEqual({ accepted: 14_990, refused: 10, remaining: 0, ended: 'done' });
    expect(told.map(({ accepted, ended }) => [accepted, ended])).toEqual([
      [9_990, 'running'],
      [14_990, 'done'],
    ]);
  });

  it('ends when nothing more is accepted, instead of asking for ever', async () => {
    const outcome = await runAction(server(answer(3, 0, 2), answer(0, 2, 2)), silent, never);
    expect(outcome).toEqual({ accepted: 3, refused: 2, remaining: 2, ended: 'stuck' });
  });

  it('stops before the next request when somebody asks to', async () => {
    const stopping = new AbortController();
    const outcome = await runAction(
      server(answer(10, 0, 20), answer(10, 0, 10)),
      ({ accepted }) => accepted >= 10 && stopping.abort(),
      stopping.signal,
    );
    expect(outcome).toMatchObject({ accepted: 20, ended: 'stopped' });
  });

  it('has told what was done when a later request fails', async () => {
    const told: Outcome[] = [];
    const once = server(answer(10, 0, 20), new Error('gone'));
    await expect(runAction(once, (now) => told.push(now), never)).rejects.toThrow('gone');
    expect(told).toHaveLength(1);
  });
});

describe('what is said of an action', () => {
  it('is how many did it, how many could not, and how many are left', () => {
    const outcome = { accepted: 1, refused: 2, remaining: 3, ended: 'stopped' } as const;
    expect(outcomeSentences('retry', outcome)).toEqual([
      '1 record will be tried again.',
      '2 records could not: changed meanwhile, or no longer there.',
      'Stopped as you asked; 3 records left as before.',
    ]);
    expect(outcomeSentences('release', { ...outcome, refused: 0, ended: 'done' })).toEqual([
      '1 record released.',
    ]);
  });

  it('names what it is for', () => {
    expect(targetWords({ stage: 's', ids: ['B-1'] })).toBe('the record B-1');
    expect(targetWords({ stage: 's', ids: ['B-1', 'B-2'] })).toBe('2 chosen records');
    expect(targetWords({ stage: 's', code: 'X', envelope: 'E-1' })).toBe('all with X of envelope E-1');
    expect(targetWords({ stage: 's' })).toBe('all of this stage');
  });

  it('warns about exactly the errors that only a payer resolves', () => {
    for (const code of PAYER_CODES) {
      expect(moneyWarning(code)).not.toBeNull();
      expect(roleFor('retry', code)).toBe('payer');
    }
    expect(moneyWarning('FA_UNRESOLVED')).toBeNull();
    expect(roleFor('retry', 'FA_UNRESOLVED')).toBe('operator');
    expect(roleFor('retry', undefined)).toBe('operator');
    expect(roleFor('release', 'FA_UNRESOLVED')).toBe('payer');
  });
});

describe('a reason', () => {
  it.each([
    '',
    '  ',
    'ab',
    ' a ',
    'x'.repeat(REASON_LENGTH_MAX + 1),
    'abc',
    ' abc ',
    'x'.repeat(REASON_LENGTH_MAX),
  ])('is right here when it is right there: %j', (reason) => {
    expect(reasonFault(reason) === null).toBe(reasonOnWire.safeParse(reason).success);
  });
});
