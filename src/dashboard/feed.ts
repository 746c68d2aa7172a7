import { useEffect, useRef, useState } from 'react';
import type { FeedMessage } from '../api/operator/wire/feed.ts';
import { refreshViews } from './api.ts';
import { type FeedFilter, type FeedState, followFeed } from './feed-connection.ts';
import { reportFeedState } from './feed-state.ts';

export type { FeedFilter, FeedState } from './feed-connection.ts';

/**
 * Follows the feed while the component is shown. After a lost connection the feed resumes by sequence number, and the
 * views are asked for again; so they are when some of what happened was removed as too old before it could arrive.
 *
 * @param filter which transitions
 * @param onMessage called for every message, the `hello` included
 * @param options `after`: the sequence number after which to begin (left out: now; null: not yet, wait until it is
 *   known); read when the connection is first made, and again when `generation` is another. `onMissing`: called with the
 *   sequence number up to which something will not arrive
 */
export function useFeed(
  filter: FeedFilter,
  onMessage: (message: FeedMessage) => void,
  options: {
    readonly after?: number | null;
    readonly generation?: number;
    readonly onMissing?: (pruned: number) => void;
  } = {},
): FeedState {
  const [state, setState] = useState<FeedState>('connecting');
  const latest = useRef({ onMessage, onMissing: options.onMissing, after: options.after });
  useEffect(() => {
    latest.current = { onMessage, onMissing: options.onMissing, after: options.after };
  });
  const ready = options.after !== null;
  const key = JSON.stringify(filter);
  const generation = options.generation ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another generation is followed anew
  useEffect(() => {
    if (!ready) return;
    const report = reportFeedState();
    const stop = followFeed(JSON.parse(key) as FeedFilter, latest.current.after ?? null, {
      onMessage: (message) => latest.current.onMessage(message),
      onState: (now) => {
        setState(now);
        report.is(now);
      },
      onAgain: () => void refreshViews(),
      onMissing: (pruned) => {
        latest.current.onMissing?.(pruned);
        void refreshViews();
      },
    });
    return () => {
      stop();
      report.ends();
    };
  }, [ready, key, generation]);
  return state;
}
