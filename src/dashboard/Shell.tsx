import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import type { FeedMessage } from '../api/operator/wire/feed.ts';
import { refreshViews } from './api.ts';
import { FindBox } from './FindBox.tsx';
import { useFeed } from './feed.ts';
import { LiveState } from './LiveState.tsx';
import { links } from './links.ts';
import { UserMenu } from './UserMenu.tsx';
import { Announcements } from './ui/Announce.tsx';
import { Icon, type IconName } from './ui/Icon.tsx';

interface Place {
  readonly href: string;
  readonly title: string;
  readonly icon: IconName;
  /** Paths that belong to it begin so. */
  readonly prefixes: readonly string[];
}

const PLACES: readonly Place[] = [
  { href: links.overview(), title: 'Overview', icon: 'overview', prefixes: [] },
  { href: links.envelopes(), title: 'Envelopes', icon: 'envelopes', prefixes: ['/envelopes', '/actors'] },
  { href: links.errors(), title: 'Errors', icon: 'errors', prefixes: ['/errors'] },
  { href: links.statements(), title: 'Statements', icon: 'statements', prefixes: ['/statements'] },
  { href: links.operations(), title: 'Operations', icon: 'operations', prefixes: ['/operations'] },
  { href: links.audit(), title: 'Audit', icon: 'audit', prefixes: ['/audit'] },
];

/** What is around every page: where one can go, finding, whether the page is live, and who is signed in. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const [path] = useLocation();
  useLiveLists();
  return (
    <div className="shell">
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place, which is no page of the app */}
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          // The part behind the # is the app's place: the page must stay.
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <header className="top">
        <Link href={links.overview()} className="brand" aria-label="G2P Bridge, overview">
          <Brand />
          <span className="brand-name">G2P Bridge</span>
        </Link>
        <FindBox />
        <div className="top-end">
          <LiveState />
          <UserMenu />
        </div>
      </header>
      <nav className="nav" aria-label="Main">
        <ul>
          {PLACES.map(({ href, title, icon, prefixes }) => (
            <li key={href}>
              <Link
                href={href}
                className="nav-link"
                aria-current={isWithin(path, href, prefixes) ? 'page' : undefined}
              >
                <Icon name={icon} size={18} />
                <span>{title}</span>
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" className="main" tabIndex={-1}>
        {children}
      </main>
      <Announcements />
    </div>
  );
}

const isWithin = (path: string, href: string, prefixes: readonly string[]): boolean =>
  path === href || prefixes.some((one) => path === one || path.startsWith(`${one}/`));

const Brand = () => (
  <svg className="brand-mark" width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" focusable="false">
    <rect width="22" height="22" rx="6" />
    <path d="M4 14c2-5 5-7 7-7s5 2 7 7M4 14h14M8 9.4V14M14 9.4V14" />
  </svg>
);

const SUMMARY_MS = 2_000;

/** What many pages show is asked for again when something has changed that is in it. */
function useLiveLists(): void {
  useFeed({ summary_ms: SUMMARY_MS }, (message: FeedMessage) => {
    // Whoever stops payments stops them for everybody, who should see it at once.
    if (message.type === 'pauses') void refreshViews('/operator/overview', '/operator/operations');
    if (message.type !== 'summary') return;
    const { moves } = message;
    if (moves.some(({ from, to }) => from === 'ERROR' || to === 'ERROR'))
      void refreshViews('/operator/errors');
    if (moves.some(({ machine }) => machine === 'statement')) {
      void refreshViews('/operator/statements', '/operator/discrepancies');
    }
  });
}
