import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, compareIds, leastAllocated } from '../../src/connectors/allocation/allocator.ts';
import { addDecimals, compareDecimals, subtractDecimals } from '../../src/decimal.ts';

function candidate(id: string): Candidate {
  const nothing = { name: null, adminName: null, adminEmail: null, adminPhone: null };
  return { id, mnemonic: `M-${id}`, ...nothing, additionalAttributes: null };
}

const id = fc.oneof(fc.nat({ max: 30 }).map(String), fc.stringMatching(/^[a-c0-2-]{1,3}$/), fc.uuid());
const candidates = fc
  .uniqueArray(id, { minLength: 1, maxLength: 8 })
  .map((ids) => ids.map((one) => candidate(one)));
const quantity = fc
  .tuple(fc.nat({ max: 100_000 }), fc.constantFrom(0, 1, 2, 10))
  .map(([units, places]) => (places === 0 ? String(units) : `${units}.${'7'.padEnd(places, '0')}`));

describe('the least allocated', () => {
  test.each<[string, readonly string[], Record<string, string>, string]>([
    ['has the least quantity', ['1', '2', '3'], { 1: '5', 2: '4.99', 3: '5.0' }, '2'],
    ['may have nothing yet', ['1', '2'], { 1: '0.01' }, '2'],
    [
      'is of equals the one with the lowest number',
      ['10', '9', '11'],
      { 9: '1.0', 10: '1', 11: '1.00' },
      '9',
    ],
    ['is told by quantities as numbers, not as texts', ['1', '2'], { 1: '10', 2: '9' }, '2'],
    ['is exact beyond binary floats', ['1', '2'], { 1: '9007199254740993', 2: '9007199254740992.9' }, '2'],
    ['is told by names when they are no numbers', ['b', 'a', 'c'], {}, 'a'],
    ['is a number before a name', ['a', '7'], {}, '7'],
  ])('%s', (_, ids, allocated, expected) => {
    const chosen = leastAllocated(ids.map(candidate), new Map(Object.entries(allocated)));
    expect(chosen.id).toBe(expected);
  });

  test('of nobody is nobody', () => {
    expect(() => leastAllocated([], new Map())).toThrow(RangeError);
  });

  test('has not more than any other, and is the same in whatever order they come', () => {
    const some = candidates.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.array(fc.option(quantity, { nil: undefined }), { minLength: all.length, maxLength: all.length }),
      ),
    );
    const least = fc.property(some, ([all, shuffled, quantities]) => {
      const allocated = new Map(all.flatMap(({ id }, n) => (quantities[n] ? [[id, quantities[n]]] : [])));
      const chosen = leastAllocated(all, allocated);
      const of = ({ id }: Candidate) => allocated.get(id) ?? '0';
      for (const other of all) {
        const more = compareDecimals(of(other), of(chosen));
        expect(more).toBeGreaterThanOrEqual(0);
        if (more === 0 && other !== chosen) expect(compareIds(chosen.id, other.id)).toBeLessThan(0);
      }
      expect(leastAllocated(shuffled, allocated)).toBe(chosen);
    });
    fc.assert(least, { numRuns: 1_000 });
  });

  test('keeps all within the largest single quantity of each other, where all serve all zones', () => {
    const allocations = fc.array(quantity, { minLength: 1, maxLength: 60 });
    const balanced = fc.property(candidates, allocations, (all, quantities) => {
      const allocated = new Map<string, string>();
      for (const one of quantities) {
        const { id } = leastAllocated(all, allocated);
        allocated.set(id, addDecimals(allocated.get(id) ?? '0', one));
      }
      const sums = all.map(({ id }) => allocated.get(id) ?? '0').sort(compareDecimals);
      const largest = [...quantities].sort(compareDecimals).at(-1) ?? '0';
      const spread = subtractDecimals(sums.at(-1) ?? '0', sums[0] ?? '0');
      expect(compareDecimals(spread, largest)).toBeLessThanOrEqual(0);
    });
    fc.assert(balanced, { numRuns: 500 });
  });
});

describe('the order of ids', () => {
  test('is an order: antisymmetric, transitive, and equal for the same id only', () => {
    const anyId = fc.oneof(id, fc.stringMatching(/^0{0,2}[0-9]{1,2}$/), fc.string({ maxLength: 3 }));
    const ordered = fc.property(anyId, anyId, anyId, (a, b, c) => {
      expect(Math.sign(compareIds(a, b))).toBe(0 - Math.sign(compareIds(b, a)));
      expect(compareIds(a, b) === 0).toBe(a === b);
      if (compareIds(a, b) < 0 && compareIds(b, c) < 0) expect(compareIds(a, c)).toBeLessThan(0);
    });
    fc.assert(ordered, { numRuns: 2_000 });
  });
});
