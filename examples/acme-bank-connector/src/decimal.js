/**
 * Whether a text is an amount that may be sent: digits, and a point with more digits. No sign, exponent or comma.
 *
 * @param {string} text
 */
export function isAmount(text) {
  return /^\d{1,30}(\.\d{1,18})?$/.test(text);
}

/**
 * Whether one amount is at least another, exactly: as whole numbers of the smallest unit that either has.
 *
 * @param {string} amount
 * @param {string} other
 */
export function isAtLeast(amount, other) {
  const [whole = '', fraction = ''] = amount.split('.');
  const [otherWhole = '', otherFraction = ''] = other.split('.');
  const places = Math.max(fraction.length, otherFraction.length);
  const units = BigInt(whole + fraction.padEnd(places, '0'));
  return units >= BigInt(otherWhole + otherFraction.padEnd(places, '0'));
}
