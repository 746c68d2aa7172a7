/** A number with a point or an exponent, in JSON. */
const FLOAT = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Numbers that are longer are not looked at; no double needs as many characters. */
const WRITTEN_CHARS_MAX = 64;
/** Digits that every double keeps: within them one decimal is one double, and no other decimal is written alike. */
const DIGITS_MAX = 15;
/** Powers of ten that a double surely has with all these digits. */
const POWER_MAX = 300;
/** From where on, and below which, a power of ten is written as an exponent: 1e16, and 1e-6 (but 0.00001). */
const PLAIN_POWER_MAX = 15;
const PLAIN_POWER_MIN = -5;

/**
 * A number with a point or an exponent as `orjson` writes it: `1E2` is `100.0`, `1e+16` is `1e16`, `0.10` is `0.1`,
 * `1.5e-07` is `1.5e-7`. Only the spelling changes, digit by digit, and never the value: a number that has more digits
 * than a double keeps stays as it is, and so do whole numbers and whatever is no number.
 *
 * @param written as JSON has it
 */
export function orjsonFloat(written: string): string {
  if (written.length > WRITTEN_CHARS_MAX) return written;
  const [, sign = '', whole = '', fraction, exponent] = FLOAT.exec(written) ?? [];
  if (fraction === undefined && exponent === undefined) return written;
  const leading = (whole + (fraction ?? '')).replace(/^0+/, '');
  const digits = leading.replace(/0+$/, '');
  if (digits === '') return `${sign}0.0`;
  // Of the first digit.
  const power = Number(exponent ?? 0) - (fraction ?? '').length + leading.length - 1;
  if (digits.length > DIGITS_MAX || Math.abs(power) > POWER_MAX) return written;
  return sign + spelled(digits, power);
}

function spelled(digits: string, power: number): string {
  if (power > PLAIN_POWER_MAX || power < PLAIN_POWER_MIN) {
    const rest = digits.slice(1);
    return `${digits.slice(0, 1)}${rest && `.${rest}`}e${power}`;
  }
  if (power < 0) return `0.${'0'.repeat(-power - 1)}${digits}`;
  return `${digits.slice(0, power + 1).padEnd(power + 1, '0')}.${digits.slice(power + 1) || '0'}`;
}
