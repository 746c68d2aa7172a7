import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDecimals,
  compareDecimals,
  formatDecimal,
  normaliseDecimal,
  parseDecimal,
  subtractDecimals,
  sumDecimals,
} from '../src/decimal.ts';

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

/** Any accepted spelling: needless zeros, minus zero, no or many decimal places. */
const decimal = fc
  .tuple(fc.boolean(), digits(1, 25), fc.option(digits(1, 12)))
  .map(([minus, whole, fraction]) => `${minus ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`);

/** The value as a whole number of 10^-12, an independent way to compute. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const units = BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
  return text.startsWith('-') ? -units : units;
}

describe('exact decimals', () => {
  it.each([
    ['0.1', '0.2', '0.3'],
    ['999999999999999999.99', '0.01', '1000000000000000000'],
    ['-5', '5.00', '0'],
    ['-0.5', '0.25', '-0.25'],
    ['1.10', '2', '3.1'],
  ])('adds %s and %s to %s', (a, b, sum) => {
    expect(addDecimals(a, b)).toBe(sum);
  });

  it.each([
    ['-0', '0'],
    ['-0.00', '0'],
    ['007.50', '7.5'],
    ['100', '100'],
    ['-00.050', '-0.05'],
    ['0.000', '0'],
  ])('writes %s in the one canonical form %s', (text, canonical) => {
    expect(normaliseDecimal(text)).toBe(canonical);
  });

  it.each([
    '',
    '-',
    '.',
    '.5',
    '5.',
    '+5',
    '1e3',
    '1,5',
    '1 000',
    ' 1',
    '1\n',
    '--1',
    '1.2.3',
    'NaN',
    '٣',
    '1'.repeat(201),
  ])('refuses %j with INVALID_DECIMAL', (text) => {
    expect(() => parseDecimal(text)).toThrow(expect.objectContaining({ code: 'INVALID_DECIMAL' }));
  });

  it('names the text it refuses, cut when it is long', () => {
    expect(() => parseDecimal('12,50')).toThrow('"12,50" is not a decimal number');
    expect(() => parseDecimal('x'.repeat(5000))).toThrow(/^.{0,140}$/);
  });

  it('sums nothing to 0 and a hundred thousand cents to exactly a thousand', () => {
    expect(sumDecimals([])).toBe('0');
    expect(sumDecimals(new Array(100_000).fill('0.01'))).toBe('1000');
  });

  it('adds, subtracts, sums and compares as whole numbers of the smallest unit do', () => {
    fc.assert(
      fc.property(decimal, decimal, decimal, (a, b, c) => {
        expect(scaled(addDecimals(a, b))).toBe(scaled(a) + scaled(b));
        expect(scaled(subtractDecimals(a, b))).toBe(scaled(a) - scaled(b));
        expect(scaled(sumDecimals([a, b, c]))).toBe(scaled(a) + scaled(b) + scaled(c));
        const sign = scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0;
        expect(compareDecimals(a, b)).toBe(sign);
      }),
    );
  });

  it('gives equal texts exactly for equal values, each a text it accepts and leaves as it is', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(normaliseDecimal(a) === normaliseDecimal(b)).toBe(scaled(a) === scaled(b));
        expect(scaled(normaliseDecimal(a))).toBe(scaled(a));
        expect(normaliseDecimal(normaliseDecimal(a))).toBe(normaliseDecimal(a));
        expect(normaliseDecimal(a)).toMatch(/^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$/);
      }),
    );
  });

  it('refuses every text outside the grammar and takes every one inside', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'-.0159 e,'), maxLength: 8 }), (text) => {
        const inside = /^-?\d+(\.\d+)?$/.test(text);
        if (inside) expect(scaled(formatDecimal(parseDecimal(text)))).toBe(scaled(text));
        else expect(() => parseDecimal(text)).toThrow(expect.objectContaining({ code: 'INVALID_DECIMAL' }));
      }),
    );
  });
});
