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
