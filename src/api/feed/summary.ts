import type { Transition } from '../../runtime/journal.ts';
import type { FeedMessage } from '../operator/wire/feed.ts';

type Summarised = Extract<FeedMessage, { type: 'summary' }>;
interface Move {
  readonly machine: string;
  readonly region: string;
  readonly from: string;
  readonly to: string;
  count: number;
}

/** Counts transitions between two messages. There are few different ones, however many happen. */
export class Summary {
  #moves = new Map<string, Move>();
  #after: number;
  #seq: number;

  /** @param after sequence number after which it begins to count */
  constructor(after: number) {
    this.#after = after;
    this.#seq = after;
  }

  add(entries: readonly Transition[]): void {
    for (const { seq, machine, region, from_state: from, to_state: to } of entries) {
      const key = `${machine} ${region} ${from} ${to}`;
      const move = this.#moves.get(key);
      if (move) move.count += 1;
      else this.#moves.set(key, { machine, region, from, to, count: 1 });
      this.#seq = seq;
    }
  }

  /** What has been counted since the last time; null when nothing has happened. */
  take(now: Date): Summarised | null {
    if (this.#moves.size === 0) return null;
    const moves = [...this.#moves.values()];
    const summary: Summarised = {
      type: 'summary',
      after: this.#after,
      seq: this.#seq,
      at: now.toISOString(),
      moves,
    };
    this.#moves = new Map();
    this.#after = this.#seq;
    return summary;
  }
}
