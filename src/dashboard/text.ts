import { countText } from './format/number.ts';

/** A count with its noun: "1 record", "12 000 records". */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${countText(count)} ${count === 1 ? noun : plural}`;

/** As they are written, wherever in a name they stand. */
const SHORT: Readonly<Record<string, string>> = { fa: 'FA', mt940: 'MT940' };

/** A name of the code as people read it: `fa_resolution` → "FA resolution". */
export function nameText(name: string): string {
  const words = name
    .split('_')
    .map((word) => SHORT[word] ?? word)
    .join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The end of an id, where ids that were made one after the other differ; short ones in full. */
export const shortId = (id: string): string => (id.length > 20 ? `…${id.slice(-12)}` : id);
