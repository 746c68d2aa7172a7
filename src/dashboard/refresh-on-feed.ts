import { useEffect, useRef } from 'react';
import { refreshViews } from './api.ts';
import { type FeedFilter, type FeedState, useFeed } from './feed.ts';

const SUMMARY_MS = 400;
const BETWEEN_MS = 1_000;

/**
 * Has views asked for again when something moves, at most once a second.
 *
 * @param filter what must move
 * @param paths the views whose paths begin so
 */
export function useRefreshOnFeed(filter: FeedFilter, paths: readonly string[]): FeedState {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return useFeed({ ...filter, summary_ms: SUMMARY_MS }, (message) => {
    if (message.type !== 'summary' || message.moves.length === 0 || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      void refreshViews(...paths);
    }, BETWEEN_MS);
    void refreshViews(...paths);
  });
}
