import { isUtf8 } from 'node:buffer';

/**
 * A JSON number with more digits than a double keeps. It stands in for the number, so that an amount is never rounded on
 * the way in. It is a symbol because JSON has none: a schema that expects anything but an amount refuses it, one of an
 * object too.
 */
export type ExactNumber = symbol;

/** The text of an {@link ExactNumber}, as it was written; null for every other value. */
export const sourceOf = (value: unknown): string | null =>
  typeof value === 'symbol' ? (value.description ?? null) : null;

/** A body that is not JSON. */
export class NotJsonError extends Error {
  readonly code = 'REQUEST_NOT_JSON';
}

/** A double returns every number of up to 15 significant digits as it was written; a 16th character may be one more. */
const LONG_NUMBER_CHARS_MIN = 16;
const LONG_NUMBER = /[:[,]\s*-?\d[\d.]{15,}/;

/**
 * `JSON.parse` without loss: numbers that a double cannot hold become {@link ExactNumber}. Looking at every number is
 * slow, and one scan of the text tells that it is hardly ever needed.
 *
 * @throws NotJsonError when the bytes are not JSON in UTF-8 (RFC 8259 section 8.1), or nested too deeply to be looked at
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new NotJsonError('The body is not UTF-8.');
  const text = bytes.toString('utf8');
  try {
    return LONG_NUMBER.test(text) ? JSON.parse(text, keepLongNumber) : JSON.parse(text);
  } catch (error) {
    throw new NotJsonError('The body is not JSON.', { cause: error });
  }
}

/** No field of ours has this name, but whoever checks how long something is compares what stands there with a number. */
const MEASURED = 'length';

function keepLongNumber(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || key === MEASURED) return value;
  return source.length >= LONG_NUMBER_CHARS_MIN ? (Symbol(source) satisfies ExactNumber) : value;
}

/** Not in TypeScript's library yet: a value that `JSON.stringify` writes as it is (ECMAScript proposal JSON.parse source text). */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): RawJson };

/** What `JSON.rawJSON` makes; there is nothing to do with it but to write it. */
interface RawJson {
  readonly rawJSON: string;
}

/** A decimal on its way out, see {@link jsonNumber}. */
export type JsonNumber = number | RawJson;

/**
 * Makes `JSON.stringify` write a decimal as a JSON number with all its digits. The systems that call us read numbers;
 * what they keep of more than 15 digits is up to their own number type, the text is always exact.
 *
 * @param decimal exact decimal string as PostgreSQL's `numeric` or `src/decimal.ts` write it
 */
export function jsonNumber(decimal: string): JsonNumber {
  return decimal.length < LONG_NUMBER_CHARS_MIN ? Number(decimal) : rawJSON(decimal);
}
