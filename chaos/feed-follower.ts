import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'undici';
import { z } from 'zod';
import type { FeedFollower, FeedRecord, World } from './contract.ts';

const hello = z.object({ type: z.literal('hello'), latest: z.number() });
const transition = z.object({ type: z.literal('transition'), seq: z.number() });
const message = z.discriminatedUnion('type', [hello, transition]);
const anyMessage = z.object({ type: z.string() });

/** A connection that says nothing for so long is given up: nobody tells that the other end has stopped. */
const SILENCE_MAX_MS = 10_000;
const OPENED_WITHIN_MS = 5_000;
const BEFORE_RECONNECT_MS = 300;
/** With nothing to tell for so long, all has been told. */
const QUIET_MS = 2_000;
/** Then whatever is missing is for the invariant to find. */
const ENDS_WITHIN_MS = 30_000;
const DISORDER_NOTED_MAX = 100;
const SHOWN_CHARACTERS_MAX = 120;
const KNOWN = new Set(['hello', 'transition']);

/** What came in one message; null: nothing that this client knows, to be ignored. */
export type FeedMessage =
  | z.infer<typeof message>
  | { readonly type: 'unreadable'; readonly text: string }
  | null;

/** Reads one message; never throws, for it is read where nobody could catch it. */
export function readMessage(text: string): FeedMessage {
  const unreadable = { type: 'unreadable', text: text.slice(0, SHOWN_CHARACTERS_MAX) } as const;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return unreadable;
  }
  const any = anyMessage.safeParse(json);
  if (!any.success) return unreadable;
  if (!KNOWN.has(any.data.type)) return null;
  return message.safeParse(json).data ?? unreadable;
}

/**
 * Follows the feed from its beginning, with one connection after the other, each resuming after the last number that the ones
 * before received.
 */
export function followFeed(world: World): FeedFollower {
  const seen = new Sequence();
  const halt = new AbortController();
  let connections = 0;
  /** The number to follow to; null: it goes on. */
  let end: number | null = null;
  const first = Promise.withResolvers<void>();
  const following = (async () => {
    while (!halt.signal.aborted) {
      const opened = await followOnce(world, seen, halt.signal, () => end, first.resolve);
      if (opened) connections += 1;
      if (opened === 'told') return;
      await delay(BEFORE_RECONNECT_MS, undefined, { signal: halt.signal }).catch(() => {});
    }
  })();
  return {
    opened: first.promise,
    async stop(latestSeq = 0) {
      end = latestSeq;
      const timer = setTimeout(() => halt.abort(), ENDS_WITHIN_MS);
      await following;
      clearTimeout(timer);
      return { connections, ranges: seen.ranges, disorder: seen.disorder };
    },
  };
}

/**
 * One connection, until it ends.
 *
 * @param endOf the number to end at, if there is nothing more; null: it is not to end
 * @param onOpen told when the server has greeted
 * @returns null: it was never opened; `told`: everything there was has been received
 */
function followOnce(
  world: World,
  seen: Sequence,
  signal: AbortSignal,
  endOf: () => number | null,
  onOpen: () => void,
): Promise<'told' | 'broken' | null> {
  const url = `${world.apiUrl.replace(/^http/, 'ws')}/feed?after=${seen.last}`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${world.operatorToken}` } });
  const { promise, resolve } = Promise.withResolvers<'told' | 'broken' | null>();
  let latest: number | null = null;
  let heardAt = performance.now();
  const end = (outcome: 'told' | 'broken' | null) => {
    clearInterval(watching);
    signal.removeEventListener('abort', abort);
    socket.close();
    resolve(outcome);
  };
  const abort = () => end(latest === null ? null : 'broken');
  const watching = setInterval(() => {
    const silentMs = performance.now() - heardAt;
    const until = endOf();
    if (latest === null) {
      if (silentMs > OPENED_WITHIN_MS) end(null);
    } else if (until !== null && silentMs > QUIET_MS && seen.last >= Math.max(latest, until)) end('told');
    else if (silentMs > SILENCE_MAX_MS) end('broken');
  }, 200);
  signal.addEventListener('abort', abort);
  socket.addEventListener('message', ({ data }) => {
    heardAt = performance.now();
    const read = readMessage(String(data));
    if (read?.type === 'transition') seen.take(read.seq);
    else if (read?.type === 'unreadable') seen.complain(`came what cannot be read: ${read.text}`);
    else if (read?.type === 'hello') {
      latest = read.latest;
      onOpen();
    }
  });
  socket.addEventListener('close', ({ code }) => {
    if (latest !== null) world.timeline.note('feed', 'closed', { code, last: seen.last });
    end(latest === null ? null : 'broken');
  });
  socket.addEventListener('error', () => {});
  return promise;
}

/** Which numbers came, as ranges: there are as many as there are numbers that no transaction committed. */
class Sequence {
  readonly ranges: [number, number][] = [];
  readonly disorder: FeedRecord['disorder'][number][] = [];

  get last(): number {
    return this.ranges.at(-1)?.[1] ?? 0;
  }

  take(seq: number): void {
    const range = this.ranges.at(-1);
    if (range && seq === range[1] + 1) range[1] = seq;
    else if (seq > this.last) this.ranges.push([seq, seq]);
    else this.complain(`${seq} came after ${this.last}`);
  }

  complain(what: string): void {
    if (this.disorder.length < DISORDER_NOTED_MAX) this.disorder.push(what);
  }
}
