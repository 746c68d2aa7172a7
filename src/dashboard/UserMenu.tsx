import { useEffect, useRef } from 'react';
import type { Role } from '../api/operator/wire/common.ts';
import { useSession } from './session.tsx';
import { chooseTheme, THEMES, type Theme, useTheme } from './theme.ts';
import { Button } from './ui/Button.tsx';
import { Icon, type IconName } from './ui/Icon.tsx';

const RIGHTS: Readonly<Record<Role, string>> = {
  viewer: 'You may look at everything.',
  operator: 'You may look, retry, cancel, run and pause.',
  payer: 'You may do everything, release and resume payments included.',
};

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { system: 'system', light: 'sun', dark: 'moon' };

/** Who is signed in, with which role; the theme; the way out. */
export function UserMenu() {
  const { operator, access, signOut } = useSession();
  const theme = useTheme();
  const menu = useRef<HTMLDetailsElement>(null);
  useCloseOutside(menu);
  return (
    <details className="menu" ref={menu}>
      <summary className="menu-button">
        <Icon name="user" />
        <span className="menu-name">{operator.name}</span>
        <span className="role">{operator.role}</span>
        <span className="hidden">Account and theme</span>
      </summary>
      <div className="menu-panel">
        <p className="menu-who">
          <strong>{operator.name}</strong> <span className="role">{operator.role}</span>
        </p>
        <p className="muted small">{RIGHTS[operator.role]}</p>
        <fieldset className="themes">
          <legend>Theme</legend>
          {THEMES.map((one) => (
            <label key={one} className="theme-choice">
              <input type="radio" name="theme" checked={theme === one} onChange={() => chooseTheme(one)} />
              <Icon name={THEME_ICONS[one]} />
              {one.charAt(0).toUpperCase() + one.slice(1)}
            </label>
          ))}
        </fieldset>
        {access.kind === 'loopback' ? (
          <p className="muted small">This server is for its own machine only; nobody signs in.</p>
        ) : (
          <Button onClick={signOut}>
            <Icon name="out" /> Sign out
          </Button>
        )}
        <p className="muted small">Version {access.version}</p>
      </div>
    </details>
  );
}

/** Esc and a click elsewhere close a menu. */
function useCloseOutside(menu: { readonly current: HTMLDetailsElement | null }): void {
  useEffect(() => {
    const close = (event: Event): void => {
      const details = menu.current;
      if (details === null || !details.open) return;
      const isEscape = event instanceof KeyboardEvent && event.key === 'Escape';
      const outside =
        event.type === 'pointerdown' && event.target instanceof Node && !details.contains(event.target);
      if (!isEscape && !outside) return;
      details.open = false;
      if (isEscape) details.querySelector('summary')?.focus();
    };
    document.addEventListener('keydown', close);
    document.addEventListener('pointerdown', close);
    return () => {
      document.removeEventListener('keydown', close);
      document.removeEventListener('pointerdown', close);
    };
  }, [menu]);
}
