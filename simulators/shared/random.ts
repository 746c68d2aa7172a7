/** A source of numbers from 0 (included) to 1 (excluded). */
export type Random = () => number;

/**
 * A repeatable source: the same seed gives the same numbers in every run (the mulberry32 generator).
 *
 * @param seed whole number; only its lowest 32 bits count
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
