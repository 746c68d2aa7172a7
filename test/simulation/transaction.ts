import { type Holder, Lock } from './locks.ts';

/** One row: what is committed, and what the one who has locked it has written. */
export class Slot<T> {
  readonly lock = new Lock();
  readonly key: string | number;
  /** Forgets the row when it is gone. */
  readonly tidy: (slot: Slot<T>) => void;
  committed: T | null = null;
  written: T | null = null;
  writer: Transaction | null = null;

  constructor(key: string | number, tidy: (slot: Slot<T>) => void) {
    this.key = key;
    this.tidy = tidy;
  }

  /** The row as a transaction sees it. */
  seenBy(tx: Transaction | null): T | null {
    return tx !== null && this.writer === tx ? this.written : this.committed;
  }

  /** The transaction has ended: what it wrote counts, or not. */
  settle(committed: boolean): void {
    if (committed) this.committed = this.written;
    this.written = null;
    this.writer = null;
  }
}

/** A fault with a code, as drivers have them. */
export function fault(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

/** A lock that a statement waits for. */
export interface Wait {
  readonly lock: Lock;
  readonly shared: boolean;
  readonly waitMs: number;
}

/** What a statement does on the server: runs at once, except where it waits for a lock. */
export type Statement<T> = Generator<Wait, T, boolean>;

/** A statement that waits for nothing. */
export const atOnce = <T>(work: (tx: Transaction) => T) =>
  // biome-ignore lint/correctness/useYield: a statement may wait, this one does not
  function* (tx: Transaction): Statement<T> {
    return work(tx);
  };

const LOCK_TIMEOUT_MS = 60_000;

export class Transaction implements Holder {
  waitsFor: Lock | null = null;
  readonly locks = new Set<Lock>();
  readonly written = new Set<Slot<unknown>>();
  readonly notices: { readonly channel: string; readonly payload: string }[] = [];
  /** A statement has failed: only a rollback is left. */
  failed = false;

  /** Waits for a lock. @throws `40P01` instead of waiting crosswise, `55P03` when it takes too long */
  *lock(lock: Lock, shared = false, waitMs = LOCK_TIMEOUT_MS): Statement<void> {
    if (!lock.tryTake(this, shared)) {
      if (lock.wouldDeadlock(this, shared)) throw fault('40P01', 'deadlock detected');
      const granted = yield { lock, shared, waitMs };
      if (!granted) throw fault('55P03', 'lock timeout');
    }
    this.locks.add(lock);
  }
}
