import { Option } from 'commander';
import { usageError } from './failure.ts';
import { quoted } from './one-line.ts';

/** What an option may be, and what it is when it is not given. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly byDefault: number;
}

/**
 * An option that takes whole numbers within bounds.
 *
 * @param flag such as `--batch-size`
 */
export function wholeNumberOption(flag: string, help: string, bounds: Bounds): Option {
  return new Option(`${flag} <n>`, help)
    .default(bounds.byDefault)
    .argParser((text) => numberWithin(flag, /^\d+$/, text, bounds, 'a whole number'));
}

/** An option that takes seconds, also with decimal places; its value is in milliseconds. */
export function secondsOption(flag: string, help: string, bounds: Bounds): Option {
  return new Option(`${flag} <seconds>`, help)
    .default(bounds.byDefault * 1000, String(bounds.byDefault))
    .argParser((text) => numberWithin(flag, /^\d+(?:\.\d+)?$/, text, bounds, 'seconds') * 1000);
}

function numberWithin(
  flag: string,
  pattern: RegExp,
  text: string,
  { min, max }: Bounds,
  what: string,
): number {
  const value = pattern.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usageError(`${flag} must be ${what} from ${min} to ${max}, not ${quoted(text)}.`);
}
