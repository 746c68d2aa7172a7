import { describe, expect, it } from 'vitest';
import { resultOf, type SoakSample } from '../../bench/soak.ts';

/** Samples of a run whose database grows evenly, and whose bounded tables have so many bytes in each minute. */
const samples = (minutes: number, boundedBytes: (minute: number) => number): SoakSample[] =>
  Array.from({ length: minutes + 1 }, (_, minute) => ({
    minutes: minute,
    sent: minute * 1_000,
    reconciled: minute * 1_000,
    removed: minute * 10,
    database_bytes: minute * 1_000_000,
    bridge_bytes: null,
    tables: [
      { table: 'public.actor_transitions', bytes: boundedBytes(minute), rows: 0, dead: 0, hot_percent: null },
    ],
  }));

describe('a long run', () => {
  it('is not OK when what must stop growing goes on', () => {
    const result = resultOf(
      60,
      samples(60, (minute) => 1_000 + minute * 1_000),
    );
    expect(result).toMatchObject({ growth_ratio: 1, bounded_tells: true, ok: false });
  });

  it('is OK when that is level', () => {
    const result = resultOf(
      60,
      samples(60, (minute) => Math.min(minute, 17) * 1_000),
    );
    expect(result).toMatchObject({ bounded_ratio: 1, bounded_tells: true, ok: true });
  });

  it('tells nothing about it when it is too short', () => {
    const growing = (minute: number) => 1_000 + minute * 1_000;
    expect(resultOf(24, samples(24, growing))).toMatchObject({ bounded_tells: false, ok: true });
    expect(resultOf(25, samples(25, growing))).toMatchObject({ bounded_tells: true, ok: false });
  });
});
