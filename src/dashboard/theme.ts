import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'g2p-bridge.theme';
const listeners = new Set<() => void>();

function keptTheme(): Theme {
  const kept = window.localStorage.getItem(KEY);
  return THEMES.find((one) => one === kept) ?? 'system';
}
let theme: Theme = keptTheme();

/** Has the page drawn in the theme that was chosen last. */
export function applyTheme(): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(chosen: Theme): void {
  theme = chosen;
  window.localStorage.setItem(KEY, chosen);
  applyTheme();
  for (const tell of listeners) tell();
}

const subscribe = (changed: () => void): (() => void) => {
  const media = window.matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', changed);
  listeners.add(changed);
  return () => {
    media.removeEventListener('change', changed);
    listeners.delete(changed);
  };
};

export const useTheme = (): Theme => useSyncExternalStore(subscribe, () => theme);

/** Which of the two is drawn now, for what cannot take its colours from the style sheet. */
export const useIsDark = (): boolean =>
  useSyncExternalStore(subscribe, () =>
    theme === 'system' ? window.matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark',
  );
