import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fallsTooMuch, fillsOf } from '../../bench/scale.ts';
import { cpuSeconds, parseStat, treeCpuSeconds } from '../../bench/support/cpu.ts';
import { fallPercent, growth, perThousand, ratioOf } from '../../bench/support/figures.ts';
import { waitsOf } from '../../bench/support/waits.ts';

/** A line as Linux writes it, with fields 4 and 14 to 17 as given. */
const line = (pid: number, name: string, parent: number, times: readonly number[]): string =>
  `${pid} (${name}) S ${parent} 10 10 0 -1 4194304 1 2 3 4 ${times.join(' ')} 20 0 7 0 812 1 2 3\n`;

describe('the CPU time of processes', () => {
  it('is read whatever the program is called', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 15 }),
        fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
        (name, times) => {
          expect(parseStat(line(42, name, 7, times))).toEqual({
            pid: 42,
            parent: 7,
            ownTicks: times[0] + times[1],
            endedChildrenTicks: times[2] + times[3],
          });
        },
      ),
    );
    expect(parseStat('')).toBeNull();
    expect(parseStat('42 (node) S 7')).toBeNull();
  });

  it('counts all descendants, those that have ended too, and nobody else', () => {
    const stats = [
      line(1, 'init', 0, [900, 0, 900, 0]),
      line(10, 'postgres', 1, [100, 50, 30, 20]),
      line(11, 'backend (x)', 10, [200, 0, 0, 0]),
      line(12, 'worker) R 1', 11, [7, 3, 0, 0]),
      line(20, 'node', 1, [500, 0, 0, 0]),
    ].map((text) => parseStat(text) ?? expect.fail(text));
    expect(treeCpuSeconds(stats, 10)).toBe(4.1);
    expect(treeCpuSeconds(stats, 20)).toBe(5);
    expect(treeCpuSeconds(stats, 99)).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('of this process grows with what it does', async () => {
    const kinds = { us: [process.pid], nobody: [] };
    const before = await cpuSeconds(kinds);
    const { user, system } = process.cpuUsage();
    const usedMicroseconds = () => {
      const used = process.cpuUsage({ user, system });
      return used.user + used.system;
    };
    while (usedMicroseconds() < 60_000) for (let n = 0; n < 10_000; n += 1) Math.sqrt(n);
    const after = await cpuSeconds(kinds);
    expect(after?.nobody).toBe(0);
    expect((after?.us ?? 0) - (before?.us ?? 0)).toBeGreaterThanOrEqual(0.04);
  });
});

describe('figures', () => {
  it('are compared with the first of their row', () => {
    expect(perThousand(12, 4_000)).toBe(3);
    expect(ratioOf(300, 200)).toBe(1.5);
    expect(ratioOf(300, 0)).toBeNull();
    expect(fallPercent([5_000, 4_700, 4_000])).toBe(20);
    expect(fallPercent([4_000, 5_000])).toBe(-25);
    expect(fallPercent([])).toBe(0);
    expect(growth({ commits: 5, syncs: 1 }, { commits: 9, syncs: 1 })).toEqual({ commits: 4, syncs: 0 });
  });

  it('say what sessions waited for on average, over all samples', () => {
    const samples = [
      [
        { state: 'active', type: 'Lock', event: 'transactionid', sessions: 2 },
        { state: 'active', type: null, event: null, sessions: 1 },
        { state: 'idle', type: 'Client', event: 'ClientRead', sessions: 7 },
      ],
      [{ state: 'idle in transaction', type: 'Client', event: 'ClientRead', sessions: 1 }],
      [],
      [{ state: 'active', type: 'LWLock', event: 'WALWrite', sessions: 4 }],
    ];
    expect(waitsOf(samples)).toEqual({
      samples: 4,
      connections_max: 10,
      running: 0.25,
      idle_in_transaction: 0.25,
      lock: 0.5,
      lwlock: 1,
      top: [
        { event: 'LWLock:WALWrite', sessions: 1 },
        { event: 'Lock:transactionid', sessions: 0.5 },
      ],
    });
  });

  it('of growth are taken when exactly so much is stored', () => {
    const [warmUp, probe] = [2_000, 50_000];
    const sizes = [10_000, 100_000, 1_000_000];
    const fills = fillsOf(sizes, probe, warmUp);
    let stored = warmUp;
    for (const [index, fill] of fills.entries()) {
      stored += fill;
      expect(stored).toBe(sizes[index]);
      stored += probe;
    }
  });
});

describe('the fall of throughput as a database grows', () => {
  it('is too much beyond 20 percent, when the run was long enough to tell', () => {
    expect(fallsTooMuch(20, 5_000)).toBe(false);
    expect(fallsTooMuch(20.1, 5_000)).toBe(true);
    expect(fallsTooMuch(90, 4_999)).toBe(false);
    expect(fallsTooMuch(null, 5_000)).toBe(false);
  });
});
