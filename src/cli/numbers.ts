import { usageError } from './failure.ts';
import { quoted } from './one-line.ts';

/**
 * A parser of an option's value that takes whole numbers within bounds.
 *
 * @param flag the option, for the error's sentence
 */
export function wholeNumberOption(flag: string, min: number, max: number): (text: string) => number {
  return (text) => numberWithin(flag, /^\d+$/, text, min, max, 'a whole number');
}

/** Likewise for seconds, which may have decimal places. @returns milliseconds */
export function secondsOption(
  flag: string,
  minSeconds: number,
  maxSeconds: number,
): (text: string) => number {
  return (text) => numberWithin(flag, /^\d+(?:\.\d+)?$/, text, minSeconds, maxSeconds, 'seconds') * 1000;
}

function numberWithin(
  flag: string,
  pattern: RegExp,
  text: string,
  min: number,
  max: number,
  what: string,
): number {
  const value = pattern.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usageError(`${flag} must be ${what} from ${min} to ${max}, not ${quoted(text)}.`);
}
