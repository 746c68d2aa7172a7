import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeError } from './errors.ts';
import {
  entriesAfter,
  type JournalFilter,
  journalWriters,
  latestSeq,
  matches,
  prunedThrough,
  rangeAfter,
  type Transition,
} from './journal.ts';
import { JournalReader } from './journal-reader.ts';
import type { Store } from './store.ts';

const CHANNEL = 'actor_transitions';
/** Commits are announced together, at most this often per process: a NOTIFY makes commits queue up behind it. */
const ANNOUNCE_MS = 5;
/** How often the journal is looked at when no announcement comes. */
const POLL_MS = 1_000;
/** Under load the journal is read at most this often, so that what happens meanwhile comes in one piece. */
const READ_EVERY_MS = 15;
/** The same when nobody follows, and nobody waits for the position. */
const SETTLE_EVERY_MS = 100;
const READ_MAX = 1_000;
/** Numbers that are looked at in one piece when nobody follows. */
const SETTLE_MAX = 50_000;
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
  readonly #past: JournalReader;
  readonly #followers = new Set<Follower>();
  #position = 0;
  #announcing: NodeJS.Timeout | null = null;
  #unlisten: (() => Promise<void>) | null = null;
  #running: Promise<void> | null = null;
  #wakeUp: () => void = () => {};
  /** Something may have been stored since the journal was last read. */
  #noticed = false;
  #stopped = true;
  #stopping = new AbortController();

  constructor(store: Store) {
    this.#store = store;
    this.#past = new JournalReader(store);
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
    this.#stopping = new AbortController();
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
    this.#stopping.abort();
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
   * @param options.mustBeWhole a follower whom entries would be left out to because they were removed as too old fails
   * @param options.mustKeepUp a follower that takes new entries too slowly fails; otherwise it reads them from the journal
   *   again, however far behind it is
   * @throws RuntimeError `FOLLOWER_BEHIND` when it must keep up and did not, after everything up to then; `FEED_PRUNED` when
   *   it must be whole and is not any more; the database's error when the journal cannot be read
   */
  async *follow(options: {
    readonly after?: number;
    readonly filter?: JournalFilter;
    readonly mustKeepUp?: boolean;
    readonly mustBeWhole?: boolean;
    readonly signal: AbortSignal;
  }): AsyncGenerator<readonly Transition[], void, undefined> {
    const { signal, filter = {}, mustKeepUp = false, mustBeWhole = false } = options;
    let cursor = options.after ?? this.#position;
    while (!signal.aborted && !this.#stopped) {
      // Between this look at the position and the beginning of `#live` nothing else runs, so no entry falls in between.
      if (cursor >= this.#position) {
        cursor = yield* this.#live(cursor, filter, signal);
        if (!mustKeepUp || signal.aborted || this.#stopped) continue;
        throw new RuntimeError(
          'FOLLOWER_BEHIND',
          `The follower takes entries too slowly; it has those to ${cursor}.`,
        );
      }
      const { entries, until } = await this.#past.read(cursor, this.#position, filter);
      // Marked before anything is removed: what was read is whole if there is no mark afterwards.
      if (mustBeWhole) requireWhole(cursor, await this.prunedThrough(filter));
      cursor = until;
      if (entries.length > 0) yield entries;
    }
  }

  /** Up to which sequence number entries that fulfil a filter may have been removed as too old; 0 when none were. */
  prunedThrough({ correlation_id: correlation }: JournalFilter = {}): Promise<number> {
    return this.#store.query((sql) => prunedThrough(sql, correlation));
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
      const began = performance.now();
      try {
        this.#noticed = false;
        const all = this.#followers.size > 0 ? await this.#advance() : await this.#settle();
        if (!all) continue;
      } catch (error) {
        this.#store.observer.troubled('feed', error);
      }
      await this.#sleep();
      await this.#pace(began);
    }
  }

  /**
   * Hands out what has been settled since the last time.
   *
   * @returns whether that was all
   */
  async #advance(): Promise<boolean> {
    let entries = await this.#entriesAfter(this.#position);
    const all = entries.length < READ_MAX;
    if (hasGap(entries, this.#position)) {
      this.#handOut(prefix(entries, this.#position));
      await this.#writersEnd();
      // Whoever held the missing numbers has ended: what is still missing was rolled back.
      const last = entries.at(-1)?.seq ?? this.#position;
      entries = (await this.#entriesAfter(this.#position)).filter(({ seq }) => seq <= last);
    }
    this.#handOut(entries);
    return all;
  }

  /**
   * Moves the position past what has been settled, without reading it: nobody follows.
   *
   * @returns whether that was all
   */
  async #settle(): Promise<boolean> {
    const after = this.#position;
    const { count, last } = await this.#store.query((sql) => rangeAfter(sql, after, SETTLE_MAX));
    if (last - after !== count) await this.#writersEnd();
    // Somebody has begun to follow meanwhile, and wants the entries.
    if (this.#followers.size > 0) return false;
    this.#position = last;
    return count < SETTLE_MAX;
  }

  #entriesAfter(seq: number): Promise<readonly Transition[]> {
    return this.#store.query((sql) => entriesAfter(sql, seq, READ_MAX));
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

  /** Whoever commits often is read often, but not for every commit: that would cost more than it brings. */
  async #pace(began: number): Promise<void> {
    const everyMs = this.#followers.size > 0 ? READ_EVERY_MS : SETTLE_EVERY_MS;
    const restMs = began + everyMs - performance.now();
    if (restMs <= 0) return;
    await delay(restMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

/** @throws RuntimeError `FEED_PRUNED` */
function requireWhole(after: number, pruned: number): void {
  if (after >= pruned) return;
  throw new RuntimeError(
    'FEED_PRUNED',
    `Old entries up to ${pruned} were removed, so not everything after ${after} is there any more.`,
  );
}

function hasGap(entries: readonly Transition[], after: number): boolean {
  const last = entries.at(-1);
  return last !== undefined && last.seq - after !== entries.length;
}

function prefix(entries: readonly Transition[], after: number): Transition[] {
  const gap = entries.findIndex(({ seq }, index) => seq !== after + index + 1);
  return gap === -1 ? [...entries] : entries.slice(0, gap);
}
