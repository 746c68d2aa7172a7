import type { FeedMessage } from '../api/operator/wire/feed.ts';
import { ApiProblem } from './api.ts';
import { FELL_BEHIND_CODE, missesHistory, nextWaitMs, placeOf } from './feed-rules.ts';
import { ticketedUrl } from './ticketed-url.ts';

/** `live`: what happens arrives; `connecting`: it will, from where it stopped; `off`: nobody is signed in any more. */
export type FeedState = 'live' | 'connecting' | 'off';

/** Which transitions are sent, as `/feed` takes it. */
export interface FeedFilter {
  readonly machine?: string | undefined;
  readonly id?: string | undefined;
  readonly envelope?: string | undefined;
  readonly region?: string | undefined;
  readonly to?: string | undefined;
  readonly summary_ms?: number | undefined;
}

export interface FeedHandlers {
  readonly onMessage: (message: FeedMessage) => void;
  readonly onState: (state: FeedState) => void;
  /** The connection is there again after it was lost. */
  readonly onAgain: () => void;
  /** Something up to that sequence number was removed as too old and will not arrive; the rest will. */
  readonly onMissing: (pruned: number) => void;
}

/**
 * Follows the feed until the returned function is called. A connection that is lost is made again, and the feed resumes
 * after the last sequence number that arrived: nothing is missed, but for what has been removed meanwhile, which is said.
 *
 * @param after the sequence number after which to begin; null: now
 */
export function followFeed(filter: FeedFilter, after: number | null, handlers: FeedHandlers): () => void {
  let seq = after;
  let failures = 0;
  let connectedOnce = false;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = new AbortController();

  const connect = async (): Promise<void> => {
    handlers.onState('connecting');
    try {
      const url = await ticketedUrl('/feed', () => ({ ...filter, ...placeOf(seq) }), stop.signal);
      if (!stop.signal.aborted) open(url);
    } catch (cause) {
      if (stop.signal.aborted) return;
      if (cause instanceof ApiProblem && cause.status === 401) handlers.onState('off');
      else again();
    }
  };

  const open = (url: string): void => {
    const opened = new WebSocket(url);
    socket = opened;
    opened.addEventListener('message', ({ data }) => {
      if (stop.signal.aborted) return;
      const message = JSON.parse(String(data)) as FeedMessage;
      if (message.type === 'hello') {
        const isMissing = missesHistory(seq, message.pruned);
        seq ??= message.latest;
        failures = 0;
        handlers.onState('live');
        if (isMissing) handlers.onMissing(message.pruned);
        else if (connectedOnce) handlers.onAgain();
        connectedOnce = true;
      } else if (message.type !== 'pauses') {
        seq = message.seq;
      }
      handlers.onMessage(message);
    });
    opened.addEventListener('close', ({ code }) => {
      if (stop.signal.aborted || socket !== opened) return;
      if (code === FELL_BEHIND_CODE) failures = 0;
      again();
    });
  };

  const again = (): void => {
    handlers.onState('connecting');
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), nextWaitMs(failures, Math.random()));
    failures += 1;
  };

  void connect();
  return () => {
    stop.abort();
    clearTimeout(timer);
    socket?.close();
  };
}
