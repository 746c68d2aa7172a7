import { useSyncExternalStore } from 'react';
import type { FeedState } from './feed-connection.ts';

/** The state of every feed that is open, so that the app can say whether what it shows is live. */
const states = new Map<symbol, FeedState>();
const listeners = new Set<() => void>();

/** Registers an open feed; whoever opens one says how it is, and when it ends. */
export function reportFeedState(): { readonly is: (state: FeedState) => void; readonly ends: () => void } {
  const key = Symbol('feed');
  const tell = (): void => {
    for (const one of listeners) one();
  };
  return {
    is: (state) => {
      states.set(key, state);
      tell();
    },
    ends: () => {
      states.delete(key);
      tell();
    },
  };
}

/** The worst state of all open feeds; null when none is open. */
function worst(): FeedState | null {
  const all = [...states.values()];
  for (const state of ['off', 'connecting', 'live'] as const) if (all.includes(state)) return state;
  return null;
}

export const useFeedState = (): FeedState | null =>
  useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, worst);
