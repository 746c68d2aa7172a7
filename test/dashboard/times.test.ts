import { describe, expect, it } from 'vitest';
import { absoluteText, clockText, relativeText, spanText } from '../../src/dashboard/format/time.ts';

const NOW = Date.parse('2026-04-09T08:00:00.000Z');
const ago = (ms: number): string => relativeText(new Date(NOW - ms).toISOString(), NOW);

describe('a moment', () => {
  it('is told by how long ago it was', () => {
    expect(ago(500)).toBe('just now');
    expect(ago(12_900)).toBe('12 s ago');
    expect(ago(60_000)).toBe('1 min ago');
    expect(ago(3_599_000)).toBe('59 min ago');
    expect(ago(2 * 3_600_000 + 5 * 60_000)).toBe('2 h 5 min ago');
    expect(ago(26 * 3_600_000)).toBe('1 d 2 h ago');
  });

  it('is told by how far ahead it is', () => {
    expect(ago(-30_000)).toBe('in 30 s');
    expect(ago(-3_600_000)).toBe('in 1 h');
  });

  it('is told in full in UTC', () => {
    expect(absoluteText('2026-04-09T10:03:11.250+02:00')).toBe('2026-04-09 08:03:11 UTC');
    expect(clockText('2026-04-09T08:03:11Z')).toBe('08:03');
  });

  it('is left as it is when it is none', () => {
    expect(absoluteText('yesterday')).toBe('yesterday');
    expect(relativeText('yesterday', NOW)).toBe('unknown');
  });
});

describe('a span', () => {
  it('has at most two units', () => {
    expect([0, 59_999, 3_661_000, 100 * 86_400_000].map(spanText)).toEqual([
      'less than a second',
      '59 s',
      '1 h 1 min',
      '100 d',
    ]);
  });
});
