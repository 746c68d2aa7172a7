import fc from 'fast-check';

/** Written into JSON text as it is, see `jsonText`. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const nested = (open: string, close: string, depth: number): Raw =>
  new Raw(open.repeat(depth) + (close === '' ? '1' : '') + close.repeat(depth));

/** Numbers and texts as no JSON library writes them. */
const literals = fc.constantFrom(
  new Raw('1e400'),
  new Raw('-1e400'),
  new Raw('-0'),
  new Raw('0.0000000000000000000000001'),
  new Raw('100000000000000000000'),
  new Raw('99999999999999999999.999999'),
  new Raw('123456789012345678901234567890.123456789'),
  new Raw(`${'9'.repeat(5_000)}`),
  new Raw(`1.${'0'.repeat(3_000)}1`),
  new Raw('1E+2'),
  new Raw('012'),
  new Raw('NaN'),
  new Raw('"\\ud800"'),
  new Raw('"\\u0000"'),
  new Raw('"\\udc00\\ud800"'),
  new Raw('"\u0001"'),
  new Raw('"\\x41"'),
  new Raw('{"__proto__":{"polluted":1}}'),
  new Raw('{"a":1,"a":2}'),
  nested('[', ']', 200),
  nested('[', ']', 9_000),
  new Raw(`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`),
);

/** Values that have made servers stumble. */
const known = fc.constantFrom<unknown>(
  ...[null, undefined, true, false, '', ' ', '\t', '\u0000', '\ud800', 'A\nB', '\u202e', '\ufeff', '\u2028'],
  ...['x'.repeat(64), 'x'.repeat(65), 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(3_000), '😀'.repeat(400)],
  ...["'; drop table disbursements; --", '{}', '[]', '%s%n', '../../etc/passwd', '\\', '"'],
  ...[-1, 0, 1, 1.5, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 1e19, 1e20, 1e21, 1e308, -1e-7, 0.1, 1e-7],
  ...['2026-02-30', '0000-01-01', '9999-12-31', '1e5', '1_000', '٣', '-', '.', '+1', 'NaN', '0x10', '-0.0'],
  ...['99999999999999999999.999999', '0012.500', '1,5', '0.0000001', '1'.repeat(21), 'Infinity'],
  ...[[], {}, [[]], [null], [{}], { $gt: '' }, { toString: 1 }, { constructor: null }, ['__proto__']],
  ...[{ length: 5 }, { hasOwnProperty: 1 }, { toJSON: 1 }, { value: 1, valueOf: 2 }, { request_id: 'inner' }],
);

/** Anything that JSON can say, and some that it cannot. */
export const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: known },
  { weight: 2, arbitrary: literals },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
);

/** A place in a message, as chosen by numbers, and what becomes of it. */
export interface Mutation {
  readonly steps: readonly number[];
  readonly kind: 'replace' | 'remove' | 'repeat' | 'rename' | 'wrap';
  readonly value: unknown;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  steps: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
  kind: fc.constantFrom('replace', 'replace', 'replace', 'replace', 'remove', 'repeat', 'rename', 'wrap'),
  value,
});

/** A copy of a message with one place changed. */
export function mutate(message: unknown, { steps, kind, value }: Mutation): unknown {
  const copy = clone(message);
  let place = copy as Record<string, unknown>;
  for (const [index, step] of steps.entries()) {
    const keys = Object.keys(place);
    const key = keys[step % Math.max(1, keys.length)];
    if (key === undefined) return copy;
    const next = place[key];
    const isLast =
      index === steps.length - 1 || next === null || typeof next !== 'object' || next instanceof Raw;
    if (!isLast) {
      place = next as Record<string, unknown>;
      continue;
    }
    if (kind === 'replace') place[key] = value;
    else if (kind === 'wrap') place[key] = [next];
    else if (kind === 'repeat' && Array.isArray(place)) place.push(next, next);
    else {
      delete place[key];
      if (kind === 'rename') place[`${key} `] = next;
    }
    return copy;
  }
  return copy;
}

function clone(given: unknown): unknown {
  if (given === null || typeof given !== 'object' || given instanceof Raw) return given;
  if (Array.isArray(given)) return given.map(clone);
  return Object.fromEntries(Object.entries(given).map(([key, member]) => [key, clone(member)]));
}

/** JSON text in which {@link Raw} is as it is. */
export function jsonText(given: unknown): string {
  if (given instanceof Raw) return given.text;
  if (given === null || typeof given !== 'object') return JSON.stringify(given) ?? 'null';
  if (Array.isArray(given)) return `[${given.map(jsonText).join(',')}]`;
  const members = Object.entries(given)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`);
  return `{${members.join(',')}}`;
}
