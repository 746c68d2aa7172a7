const THIN = '\u202f';

const grouped = (digits: string): string => digits.replaceAll(/\B(?=(\d{3})+(?!\d))/g, THIN);

/** A count with its thousands apart: `12 345`. */
export const countText = (count: number): string =>
  count < 0 ? `−${grouped(String(-count))}` : grouped(String(count));

/** A count in little room: from a million on `1.25 M`. What has more room shows it in full. */
export const compactText = (count: number): string =>
  count < 1_000_000 ? countText(count) : `${(Math.floor(count / 10_000) / 100).toFixed(2)} M`;

/**
 * An exact decimal with its thousands apart. Only its text is touched: money never passes through a binary number. Zeros
 * at its end that say nothing are left out, but a sum with cents keeps two places.
 *
 * @param decimal as on the wire: `-1234.50`
 */
export function decimalText(decimal: string): string {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? [];
  const said = fraction.replace(/0+$/, '');
  const places = said.length === 1 ? `${said}0` : said;
  return `${sign === '-' ? '−' : ''}${grouped(whole)}${places === '' ? '' : `.${places}`}`;
}

/**
 * How much of a whole a part is, from 0 to 1; 0 when there is no whole. For the length of a bar only.
 */
export function share(part: string | number, whole: string | number): number {
  const all = Number(whole);
  return all > 0 ? Math.min(1, Math.max(0, Number(part) / all)) : 0;
}

/** Bytes for people: `128 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1_000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
