import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { WebSocket } from '@fastify/websocket';
import { codeOf, RuntimeError } from '../../runtime/errors.ts';
import type { Transition } from '../../runtime/journal.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { FELL_BEHIND, PRUNED } from '../operator/wire/feed.ts';
import { GOING_AWAY, INTERNAL_ERROR, keepAlive } from '../sockets.ts';
import { bytesOf, transitionBytes } from './messages.ts';
import type { FeedRequest } from './request.ts';
import { Summary } from './summary.ts';

/** How long a connection may do nothing. */
export interface FeedTimes {
  /** Between two pings, ms; whoever has not answered one by the next is cut off. */
  readonly heartbeatMs: number;
  /** How long a client may take to read what has been written to it, ms. */
  readonly drainMs: number;
  /** Between two looks whether the operator may still look on, ms; left out: half a minute. */
  readonly lookMs?: number;
}

export const FEED_TIMES: FeedTimes = { heartbeatMs: 20_000, drainMs: 10_000 };

/** Messages that are written before the client must have read them: with what the socket buffers, all that is kept for it. */
const WRITTEN_MAX = 250;

/** One client of the feed. */
export class FeedConnection {
  readonly #system: ActorSystem;
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  readonly #times: FeedTimes;
  readonly #gone = new AbortController();
  /** The last sequence number that the client has been sent everything up to. */
  #sent = 0;

  /** @param stream what `socket` writes to */
  constructor(system: ActorSystem, socket: WebSocket, stream: Socket, times: FeedTimes) {
    this.#system = system;
    this.#socket = socket;
    this.#stream = stream;
    this.#times = times;
    socket.on('close', () => this.#gone.abort());
    keepAlive(socket, times.heartbeatMs);
  }

  /**
   * Sends what the client asked for until it leaves, falls behind, or the process stops. Never throws.
   *
   * @param pruned up to which sequence number entries that it asks for may have been removed
   */
  async serve(request: FeedRequest, pruned: number): Promise<void> {
    const { feed, store } = this.#system;
    const latest = feed.position;
    const after = request.after ?? latest;
    this.#sent = after;
    this.#socket.send(bytesOf({ type: 'hello', protocol: 1, latest, pruned }), { binary: false });
    try {
      if (request.summaryMs === null) await this.#sendAll(request, after);
      else await this.#summarise(request, after, request.summaryMs);
      this.#socket.close(GOING_AWAY, 'The server stops.');
    } catch (error) {
      if (this.#gone.signal.aborted) return;
      if (codeOf(error, '') === 'FOLLOWER_BEHIND') {
        this.#socket.close(FELL_BEHIND, JSON.stringify({ seq: this.#sent }));
        return;
      }
      if (error instanceof RuntimeError && error.code === 'FEED_PRUNED') {
        const seq = { seq: this.#sent, pruned: await feed.prunedThrough(request.filter).catch(() => pruned) };
        this.#socket.close(PRUNED, JSON.stringify(seq));
        return;
      }
      store.observer.troubled('feed client', error);
      this.#socket.close(INTERNAL_ERROR, 'Something went wrong here; connect again.');
    }
  }

  async #sendAll({ filter, skipsPruned }: FeedRequest, after: number): Promise<void> {
    const { signal } = this.#gone;
    const followed = { after, filter, mustKeepUp: true, mustBeWhole: !skipsPruned, signal };
    for await (const entries of this.#system.feed.follow(followed)) {
      for (let start = 0; start < entries.length; start += WRITTEN_MAX) {
        this.#write(entries.slice(start, start + WRITTEN_MAX));
        if (this.#stream.writableNeedDrain) await this.#drained();
      }
    }
  }

  /** Several messages go to the operating system in one call. */
  #write(entries: readonly Transition[]): void {
    this.#stream.cork();
    for (const entry of entries) this.#socket.send(transitionBytes(entry), { binary: false });
    this.#stream.uncork();
    this.#sent = entries.at(-1)?.seq ?? this.#sent;
  }

  /** @throws RuntimeError `FOLLOWER_BEHIND` when the client does not read in time */
  async #drained(): Promise<void> {
    const late = AbortSignal.timeout(this.#times.drainMs);
    try {
      await once(this.#stream, 'drain', { signal: AbortSignal.any([late, this.#gone.signal]) });
    } catch (error) {
      if (!late.aborted) throw error;
      throw new RuntimeError('FOLLOWER_BEHIND', `The client has not read what came up to ${this.#sent}.`);
    }
  }

  /** A client that does not read gets fewer summaries, each of more: it never falls behind. */
  async #summarise({ filter, skipsPruned }: FeedRequest, after: number, everyMs: number): Promise<void> {
    const { signal } = this.#gone;
    const { clock } = this.#system.store.registry;
    const summary = new Summary(after);
    const followed = { after, filter, mustBeWhole: !skipsPruned, signal };
    const send = () => {
      if (this.#stream.writableNeedDrain) return;
      const message = summary.take(clock.now());
      if (message) this.#socket.send(bytesOf(message), { binary: false });
    };
    const { pauses } = this.#system;
    const sendPauses = () =>
      this.#socket.send(bytesOf({ type: 'pauses', stages: [...pauses.list().keys()] }), { binary: false });
    sendPauses();
    const endWatch = pauses.watch(sendPauses);
    const timer = setInterval(send, everyMs);
    try {
      for await (const entries of this.#system.feed.follow(followed)) summary.add(entries);
    } finally {
      clearInterval(timer);
      endWatch();
    }
    // What the process has seen before it stops.
    send();
  }
}
