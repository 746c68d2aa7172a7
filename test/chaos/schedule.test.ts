import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BRIDGE_PROCESSES,
  FAULT_KINDS,
  type Fault,
  makeSchedule,
  SIMULATORS,
  UPSTREAMS,
} from '../../chaos/schedule.ts';

const MINUTE_MS = 60_000;
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const minutes = fc.integer({ min: 5, max: 900 }).map((tenths) => tenths / 10);
const kinds = fc.subarray([...FAULT_KINDS], { minLength: 1 });

const killsOf = (faults: readonly Fault[]) => faults.filter(({ kind }) => kind === 'kill').length;
const targetsOf: Readonly<Record<Fault['kind'], readonly string[]>> = {
  kill: [...BRIDGE_PROCESSES, ...SIMULATORS],
  stop: [...BRIDGE_PROCESSES, ...SIMULATORS, 'postgres'],
  postgres: ['postgres'],
  disconnect: BRIDGE_PROCESSES,
  refuse: BRIDGE_PROCESSES,
  stall: BRIDGE_PROCESSES,
  outside: SIMULATORS,
  clock: BRIDGE_PROCESSES,
  disk: ['journal'],
};

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(seeds, minutes, kinds, (seed, length, some) => {
        expect(makeSchedule(seed, length, some)).toEqual(makeSchedule(seed, length, some));
        expect(makeSchedule(seed, length, some)).not.toEqual(makeSchedule(seed + 1, length, some));
      }),
    );
  });

  it('lets faults strike in order and within the time, and gives back before the end what it takes away', () => {
    fc.assert(
      fc.property(seeds, minutes, kinds, (seed, length, some) => {
        let lastMs = 0;
        for (const { atMs, forMs } of makeSchedule(seed, length, some)) {
          expect(atMs).toBeGreaterThanOrEqual(lastMs);
          expect(forMs).toBeGreaterThanOrEqual(0);
          expect(atMs + forMs).toBeLessThanOrEqual(length * MINUTE_MS);
          lastMs = atMs;
        }
      }),
    );
  });

  it('strikes what can be struck, and nothing in a way that was not asked for', () => {
    fc.assert(
      fc.property(seeds, minutes, kinds, (seed, length, some) => {
        const faults = makeSchedule(seed, length, some);
        expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(some));
        for (const fault of faults) {
          expect(targetsOf[fault.kind]).toContain(fault.target);
          if ('upstream' in fault) expect(UPSTREAMS).toContain(fault.upstream);
        }
      }),
    );
  });

  it('leaves the other kinds as they are when one is left out', () => {
    fc.assert(
      fc.property(seeds, minutes, kinds, (seed, length, some) => {
        const all = makeSchedule(seed, length, FAULT_KINDS);
        expect(makeSchedule(seed, length, some)).toEqual(all.filter(({ kind }) => some.includes(kind)));
      }),
    );
  });

  it('never takes the same thing away twice at the same time', () => {
    fc.assert(
      fc.property(seeds, minutes, (seed, length) => {
        const endOf = new Map<string, number>();
        for (const fault of makeSchedule(seed, length, ['refuse', 'stall', 'outside', 'clock', 'disk'])) {
          const thing = `${fault.kind} ${fault.target}`;
          expect(fault.atMs).toBeGreaterThanOrEqual(endOf.get(thing) ?? 0);
          endOf.set(thing, fault.atMs + fault.forMs);
        }
      }),
    );
  });

  it('kills at least 20 processes in 3 minutes and at least 500 in an hour', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(killsOf(makeSchedule(seed, 3, FAULT_KINDS))).toBeGreaterThanOrEqual(20);
        expect(killsOf(makeSchedule(seed, 60, FAULT_KINDS))).toBeGreaterThanOrEqual(500);
      }),
      { numRuns: 20 },
    );
  });

  it('stops a worker for longer than the heartbeat of its work in every run of 3 minutes', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const stops = makeSchedule(seed, 3, ['stop']);
        expect(stops.some(({ forMs }) => forMs > 30_000)).toBe(true);
      }),
    );
  });
});
