import type { Transition } from '../../runtime/journal.ts';
import { onWire } from '../operator/transition-on-wire.ts';
import type { FeedMessage } from '../operator/wire/feed.ts';

/** Every follower is handed the same entries: the first one makes the bytes, the others send them. */
const made = new WeakMap<Transition, Buffer>();

/** A message as it goes over the wire. */
export const bytesOf = (message: FeedMessage): Buffer => Buffer.from(JSON.stringify(message));

/** The message of one transition; made once in a process, however many clients it goes to. */
export function transitionBytes(entry: Transition): Buffer {
  const known = made.get(entry);
  if (known) return known;
  const bytes = bytesOf({ type: 'transition', ...onWire(entry) });
  made.set(entry, bytes);
  return bytes;
}
