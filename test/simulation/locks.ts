/** Whoever holds locks: a transaction, or a session for locks of its own. */
export interface Holder {
  /** What it waits for. */
  waitsFor: Lock | null;
}

interface Waiter {
  readonly holder: Holder;
  readonly shared: boolean;
  granted(): void;
}

/** A lock with a queue, as PostgreSQL has them: who comes later waits behind those whom he would be in the way of. */
export class Lock {
  readonly #holders = new Map<Holder, boolean>();
  #waiting: Waiter[] = [];

  get isWanted(): boolean {
    return this.#holders.size > 0 || this.#waiting.length > 0;
  }

  heldBy(holder: Holder): boolean {
    return this.#holders.has(holder);
  }

  /** Takes the lock if nobody is in the way. */
  tryTake(holder: Holder, shared: boolean): boolean {
    if (this.#mayHave(holder, shared, this.#waiting)) {
      this.#holders.set(holder, shared && (this.#holders.get(holder) ?? true));
      return true;
    }
    return false;
  }

  /** @returns ends the wait without the lock */
  queue(holder: Holder, shared: boolean, granted: () => void): () => void {
    const waiter = { holder, shared, granted };
    this.#waiting.push(waiter);
    holder.waitsFor = this;
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== waiter);
      holder.waitsFor = null;
      this.#serve();
    };
  }

  release(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#serve();
  }

  /** Whether the holder would wait for somebody who waits for him. */
  wouldDeadlock(holder: Holder, shared: boolean): boolean {
    const seen = new Set<Holder>();
    const visit = (lock: Lock, who: Holder, as: boolean): boolean =>
      lock.#inTheWay(who, as).some((other) => {
        if (other === holder) return true;
        if (seen.has(other)) return false;
        seen.add(other);
        return other.waitsFor !== null && visit(other.waitsFor, other, other.waitsFor.#wanted(other));
      });
    return visit(this, holder, shared);
  }

  #wanted(holder: Holder): boolean {
    return this.#waiting.find((one) => one.holder === holder)?.shared ?? false;
  }

  #inTheWay(holder: Holder, shared: boolean): Holder[] {
    const found: Holder[] = [];
    for (const [other, otherShared] of this.#holders)
      if (other !== holder && !(shared && otherShared)) found.push(other);
    for (const waiter of this.#waiting) {
      if (waiter.holder === holder) break;
      if (!(shared && waiter.shared)) found.push(waiter.holder);
    }
    return found;
  }

  #mayHave(holder: Holder, shared: boolean, ahead: readonly Waiter[]): boolean {
    const mine = this.#holders.get(holder);
    if (mine === false || (mine === true && shared)) return true;
    for (const [other, otherShared] of this.#holders)
      if (other !== holder && !(shared && otherShared)) return false;
    return mine === true || ahead.every((waiter) => shared && waiter.shared);
  }

  #serve(): void {
    for (const waiter of [...this.#waiting]) {
      const ahead = this.#waiting.slice(0, this.#waiting.indexOf(waiter));
      if (!this.#mayHave(waiter.holder, waiter.shared, ahead)) continue;
      this.#waiting = this.#waiting.filter((one) => one !== waiter);
      this.#holders.set(waiter.holder, waiter.shared && (this.#holders.get(waiter.holder) ?? true));
      waiter.holder.waitsFor = null;
      waiter.granted();
    }
  }
}
