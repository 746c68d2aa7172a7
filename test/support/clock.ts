import type { Clock } from '../../src/runtime/clock.ts';

/** A clock that goes on from `start`, and that a test can put forward. */
export function movableClock(start: Date): Clock & { advance(ms: number): void } {
  let offsetMs = start.getTime() - Date.now();
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance: (ms) => {
      offsetMs += ms;
    },
  };
}
