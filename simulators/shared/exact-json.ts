/**
 * A JSON number with more digits than a double keeps, as it was written. It stands in for the number so
 * that money is never rounded on the way in; a schema that expects anything but an amount refuses it.
 */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** Text that JSON allows and a database does not: U+0000 or half a surrogate pair. */
export class UnstorableTextError extends Error {
  constructor() {
    super('body: holds the character U+0000 or half a surrogate pair');
    this.name = 'UnstorableTextError';
  }
}

/** Sixteen characters of digits and points: the first length at which a double may differ from its text. */
const longNumber = /[:[,]\s*-?\d[\d.]{15,}/;
const longNumberCharactersMin = 16;
const doubtfulEscape = /\\u(?:0000|[dD][89a-fA-F])/;

/**
 * `JSON.parse` without loss. The exact paths are slow, and two scans of the text tell whether they are
 * needed, which they hardly ever are.
 *
 * @throws SyntaxError when the text is not JSON
 * @throws UnstorableTextError when a string in it cannot be stored
 */
export function parseJson(text: string): unknown {
  const value: unknown = longNumber.test(text) ? JSON.parse(text, keepLongNumber) : JSON.parse(text);
  if (doubtfulEscape.test(text) && !storable(value)) throw new UnstorableTextError();
  return value;
}

function keepLongNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  return source.length >= longNumberCharactersMin ? new ExactNumber(source) : value;
}

function storable(root: unknown): boolean {
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === 'string') {
      if (value.includes('\0') || !value.isWellFormed()) return false;
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) pending.push(key, member);
    }
  }
  return true;
}
