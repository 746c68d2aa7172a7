import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAdditionalInfo } from '../../src/connectors/pbms/additional-info.ts';

const KEYS = ['BANK', 'BRANCH', 'ACCOUNT', 'TYPE'];

const spaces = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
/** A value that people may type: anything but the separator, not blank, without spaces around it. */
const value = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .map((text) => text.replaceAll('#', '').trim())
  .filter((text) => text !== '' && !KEYS.includes(text.toUpperCase()));
const key = fc.constantFrom(...KEYS);

/** The same letters, each in the case that its flag says. */
function inCases(word: string, capitals: readonly boolean[]): string {
  return [...word].map((letter, n) => (capitals[n] ? letter : letter.toLowerCase())).join('');
}

const anyCase = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
const given = fc.uniqueArray(
  fc.record({ key, value, capitals: anyCase, around: fc.array(spaces, { minLength: 4, maxLength: 4 }) }),
  { selector: (one) => one.key, maxLength: 4 },
);

describe('additional info', () => {
  test.each<[string, Record<string, string>]>([
    [
      '#BANK#EXAMPLE-BANK#BRANCH#B-1#ACCOUNT#4021#TYPE#SAVINGS',
      { BANK: 'EXAMPLE-BANK', BRANCH: 'B-1', ACCOUNT: '4021', TYPE: 'SAVINGS' },
    ],
    ['#ACCOUNT#4021#TYPE#CURRENT#BRANCH#', { ACCOUNT: '4021', TYPE: 'CURRENT' }],
    ['# account # 4021 #\nType# current\n', { ACCOUNT: '4021', TYPE: 'current' }],
    ['#ACCOUNT#TYPE#SAVINGS#BRANCH#B-1', { TYPE: 'SAVINGS', BRANCH: 'B-1' }],
    ['#BANK#account#BRANCH#B-1', { BRANCH: 'B-1' }],
    ['#ACCOUNT#1#ACCOUNT#2', { ACCOUNT: '1' }],
    ['#ACCOUNT##BRANCH#B-1', { BRANCH: 'B-1' }],
    ['see the contract #ACCOUNT#4021', { ACCOUNT: '4021' }],
    ['open on Sundays', {}],
    ['', {}],
    ['###', {}],
  ])('%j is read', (text, expected) => {
    expect(Object.fromEntries(parseAdditionalInfo(text))).toEqual(expected);
  });

  test('is read back as it was written, in whatever order, case and spacing', () => {
    const roundTrip = fc.property(given, (entries) => {
      const text = entries
        .map(
          ({ key, value, capitals, around: [a, b, c, d] }) =>
            `#${a}${inCases(key, capitals)}${b}#${c}${value}${d}`,
        )
        .join('');
      const expected = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
      expect(Object.fromEntries(parseAdditionalInfo(text))).toEqual(expected);
    });
    fc.assert(roundTrip, { numRuns: 1_000 });
  });

  test('of any text is never blank, never holds a separator, and only what the text says', () => {
    const pieces = fc.array(fc.oneof(key, fc.string({ unit: 'binary', maxLength: 8 }), fc.constant('#')));
    const sensible = fc.property(
      pieces.map((some) => some.join('')),
      (text) => {
        for (const [name, said] of parseAdditionalInfo(text)) {
          expect([name, said]).toEqual([name.trim(), said.trim()]);
          expect([name, said]).not.toContain('');
          expect(name + said).not.toContain('#');
          expect(text).toContain(said);
        }
      },
    );
    fc.assert(sensible, { numRuns: 1_000 });
  });
});
