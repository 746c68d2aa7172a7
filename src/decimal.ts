/**
 * Exact decimal arithmetic on strings. Money and quantities are never `number`: a binary float cannot hold
 * 0.10, and a sum of a hundred thousand of them shows it. A decimal here is an integer and a count of
 * decimal places, so addition, subtraction and comparison are exact at any size.
 */

/** The value `units / 10^scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** Far beyond any amount; keeps hostile input from buying time in big integer parsing. */
export const decimalCharactersMax = 200;

const decimalPattern = /^-?[0-9]+(?:\.[0-9]+)?$/;

/** A text that is not a decimal. */
export class InvalidDecimalError extends Error {
  readonly code = 'INVALID_DECIMAL';

  constructor(text: string) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    super(
      `"${shown}" is not a decimal number such as 12 or -12.50 of at most ${decimalCharactersMax} characters.`,
    );
    this.name = 'InvalidDecimalError';
  }
}

/**
 * Reads `-?digits[.digits]`, at most 200 characters, keeping the decimal places as written.
 * @throws InvalidDecimalError (code INVALID_DECIMAL) for anything else: signs other than a leading minus,
 * exponents, separators of thousands, spaces, an empty text.
 */
export function parseDecimal(text: string): Decimal {
  if (text.length > decimalCharactersMax || !decimalPattern.test(text)) throw new InvalidDecimalError(text);
  const point = text.indexOf('.');
  if (point === -1) return { units: BigInt(text), scale: 0 };
  return { units: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 };
}

/** The canonical text: no needless zeros before or after, no trailing point, zero is `0`. */
export function formatDecimal(value: Decimal): string {
  const sign = value.units < 0n ? '-' : '';
  const digits = (value.units < 0n ? -value.units : value.units).toString();
  if (value.scale === 0) return sign + digits;
  const padded = digits.padStart(value.scale + 1, '0');
  const whole = padded.slice(0, -value.scale);
  let end = padded.length;
  while (end > whole.length && padded.charCodeAt(end - 1) === 48) end -= 1;
  const fraction = padded.slice(whole.length, end);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** The exact sum of two parsed decimals; for loops that would otherwise format and parse at every step. */
export function plus(a: Decimal, b: Decimal): Decimal {
  if (a.scale === b.scale) return { units: a.units + b.units, scale: a.scale };
  const scale = Math.max(a.scale, b.scale);
  return { units: unitsAt(a, scale) + unitsAt(b, scale), scale };
}

/** The negative of a parsed decimal. */
export function negate(value: Decimal): Decimal {
  return { units: -value.units, scale: value.scale };
}

/**
 * The same value in canonical form, so that equal values are equal texts (`007.50` is `7.5`, `-0.0` is `0`).
 * @throws InvalidDecimalError
 */
export function normaliseDecimal(text: string): string {
  return formatDecimal(parseDecimal(text));
}

/**
 * a + b, canonical.
 * @throws InvalidDecimalError
 */
export function addDecimals(a: string, b: string): string {
  return formatDecimal(plus(parseDecimal(a), parseDecimal(b)));
}

/**
 * a − b, canonical.
 * @throws InvalidDecimalError
 */
export function subtractDecimals(a: string, b: string): string {
  return formatDecimal(plus(parseDecimal(a), negate(parseDecimal(b))));
}

/**
 * −1, 0 or 1 as a is less than, equal to or greater than b, by value: `1.0` equals `1`.
 * @throws InvalidDecimalError
 */
export function compareDecimals(a: string, b: string): -1 | 0 | 1 {
  const difference = plus(parseDecimal(a), negate(parseDecimal(b))).units;
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

/**
 * The exact sum, canonical; `0` of nothing.
 * @throws InvalidDecimalError at the first text that is not a decimal.
 */
export function sumDecimals(texts: Iterable<string>): string {
  let sum: Decimal = { units: 0n, scale: 0 };
  for (const text of texts) sum = plus(sum, parseDecimal(text));
  return formatDecimal(sum);
}

function unitsAt(value: Decimal, scale: number): bigint {
  return value.scale === scale ? value.units : value.units * 10n ** BigInt(scale - value.scale);
}
