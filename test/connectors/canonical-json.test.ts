import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/connectors/mapper/canonical-json.ts';

describe('canonical JSON', () => {
  test('is compact and has the keys of every object in the order of their characters, also those that are digits', () => {
    const value = { b: [{ z: 'ä "x"\n', _: null }, true], a: {}, '9': '', '10': [], B: false };
    expect(canonicalJson(value)).toBe(
      '{"10":[],"9":"","B":false,"a":{},"b":[{"_":null,"z":"ä \\"x\\"\\n"},true]}',
    );
  });

  test('does not depend on the order in which a value was made, and loses nothing', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }),
        fc.constant(null),
        fc.boolean(),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('any'), { maxLength: 4 }),
      object: fc.dictionary(fc.stringMatching(/^[A-Za-z0-9_]{1,6}$/), tie('any'), { maxKeys: 5 }),
    })).object;
    const reversed = (given: unknown): unknown => {
      if (Array.isArray(given)) return given.map(reversed);
      if (typeof given !== 'object' || given === null) return given;
      return Object.fromEntries(
        Object.entries(given)
          .reverse()
          .map(([key, member]) => [key, reversed(member)]),
      );
    };
    fc.assert(
      fc.property(value, (given) => {
        const text = canonicalJson(given);
        expect(canonicalJson(reversed(given))).toBe(text);
        expect(JSON.parse(text)).toEqual(given);
      }),
    );
  });
});
