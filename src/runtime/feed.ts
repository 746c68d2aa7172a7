import { setTimeout as delay } from 'node:timers/promises';
import { entriesAfter, type JournalFilter, journalWriters, latestSeq, type Transition } from './journal.ts';
import type { Store } from './store.ts';

const CHANNEL = 'actor_transitions';
/** Commits are announced together, at most this often per process: a NOTIFY makes commits queue up behind it. */
const ANNOUNCE_MS = 5;
/** How often the journal is looked at when no announcement comes. */
const POLL_MS = 1_000;
const READ_MAX = 1_000;
/** Entries that wait for a slow follower at most; it then reads from the journal again. */
const BUFFER_MAX = 10_000;
/** How often it is checked whether a transaction that holds a missing number has ended. */
const GAP_CHECK_MS = 5;

interface Follower {
  /** New entries have been settled. */
  take(entries: readonly Transition[]): void;
  /** The feed stops. */
  wake(): void;
}

/**
 * Streams the journal in the order of its sequence numbers, without gaps. Numbers are taken before transactions
 * commit, so a higher one can become visible first. When a number is missing, the feed finds out which transactions
 * have taken numbers and not ended, and waits for exactly those: afterwards the number is there, or was rolled back
 * and never will be.
 */
export class Feed {
  readonly #store: Store;
  readonly #followers = new Set<Follower>();
  #position = 0;
  #announcing: NodeJS.Timeout | null = null;
  #unlisten: (() => Promise<void>) | null = null;
  #running: Promise<void> | null = null;
  #wakeUp: () => void = () => {};
  /** Something may have been stored since the journal was last read. */
  #noticed = false;
  #stopped = true;

  constructor(store: Store) {
    this.#store = store;
    store.onCommit(({ transitions }) => {
      if (transitions.length > 0) this.#announce();
    });
  }

  /** Everything up to this sequence number has been settled and handed out. */
  get position(): number {
    return this.#position;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    const { unlisten } = await this.#store.database.sql.listen(
      CHANNEL,
      () => this.#notice(),
      () => this.#notice(),
    );
    this.#unlisten = unlisten;
    const latest = await this.#store.query(latestSeq);
    await this.#writersEnd();
    this.#position = latest;
    this.#running = this.#tail();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#announcing) clearTimeout(this.#announcing);
    this.#notice();
    for (const follower of this.#followers) follower.wake();
    await this.#running;
    await this.#unlisten?.();
    this.#unlisten = null;
  }

  /**
   * Streams transitions after a sequence number, then goes on with new ones until `signal` aborts or the feed stops.
   *
   * @param options.after sequence number to go on after; when left out, that of the moment the first entry is asked for
   * @param options.filter only entries that fulfil all its conditions
   */
  async *follow(options: {
    readonly after?: number;
    readonly filter?: JournalFilter;
    readonly signal: AbortSignal;
  }): AsyncGenerator<readonly Transition[], void, undefined> {
    const { signal, filter = {} } = options;
    let cursor = options.after ?? this.#position;
    while (!signal.aborted && !this.#stopped) {
      // Between this look at the position and the beginning of `#live` nothing else runs, so no entry falls in between.
      if (cursor >= this.#position) {
        cursor = yield* this.#live(cursor, filter, signal);
        continue;
      }
      const until = this.#position;
      const entries = await this.#entriesAfter(cursor, filter);
      const settled = entries.filter(({ seq }) => seq <= until);
      cursor = settled.length === READ_MAX ? (settled.at(-1)?.seq ?? until) : until;
      if (settled.length > 0) yield settled;
    }
  }

  /** @returns the sequence number up to which it has handed out everything: it ends when its buffer is full */
  async *#live(
    after: number,
    filter: JournalFilter,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Transition[], number, undefined> {
    let buffer: Transition[] = [];
    let taken = after;
    let full = false;
    let arrived: () => void = () => {};
    const follower: Follower = {
      take(entries) {
        full ||= buffer.length + entries.length > BUFFER_MAX;
        if (full) return;
        for (const entry of entries) if (entry.seq > after && matches(entry, filter)) buffer.push(entry);
        taken = Math.max(taken, entries.at(-1)?.seq ?? taken);
        if (buffer.length > 0) arrived();
      },
      wake: () => arrived(),
    };
    this.#followers.add(follower);
    signal.addEventListener('abort', follower.wake);
    try {
      while (!signal.aborted && !this.#stopped) {
        if (buffer.length > 0) {
          const entries = buffer;
          buffer = [];
          yield entries;
        } else if (full) return taken;
        else {
          await new Promise<void>((resolve) => {
            arrived = resolve;
          });
        }
      }
    } finally {
      this.#followers.delete(follower);
      signal.removeEventListener('abort', follower.wake);
    }
    return taken;
  }

  #announce(): void {
    if (this.#announcing || this.#stopped) return;
    this.#announcing = setTimeout(() => {
      this.#announcing = null;
      this.#store
        .query((sql) => sql`select pg_notify(${CHANNEL}, '')`)
        .catch((error: unknown) => this.#store.observer.troubled('feed', error));
    }, ANNOUNCE_MS);
  }

  async #tail(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#noticed = false;
        const read = await this.#advance();
        if (read < READ_MAX) await this.#sleep();
      } catch (error) {
        this.#store.observer.troubled('feed', error);
        await this.#sleep();
      }
    }
  }

  /** Hands out what has been settled since the last time. */
  async #advance(): Promise<number> {
    let entries = await this.#entriesAfter(this.#position);
    if (hasGap(entries, this.#position)) {
      this.#handOut(prefix(entries, this.#position));
      await this.#writersEnd();
      // Whoever held the missing numbers has ended: what is still missing was rolled back.
      const last = entries.at(-1)?.seq ?? this.#position;
      entries = (await this.#entriesAfter(this.#position)).filter(({ seq }) => seq <= last);
    }
    this.#handOut(entries);
    return entries.length;
  }

  #entriesAfter(seq: number, filter?: JournalFilter): Promise<readonly Transition[]> {
    return this.#store.query((sql) => entriesAfter(sql, seq, READ_MAX, filter));
  }

  #handOut(entries: readonly Transition[]): void {
    const last = entries.at(-1);
    if (!last) return;
    this.#position = last.seq;
    for (const follower of this.#followers) follower.take(entries);
  }

  /** Resolves when every transaction that has taken sequence numbers by now has ended. */
  async #writersEnd(): Promise<void> {
    let pending = await this.#store.query(journalWriters);
    while (pending.size > 0 && !this.#stopped) {
      await delay(GAP_CHECK_MS);
      const now = await this.#store.query(journalWriters);
      pending = pending.intersection(now);
    }
  }

  #notice(): void {
    this.#noticed = true;
    this.#wakeUp();
  }

  async #sleep(): Promise<void> {
    if (this.#stopped || this.#noticed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = () => {};
  }
}

function hasGap(entries: readonly Transition[], after: number): boolean {
  const last = entries.at(-1);
  return last !== undefined && last.seq - after !== entries.length;
}

function prefix(entries: readonly Transition[], after: number): Transition[] {
  const gap = entries.findIndex(({ seq }, index) => seq !== after + index + 1);
  return gap === -1 ? [...entries] : entries.slice(0, gap);
}

function matches(entry: Transition, filter: JournalFilter): boolean {
  return (
    (filter.machine === undefined || entry.machine === filter.machine) &&
    (filter.actor_id === undefined || entry.actor_id === filter.actor_id) &&
    (filter.correlation_id === undefined || entry.correlation_id === filter.correlation_id)
  );
}
