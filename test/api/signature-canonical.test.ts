import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CanonicalJsonError, canonicalJson } from '../../src/api/partner/signature/canonical-json.ts';
import { sortedJson } from '../support/signing.ts';

const canonical = (text: string): string => canonicalJson(Buffer.from(text)).toString('utf8');

/** JSON text of a value with members in any order, spaces anywhere and characters escaped or not. */
function anyWriting(value: unknown, next: () => number): string {
  const space = () => ['', '', ' ', '\n\t', '\r '][next() % 5] ?? '';
  if (Array.isArray(value)) {
    return `${space()}[${value.map((item) => anyWriting(item, next)).join(',')}${space()}]${space()}`;
  }
  if (typeof value === 'string') return `${space()}${anyString(value, next)}${space()}`;
  if (typeof value !== 'object' || value === null) return `${space()}${JSON.stringify(value)}${space()}`;
  const members = Object.entries(value).map(
    ([name, member]) => `${space()}${anyString(name, next)}${space()}:${anyWriting(member, next)}`,
  );
  const shift = members.length === 0 ? 0 : next() % members.length;
  return `{${[...members.slice(shift), ...members.slice(0, shift)].join(',')}${space()}}`;
}

function anyString(text: string, next: () => number): string {
  const units = text.split('').map((unit) => {
    const code = unit.charCodeAt(0);
    const mustBe = code < 0x20 || unit === '"' || unit === '\\' || (code >= 0xd800 && code <= 0xdfff);
    if (!mustBe && next() % 4 > 0) return unit;
    const hex = code.toString(16).padStart(4, '0');
    return `\\u${next() % 2 === 0 ? hex : hex.toUpperCase()}`;
  });
  return `"${units.join('')}"`;
}

const jsonValue = fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 });

describe('the canonical form of a JSON text', () => {
  it('is the same however the text is written, and as a plain sort makes it', () => {
    fc.assert(
      fc.property(jsonValue, fc.infiniteStream(fc.nat(1_000)), (value, numbers) => {
        // -0 is written "-0" by whoever means it, and "0" by JSON.stringify.
        const plain = JSON.parse(JSON.stringify(value));
        const text = anyWriting(plain, () => numbers.next().value ?? 0);
        expect(canonical(text)).toBe(sortedJson(plain));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is its own canonical form', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const once = canonical(JSON.stringify(value));
        expect(canonical(once)).toBe(once);
      }),
    );
  });

  it.each([
    [
      '[100.0, 100, 1E5, 1e+5, -0, 12345678901234567890.10]',
      '[100.0,100,1E5,1e+5,-0,12345678901234567890.10]',
    ],
    ['{"b":1,"a":{"d":null,"c":[true,false]}}', '{"a":{"c":[true,false],"d":null},"b":1}'],
    // By code points, not by UTF-16 units, and by what a name says, not by how it is escaped.
    ['{"\\ud83d\\ude00":1,"\\uffff":2,"é":3,"z":4}', '{"z":4,"é":3,"\uffff":2,"😀":1}'],
    ['{"aZ":1,"a\\"":2,"a!":3,"a":4}', '{"a":4,"a!":3,"a\\"":2,"aZ":1}'],
    ['{"a":1,"\\u0061":2,"b":{"c":1,"c":2}}', '{"a":2,"b":{"c":2}}'],
    ['{"__proto__":{"b":1,"a":2},"constructor":1}', '{"__proto__":{"a":2,"b":1},"constructor":1}'],
    ['"\\u0041\\/\\u007f\\u2028\\u001F\\n\\b"', '"A/\u007f\u2028\\u001f\\n\\b"'],
    [' { } ', '{}'],
    ['[ [ ] , { } ]', '[[],{}]'],
    [' "x" ', '"x"'],
    ['\t-1.50\n', '-1.50'],
  ])('of %s is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    ['100.0', '100.0'],
    ['1E2', '100.0'],
    ['100.50', '100.5'],
    ['-0.0', '-0.0'],
    ['0e99', '0.0'],
    ['1e15', '1000000000000000.0'],
    ['1e+16', '1e16'],
    ['123456789012345e2', '1.23456789012345e16'],
    ['0.00001', '0.00001'],
    ['1e-05', '0.00001'],
    ['0.000001', '1e-6'],
    ['1.5e-07', '1.5e-7'],
    ['1e-300', '1e-300'],
    // Neither whole numbers nor what no double keeps.
    ['-0', '-0'],
    ['12345678901234567890', '12345678901234567890'],
    ['123456789.0123456', '123456789.0123456'],
    ['0.12345678901234560', '0.12345678901234560'],
    ['1e999', '1e999'],
    ['1e-320', '1e-320'],
    [`1.${'0'.repeat(100)}`, `1.${'0'.repeat(100)}`],
  ])('has %s as %s where floats are spelled as orjson does', (written, expected) => {
    const text = `{"b":[${written}, true ,null],"a":"${written}"}`;
    expect(canonicalJson(Buffer.from(text), 'orjson').toString('utf8')).toBe(
      `{"a":"${written}","b":[${expected},true,null]}`,
    );
  });

  it('says the same number, to the last digit, however its floats are spelled', () => {
    const exact = (text: string): string => {
      const [, sign = '', whole = '', fraction = '', exponent = '0'] =
        /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
      const digits = (whole + fraction).replace(/^0+/, '');
      const short = digits.replace(/0+$/, '');
      const power = Number(exponent) - fraction.length + digits.length - short.length;
      return short === '' ? `${sign}0` : `${sign}${short}e${power}`;
    };
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,17}$/)),
        fc.option(fc.stringMatching(/^0{0,8}\d{1,12}0{0,3}$/)),
        fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-0'), fc.nat(320))),
      )
      .map(([sign, whole, fraction, exponent]) =>
        [sign, whole, fraction === null ? '' : `.${fraction}`, exponent ? exponent.join('') : ''].join(''),
      );
    fc.assert(
      fc.property(number, (written) => {
        const spelled = canonicalJson(Buffer.from(written), 'orjson').toString('utf8');
        expect(exact(spelled)).toBe(exact(written));
        expect(canonicalJson(Buffer.from(spelled), 'orjson').toString('utf8')).toBe(spelled);
      }),
      { numRuns: 5_000 },
    );
  });

  it('tells two texts apart that say different things', () => {
    const forms = [
      '{"a":"1"}',
      '{"a":1}',
      '{"a":1.0}',
      '{"a":[1]}',
      '{"a":"[1]"}',
      '{"a":null}',
      '{"a":"null"}',
    ];
    expect(new Set(forms.map(canonical)).size).toBe(forms.length);
  });

  it('is refused where the text is nested deeper than anybody writes, without overflowing', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(canonical(nested(254))).toBe(nested(254));
    expect(() => canonical(nested(255))).toThrow(CanonicalJsonError);
    expect(() => canonical(nested(1_000_000))).toThrow(CanonicalJsonError);
  });

  it('is had of the largest bodies, whatever they are made of', () => {
    const many = 100_000;
    for (const text of [
      `[${'[],'.repeat(many)}1]`,
      `{${Array.from({ length: many }, (_, index) => `"k${(index * 7919) % many}":1`).join(',')}}`,
      JSON.stringify('\n'.repeat(many)),
      `[${'"\\"",'.repeat(many)}1${' '.repeat(many)}]`,
    ]) {
      expect(JSON.parse(canonical(text))).toEqual(JSON.parse(text));
    }
  });
});
