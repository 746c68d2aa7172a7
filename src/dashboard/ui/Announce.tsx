import { useSyncExternalStore } from 'react';

let text = '';
const listeners = new Set<() => void>();

/** Says something to screen readers when they have finished what they are at, such as that an action is done. */
export function announce(sentence: string): void {
  text = sentence;
  for (const tell of listeners) tell();
}

/** The live region that `announce` speaks through, and a line for eyes; once in the app. */
export function Announcements() {
  const said = useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => text,
  );
  return (
    <p className="hidden" role="status" aria-live="polite">
      {said}
    </p>
  );
}
