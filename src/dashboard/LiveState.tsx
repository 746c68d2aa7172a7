import { useFeedState } from './feed-state.ts';

const TEXTS = {
  live: 'Live',
  connecting: 'Reconnecting',
  off: 'Not live',
} as const;

const TITLES = {
  live: 'What happens arrives as it happens.',
  connecting: 'The connection to the server is being made. Nothing is missed: it resumes where it stopped.',
  off: 'Sign in again to follow what happens.',
} as const;

/** Whether what is shown moves as things happen. */
export function LiveState() {
  const state = useFeedState() ?? 'connecting';
  return (
    <span className={`live live-${state}`} role="status" title={TITLES[state]}>
      <span className="live-dot" aria-hidden="true" />
      <span className="live-text">{TEXTS[state]}</span>
    </span>
  );
}
