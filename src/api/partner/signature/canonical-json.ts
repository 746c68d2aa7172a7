/**
 * The canonical form of a JSON text, over which requests are signed: compact, UTF-8, the members of every object sorted
 * by the code points of their names, strings escaped only where JSON asks for it. That is what the partners' Python
 * systems write (`orjson` with sorted keys). Numbers stay as they were written: `100.0` is not `100`, and an amount of
 * more digits than a double has is not rounded. Or they are spelled as `orjson` does, where a sender has signed with it
 * and sent what another library wrote.
 */

import { orjsonFloat } from './float-spelling.ts';

/** How numbers with a point or an exponent are spelled. */
export type FloatSpelling = 'as written' | 'orjson';

/** Deepest nesting that is looked at; the Python systems write no deeper. */
const DEPTH_MAX = 254;

/** A text has no canonical form that can be had. */
export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError';
  readonly code = 'JSON_TOO_DEEP';
}

/**
 * The canonical form of a JSON text, in time linear in its length but for sorting. A name that an object has twice
 * counts with its last value, as in `JSON.parse`.
 *
 * @param json bytes that `JSON.parse` accepts, which this function does not check again
 * @throws CanonicalJsonError when it is nested more than 254 deep
 */
export function canonicalJson(json: Buffer, floats: FloatSpelling = 'as written'): Buffer {
  return Buffer.from(new Reader(json.toString('utf8'), floats).value(0), 'utf8');
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Halves of surrogate pairs, plain or escaped. */
const SURROGATE = /[\ud800-\udfff]|\\u[dD][89a-fA-F]/;

/** Reads a text that is known to be JSON, and answers the canonical text of what it reads. */
class Reader {
  readonly #text: string;
  readonly #floats: FloatSpelling;
  readonly #order: ((a: string, b: string) => number) | undefined;
  #at = 0;
  /** Where the next backslash is, at or after `#at`. */
  #backslashAt: number;

  constructor(text: string, floats: FloatSpelling) {
    this.#text = text;
    this.#floats = floats;
    // Without surrogates the order of code points is that of UTF-16 units, which needs no function.
    this.#order = SURROGATE.test(text) ? byCodePoint : undefined;
    this.#backslashAt = positionOf(text, '\\', 0);
  }

  value(depth: number): string {
    this.#skipSpace();
    const first = this.#text.charCodeAt(this.#at);
    if (first === QUOTE) return this.#string();
    if (first !== OPEN_OBJECT && first !== OPEN_LIST) return this.#scalar();
    if (depth >= DEPTH_MAX) throw new CanonicalJsonError(`The body is nested more than ${DEPTH_MAX} deep.`);
    this.#at += 1;
    return first === OPEN_OBJECT ? this.#object(depth) : this.#list(depth);
  }

  #list(depth: number): string {
    let list = '';
    while (!this.#ends(CLOSE_LIST)) {
      const item = this.value(depth + 1);
      list = list === '' ? item : `${list},${item}`;
    }
    return `[${list}]`;
  }

  #object(depth: number): string {
    const members = new Map<string, string>();
    while (!this.#ends(CLOSE_OBJECT)) {
      const name = decoded(this.#string());
      this.#skipSpace();
      this.#at += 1; // the colon
      members.set(name, this.value(depth + 1));
    }
    let object = '';
    for (const name of [...members.keys()].sort(this.#order)) {
      object += `${object === '' ? '' : ','}${JSON.stringify(name)}:${members.get(name)}`;
    }
    return `{${object}}`;
  }

  /** Whether a list or an object ends here; steps over the comma where it does not. */
  #ends(bracket: number): boolean {
    this.#skipSpace();
    const next = this.#text.charCodeAt(this.#at);
    if (next === bracket || next === COMMA) this.#at += 1;
    if (next === COMMA) this.#skipSpace();
    return next === bracket;
  }

  #string(): string {
    const from = this.#at;
    let end = this.#text.indexOf('"', from + 1);
    if (this.#backslashAt < from) this.#backslashAt = positionOf(this.#text, '\\', from);
    // A string without a backslash has nothing that is written in more than one way.
    const isPlain = this.#backslashAt > end;
    while (this.#backslashAt < end) {
      const next = this.#backslashAt + 2;
      if (end < next) end = this.#text.indexOf('"', next);
      this.#backslashAt = positionOf(this.#text, '\\', next);
    }
    this.#at = end + 1;
    const written = this.#text.slice(from, this.#at);
    return isPlain ? written : JSON.stringify(JSON.parse(written));
  }

  /** A number, or one of the words. */
  #scalar(): string {
    const from = this.#at;
    while (isOfScalar(this.#text.charCodeAt(this.#at))) this.#at += 1;
    const written = this.#text.slice(from, this.#at);
    return this.#floats === 'as written' ? written : orjsonFloat(written);
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

/** Not -1 when there is none, but a position behind everything. */
function positionOf(text: string, part: string, from: number): number {
  const at = text.indexOf(part, from);
  return at === -1 ? text.length : at;
}

const isSpace = (unit: number): boolean => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** Not so are spaces, commas, brackets and, at the end of the text, NaN. */
const isOfScalar = (unit: number): boolean =>
  unit > 0x20 && unit !== COMMA && unit !== COLON && unit !== CLOSE_LIST && unit !== CLOSE_OBJECT;

/** What a canonical string says. */
const decoded = (canonical: string): string =>
  canonical.includes('\\') ? (JSON.parse(canonical) as string) : canonical.slice(1, -1);

/**
 * The order of code points, which is that of UTF-8 bytes. Plain comparison has the order of UTF-16 units, in which the
 * characters beyond U+FFFF come before those from U+E000 on.
 */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Puts halves of surrogate pairs behind all other units. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit);
