import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'undici';
import { z } from 'zod';
import type { FeedFollower, FeedRecord, World } from './contract.ts';

const hello = z.object({ type: z.literal('hello'), latest: z.number() });
const transition = z.object({ type: z.literal('transition'), seq: z.number() });
const message = z.discriminatedUnion('type', [hello, transition]);

/** A connection that says nothing for so long is given up: nobody tells that the other end has stopped. */
const SILENCE_MAX_MS = 10_000;
const OPENED_WITHIN_MS = 5_000;
const BEFORE_RECONNECT_MS = 300;
/** With nothing to tell for so long, all has been told. */
const QUIET_MS = 2_000;
/** Longer than a run takes to settle; then whatever is missing is for the invariant to find. */
const ENDS_WITHIN_MS = 60_000;
const DISORDER_NOTED_MAX = 100;

/**
 * Follows the feed from its beginning, with one connection after the other, each resuming after the last number that the ones
 * before received.
 */
export function followFeed(world: World): FeedFollower {
  const seen = new Sequence();
  const halt = new AbortController();
  let connections = 0;
  let ending = false;
  const following = (async () => {
    while (!halt.signal.aborted) {
      const opened = await followOnce(world, seen, halt.signal, () => ending);
      if (opened) connections += 1;
      if (opened === 'told') return;
      await delay(BEFORE_RECONNECT_MS, undefined, { signal: halt.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      ending = true;
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
 * @param isEnding whether it is to end as soon as there is nothing more
 * @returns null: it was never opened; `told`: everything there was has been received
 */
function followOnce(
  world: World,
  seen: Sequence,
  signal: AbortSignal,
  isEnding: () => boolean,
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
    if (latest === null) {
      if (silentMs > OPENED_WITHIN_MS) end(null);
    } else if (isEnding() && silentMs > QUIET_MS && seen.last >= latest) end('told');
    else if (silentMs > SILENCE_MAX_MS) end('broken');
  }, 200);
  signal.addEventListener('abort', abort);
  socket.addEventListener('message', ({ data }) => {
    heardAt = performance.now();
    const read = message.parse(JSON.parse(String(data)));
    if (read.type === 'hello') latest = read.latest;
    else seen.take(read.seq);
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
    else if (this.disorder.length < DISORDER_NOTED_MAX) this.disorder.push(`${seq} came after ${this.last}`);
  }
}
