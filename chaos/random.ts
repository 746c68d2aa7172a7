/** A source of numbers that is the same in every run with the same seed and purpose. */
export interface Random {
  /** From 0 (included) to 1 (excluded). */
  next(): number;
  /** A whole number, both bounds included. */
  between(min: number, max: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
}

const UINT32 = 2 ** 32;

/**
 * @param seed whole number
 * @param purpose sources of different purposes do not disturb each other: one more draw here changes nothing there
 */
export function randomFor(seed: number, purpose: string): Random {
  let state = seed >>> 0;
  for (const character of purpose) state = scrambled(state ^ (character.codePointAt(0) ?? 0));
  const next = () => {
    // A Weyl sequence, scrambled: every one of its 2^32 states is visited once.
    state = (state + 0x9e3779b9) >>> 0;
    return scrambled(state) / UINT32;
  };
  return {
    next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (list) => list[Math.floor(next() * list.length)] ?? list[0],
  };
}

function scrambled(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
