import { setTimeout as delay } from 'node:timers/promises';
import type { Tx } from '../db/connection.ts';
import {
  countedUpTo,
  emptySome,
  hasMailUpTo,
  lastMessage,
  markEnded,
  mayPrune,
  nextSlice,
  oldBefore,
} from './retention-steps.ts';
import type { Store } from './store.ts';

/** How often the journal is looked through for what is old. */
const EVERY_MS = 3_600_000;
/** When that is done for the first time: a process has other things to do when it starts. */
const FIRST_MS = 60_000;
/** Entries that one transaction looks at, and that one removes, at most: each ends within a fraction of a second. */
const LOOK_MAX = 10_000;
const REMOVE_MAX = 5_000;
/** After each step as many times as long as it took is left to others. */
const REST_TIMES = 3;

/** What is kept, and how. */
export interface RetentionOptions {
  /** How long the history of what has come to its end is kept, in milliseconds; null: for ever. */
  readonly keepMs: number | null;
  /** How often old history is looked for, in milliseconds; 3,600,000 unless told otherwise. */
  readonly everyMs?: number;
  /** When it is done first, in milliseconds; 60,000 unless told otherwise. */
  readonly firstMs?: number;
  /** Entries that one transaction removes at most; 5,000 unless told otherwise. */
  readonly removeMax?: number;
}

/**
 * Removes old history, so that the journal stays as long as the time it is kept for, and no longer. The entries of all
 * actors of a correlation are kept whole or not at all, so that replaying what is kept always gives the rows: they go
 * when every one of them has come to its end and the last entry is older than is kept. First a mark says that they are
 * removed, then they are deleted in steps of bounded size, by one process at a time, with pauses in between.
 *
 * Rows and counts stay as they are.
 */
export class Retention {
  readonly #store: Store;
  readonly #options: RetentionOptions;
  #timer: NodeJS.Timeout | null = null;
  #passing: Promise<void> | null = null;
  /** The last message from before this process; null when nothing of then is left to be delivered. */
  #mailBefore: number | null = null;
  #stopping = new AbortController();

  constructor(store: Store, options: RetentionOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Begins to look for old history; does nothing when it is kept for ever. */
  async start(): Promise<void> {
    if (this.#options.keepMs === null) return;
    this.#stopping = new AbortController();
    this.#mailBefore = await this.#store.query(lastMessage);
    this.#schedule(this.#options.firstMs ?? FIRST_MS);
  }

  /** Stops after the step that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer) clearTimeout(this.#timer);
    await this.#passing;
  }

  #schedule(inMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#passing = this.#pass()
        .catch((error: unknown) => this.#store.observer.troubled('retention', error))
        .finally(() => {
          this.#passing = null;
          this.#schedule(this.#options.everyMs ?? EVERY_MS);
        });
    }, inMs);
  }

  /** Looks through everything that is old, from the oldest entry on. */
  async #pass(): Promise<void> {
    const { registry, observer } = this.#store;
    const { keepMs } = this.#options;
    if (keepMs === null || (await this.#mailIsLeft())) return;
    const before = await this.#store.query((sql) => oldBefore(sql, registry.clock.now(), keepMs));
    const total = { histories: 0, entries: 0 };
    const examined = new Set<string>();
    let after: number | null = 0;
    try {
      // What another process, or this one before, has not brought to its end.
      let mine = await this.#empty(total);
      while (mine && after !== null && !this.#stopping.signal.aborted) {
        const from: number = after;
        const look = await this.#step(async (sql) => {
          const until = await countedUpTo(sql);
          const slice = await nextSlice(sql, from, until, before, LOOK_MAX);
          const fresh = slice.old.filter((id) => !examined.has(id));
          const marks = { before, until, now: registry.clock.now() };
          const marked = fresh.length === 0 ? 0 : await markEnded(sql, registry, fresh, marks);
          return { slice, fresh, marked };
        });
        if (!look) return;
        for (const id of look.fresh) examined.add(id);
        total.histories += look.marked;
        // Numbers and times rise together, but for clocks that differ.
        after = look.slice.old.length === 0 ? null : look.slice.until;
        if (look.marked > 0) mine = await this.#empty(total);
      }
    } finally {
      if (total.histories + total.entries > 0) observer.pruned(total);
    }
  }

  /** Mail that waited when this process started may be the end of what was at rest when the system was stopped. */
  async #mailIsLeft(): Promise<boolean> {
    const seq = this.#mailBefore;
    if (seq === null) return false;
    const { registry } = this.#store;
    const now = registry.clock.now();
    if (await this.#store.query((sql) => hasMailUpTo(sql, registry, seq, now))) return true;
    this.#mailBefore = null;
    return false;
  }

  /** Deletes what is marked. @returns false when another process is at it, or this one stops */
  async #empty(total: { entries: number }): Promise<boolean> {
    while (!this.#stopping.signal.aborted) {
      const step = await this.#step(async (sql) => ({
        gone: await emptySome(sql, this.#options.removeMax ?? REMOVE_MAX),
      }));
      if (!step) return false;
      if (step.gone === null) return true;
      total.entries += step.gone;
    }
    return false;
  }

  /** One transaction, and the rest after it. @returns null when another process removes history at this moment */
  async #step<T>(work: (sql: Tx) => Promise<T>): Promise<T | null> {
    const began = performance.now();
    const result = await this.#store.transact(async ({ sql }) => ((await mayPrune(sql)) ? work(sql) : null));
    const restMs = (performance.now() - began) * REST_TIMES;
    await delay(restMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    return result;
  }
}
