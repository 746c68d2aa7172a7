import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesText, compactText, countText, decimalText, share } from '../../src/dashboard/format/number.ts';

const plain = (text: string): string => text.replaceAll('\u202f', '').replace('−', '-');

describe('sums', () => {
  it('are shown to the last digit, their thousands apart', () => {
    expect(decimalText('1234567.89')).toBe('1\u202f234\u202f567.89');
    expect(decimalText('-1000')).toBe('−1\u202f000');
    expect(decimalText('12345678901234567890123.000000001')).toBe(
      '12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890\u202f123.000000001',
    );
  });

  it('have no zeros at the end that say nothing, but two places or none where there are cents', () => {
    expect(['10.500', '10.00', '10.10', '0.0'].map(decimalText)).toEqual(['10.50', '10', '10.10', '0']);
  });

  it('keep their exact value', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.stringMatching(/^\d{0,12}$/), (whole, fraction) => {
        const sum = `${whole}${fraction === '' ? '' : `.${fraction}`}`;
        const shown = plain(decimalText(sum));
        const [units = '', places = ''] = shown.split('.');
        expect(BigInt(units)).toBe(whole);
        expect(places.replace(/0+$/, '')).toBe(fraction.replace(/0+$/, ''));
      }),
    );
  });
});

describe('counts', () => {
  it('have their thousands apart', () => {
    expect([0, 999, 1_000, 1_234_567].map(countText)).toEqual([
      '0',
      '999',
      '1\u202f000',
      '1\u202f234\u202f567',
    ]);
  });

  it('are cut from a million on where there is little room, never rounded up', () => {
    expect([999_999, 1_000_000, 1_999_999].map(compactText)).toEqual(['999\u202f999', '1.00 M', '1.99 M']);
  });
});

describe('a share', () => {
  it('is from 0 to 1, and 0 of nothing', () => {
    expect([share('50', '200'), share(3, 2), share('-1', '5'), share('5', '0')]).toEqual([0.25, 1, 0, 0]);
  });
});

describe('bytes', () => {
  it('are in the unit that people say', () => {
    expect([999, 1_500, 128_000_000, 999_900, 2_300_000_000].map(bytesText)).toEqual([
      '999 B',
      '1.5 kB',
      '128 MB',
      '1.0 MB',
      '2.3 GB',
    ]);
  });
});
