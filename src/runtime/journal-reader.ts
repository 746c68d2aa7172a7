import { entriesAfter, type JournalFilter, type Transition } from './journal.ts';
import type { Store } from './store.ts';

/** Entries in one piece at most. */
const ENTRIES_MAX = 1_000;
/** Sequence numbers that one statement looks at: one that filters without an index must end soon, too. */
const NUMBERS_MAX = 50_000;
/** Readers at the same time: others than readers of the past need the sessions, too. */
const READERS_MAX = 2;

/** A piece of the journal, and up to which number it is complete. */
export interface Piece {
  readonly entries: readonly Transition[];
  readonly until: number;
}

/** Reads the past of the journal in pieces, for any number of readers who take turns. */
export class JournalReader {
  readonly #store: Store;
  readonly #waiting: (() => void)[] = [];
  #reading = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The next piece after a sequence number; it may be empty.
   *
   * @param until the journal is complete up to here
   * @throws the database's error
   */
  async read(after: number, until: number, filter: JournalFilter): Promise<Piece> {
    const last = Math.min(until, after + NUMBERS_MAX);
    const entries = await this.#inTurn(() =>
      this.#store.query((sql) => entriesAfter(sql, after, ENTRIES_MAX, filter, last)),
    );
    return { entries, until: entries.length === ENTRIES_MAX ? (entries.at(-1)?.seq ?? last) : last };
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.#reading >= READERS_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading += 1;
    try {
      return await read();
    } finally {
      // The turn goes on to who waits longest.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#reading -= 1;
    }
  }
}
