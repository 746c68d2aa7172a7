import { useMemo, useSyncExternalStore } from 'react';
import { readHash, withQuery } from './hash-url.ts';

const listeners = new Set<() => void>();
// One listener for all, so that everything that shows the place is drawn at once: a page that is left must not see the
// place of the next.
const tellAll = (): void => {
  for (const tell of listeners) tell();
};

/** All places are behind the `#`: the app works under any path, and the server knows one page only. */
function subscribe(changed: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('hashchange', tellAll);
  listeners.add(changed);
  return () => {
    listeners.delete(changed);
    if (listeners.size === 0) window.removeEventListener('hashchange', tellAll);
  };
}
const currentHash = (): string => window.location.hash;

/** Goes to a place of the app, as `links` name them. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) window.history.replaceState(null, '', `#${to}`);
  else window.history.pushState(null, '', `#${to}`);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/**
 * The location hook for wouter. Wouter decodes paths before it takes them apart, which would split an id that has a
 * slash in it: encoded once more, the segments arrive as they were written.
 */
export function useHashLocation(): [string, typeof navigate] {
  const hash = useSyncExternalStore(subscribe, currentHash);
  return [readHash(hash).path.replaceAll('%', '%25'), navigate];
}
useHashLocation.hrefs = (href: string): string => `#${href}`;

/** The query of the place, and a way to change some of its values; the page before stays one step back only if `push`. */
export function useQueryValues(): {
  readonly query: URLSearchParams;
  readonly change: (values: Record<string, string | null>, options?: { push?: boolean }) => void;
} {
  const hash = useSyncExternalStore(subscribe, currentHash);
  return useMemo(() => {
    const { path, query } = readHash(hash);
    return {
      query,
      change: (values, options = {}) =>
        navigate(withQuery(path, { ...Object.fromEntries(query), ...values }), {
          replace: options.push !== true,
        }),
    };
  }, [hash]);
}
