import type { SnapshotView } from './codec.ts';
import type { AnyEvent } from './compute.ts';
import type { RuntimeError } from './errors.ts';
import type { NewTransition } from './journal.ts';

/** One event for one actor. */
export interface Delivery<E = AnyEvent> {
  readonly id: string;
  readonly event: E;
}

/** What became of a delivery. */
export interface Delivered {
  readonly id: string;
  /** False when nothing reacted to the event: the actor is unchanged. */
  readonly accepted: boolean;
  /** The actor afterwards; null when there is none by that id or its row cannot be read. */
  readonly actor: SnapshotView | null;
  readonly problem: 'missing' | 'parked' | null;
}

/** Everything a transaction did that matters after its commit. */
export interface Committed {
  readonly transitions: readonly NewTransition[];
  readonly parked: readonly RuntimeError[];
  /** Earliest time at which a message of this transaction is to be delivered; null without messages. */
  readonly nextDelivery: Date | null;
}
