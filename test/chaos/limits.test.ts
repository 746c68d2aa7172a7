import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Limits, type Phase } from '../../chaos/limits.ts';

const MINUTE_MS = 60_000;
const ORDER: readonly Phase[] = ['start', 'faults', 'calm', 'load', 'settle', 'feed', 'checks', 'stop'];

describe('the limits of a run', () => {
  it('end it within five minutes more than faults strike, however much each phase takes of its time', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 60, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (minutes, shares) => {
          let nowMs = 1_000;
          const limits = new Limits(minutes, () => nowMs);
          for (const [n, phase] of ORDER.entries()) nowMs += limits.leftMs(phase) * (shares[n] ?? 1);
          expect(nowMs - 1_000).toBeLessThanOrEqual((minutes + 5) * MINUTE_MS);
        },
      ),
    );
  });

  it('leave the faults their time also when starting has taken all of its own', () => {
    let nowMs = 0;
    const limits = new Limits(3, () => nowMs);
    nowMs += limits.leftMs('start');
    expect(limits.leftMs('faults')).toBeGreaterThanOrEqual(3 * MINUTE_MS);
  });

  describe('of a phase', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('fail with its name when it does not end', async () => {
      const waiting = new Limits(1).within('load', new Promise(() => {}));
      const failed = expect(waiting).rejects.toMatchObject({
        code: 'PHASE_LATE',
        exitCode: 1,
        message: 'Submitting what was begun has not ended within 60 s, so nothing is proven.',
      });
      await vi.advanceTimersByTimeAsync(60_000);
      await failed;
    });
  });

  it('leave what ends in time as it is, its failure too', async () => {
    const limits = new Limits(1);
    expect(await limits.within('load', Promise.resolve(7))).toBe(7);
    await expect(limits.within('load', Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('give way to an interrupt', async () => {
    const signal = AbortSignal.abort(new Error('Interrupted.'));
    await expect(new Limits(1).within('load', new Promise(() => {}), signal)).rejects.toThrow('Interrupted.');
  });
});
