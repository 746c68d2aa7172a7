import { Slot, type Statement, type Transaction } from './transaction.ts';

/**
 * A table at the isolation level "read committed": a statement sees what was committed when it began; what it changes it
 * locks first, and looks at again if it had to wait.
 */
export class Table<T> {
  readonly name: string;
  readonly #slots = new Map<string | number, Slot<T>>();

  constructor(name: string) {
    this.name = name;
  }

  /** All rows that a transaction sees; null: what is committed. */
  select(tx: Transaction | null, where: (row: T) => boolean = () => true): T[] {
    const found: T[] = [];
    for (const slot of this.#slots.values()) {
      const row = slot.seenBy(tx);
      if (row !== null && where(row)) found.push(row);
    }
    return found;
  }

  get(tx: Transaction | null, key: string | number): T | null {
    return this.#slots.get(key)?.seenBy(tx) ?? null;
  }

  /** Inserts, after waiting for whoever has just inserted the same. @returns false when it is there already */
  *insert(tx: Transaction, key: string | number, row: T): Statement<boolean> {
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = new Slot(key, (gone) => this.tidy(gone));
      this.#slots.set(key, slot);
    }
    yield* tx.lock(slot.lock);
    if (slot.seenBy(tx) !== null) return false;
    this.#write(tx, slot, row);
    return true;
  }

  /**
   * Locks and changes rows; null deletes them.
   *
   * @param options.skipLocked leaves out what somebody else has locked
   * @param options.order in which they are locked
   * @returns the rows as they were when they were locked
   */
  *update(
    tx: Transaction,
    where: (row: T) => boolean,
    change: (row: T) => T | null,
    options: { skipLocked?: boolean; order?: (a: T, b: T) => number; limit?: number } = {},
  ): Statement<T[]> {
    const seen: { slot: Slot<T>; row: T }[] = [];
    for (const slot of this.#slots.values()) {
      const row = slot.seenBy(tx);
      if (row !== null && where(row)) seen.push({ slot, row });
    }
    const { order, limit = Number.POSITIVE_INFINITY } = options;
    if (order) seen.sort((a, b) => order(a.row, b.row));
    const changed: T[] = [];
    for (const { slot } of seen) {
      if (changed.length >= limit) break;
      if (options.skipLocked) {
        if (!slot.lock.tryTake(tx, false)) continue;
        tx.locks.add(slot.lock);
      } else yield* tx.lock(slot.lock);
      const row = slot.seenBy(tx);
      if (row === null || !where(row)) continue;
      changed.push(row);
      const next = change(row);
      if (next !== row) this.#write(tx, slot, next);
    }
    return changed;
  }

  #write(tx: Transaction, slot: Slot<T>, row: T | null): void {
    slot.writer = tx;
    slot.written = row;
    tx.written.add(slot as Slot<unknown>);
  }

  /** Forgets rows that are gone. */
  tidy(slot: Slot<T>): void {
    if (slot.committed === null && !slot.lock.isWanted && this.#slots.get(slot.key) === slot)
      this.#slots.delete(slot.key);
  }
}

const unchanged = <T>(row: T): T => row;
/** {@link Table.update} that only locks. */
export const locking = unchanged;
