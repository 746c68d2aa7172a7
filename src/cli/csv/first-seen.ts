import { hash } from 'node:crypto';

const SLOT_WORDS = 4;
const SLOTS_INITIAL = 1 << 14;

/**
 * Remembers on which line each text was first seen, in 16 bytes a slot instead of the text.
 *
 * A slot holds 96 bits of the text's SHA-256 and the line. Three eighths to three quarters of the slots are in use, so
 * a text costs 21 to 43 bytes, and 64 for the moment in which the table grows.
 * That two different texts pass for one has, among ten million, a probability of 10⁻¹⁵.
 */
export class FirstSeen {
  #slots = new Uint32Array(SLOTS_INITIAL * SLOT_WORDS);
  #size = 0;

  /** How many different texts have been seen. */
  get size(): number {
    return this.#size;
  }

  /**
   * Notes a text.
   *
   * @param line from 1 to 4,294,967,295
   * @returns the line on which it was first seen, or null when this is the first time
   */
  note(text: string, line: number): number | null {
    if ((this.#size + 1) * 4 > slotCount(this.#slots) * 3) this.#slots = doubled(this.#slots);
    // One character a byte is by far the cheapest form in which this function gives a digest.
    const digest = hash('sha256', text, 'binary');
    const a = wordAt(digest, 0);
    const b = wordAt(digest, 4);
    const c = wordAt(digest, 8);
    const at = findSlot(this.#slots, a, b, c);
    const seen = this.#slots[at + 3] ?? 0;
    if (seen !== 0) return seen;
    fillSlot(this.#slots, at, a, b, c, line);
    this.#size += 1;
    return null;
  }
}

function doubled(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(old.length * 2);
  for (let at = 0; at < old.length; at += SLOT_WORDS) {
    const line = old[at + 3] ?? 0;
    if (line === 0) continue;
    const a = old[at] ?? 0;
    const b = old[at + 1] ?? 0;
    const c = old[at + 2] ?? 0;
    fillSlot(slots, findSlot(slots, a, b, c), a, b, c, line);
  }
  return slots;
}

function slotCount(slots: Uint32Array): number {
  return slots.length / SLOT_WORDS;
}

function wordAt(digest: string, at: number): number {
  const word =
    (digest.charCodeAt(at) << 24) |
    (digest.charCodeAt(at + 1) << 16) |
    (digest.charCodeAt(at + 2) << 8) |
    digest.charCodeAt(at + 3);
  return word >>> 0;
}

/** Index of the slot that holds the key, or of the free one where it belongs; a free slot has line 0. */
function findSlot(slots: Uint32Array, a: number, b: number, c: number): number {
  const mask = slotCount(slots) - 1;
  for (let slot = a & mask; ; slot = (slot + 1) & mask) {
    const at = slot * SLOT_WORDS;
    const isFree = slots[at + 3] === 0;
    if (isFree || (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c)) return at;
  }
}

function fillSlot(slots: Uint32Array, at: number, a: number, b: number, c: number, line: number): void {
  slots[at] = a;
  slots[at + 1] = b;
  slots[at + 2] = c;
  slots[at + 3] = line;
}
