import { QueryClientProvider } from '@tanstack/react-query';
import { type ComponentType, lazy, Suspense } from 'react';
import { Route, Router, Switch } from 'wouter';
import { queries } from './api.ts';
import { Boundary } from './Boundary.tsx';
import { useHashLocation } from './hash-location.ts';
import { segment } from './hash-url.ts';
import type { PageProps } from './page-props.ts';
import { Shell } from './Shell.tsx';
import { Gate } from './sign-in/Gate.tsx';
import { Loading } from './ui/Loading.tsx';

type PageComponent = ComponentType<PageProps>;

/** Each page comes when somebody goes there. */
const PAGES: readonly (readonly [path: string, page: PageComponent])[] = [
  ['/', lazy(() => import('./pages/overview.tsx'))],
  ['/envelopes', lazy(() => import('./pages/envelopes.tsx'))],
  ['/envelopes/:id', lazy(() => import('./pages/envelope.tsx'))],
  ['/actors/:machine/:id', lazy(() => import('./pages/actor.tsx'))],
  ['/errors', lazy(() => import('./pages/errors.tsx'))],
  ['/errors/:stage/:code', lazy(() => import('./pages/error-items.tsx'))],
  ['/statements', lazy(() => import('./pages/statements.tsx'))],
  ['/statements/:id', lazy(() => import('./pages/statement.tsx'))],
  ['/operations', lazy(() => import('./pages/operations.tsx'))],
  ['/inspector', lazy(() => import('./pages/inspector.tsx'))],
  ['/audit', lazy(() => import('./pages/audit.tsx'))],
  ['/find', lazy(() => import('./pages/find.tsx'))],
  ['*', lazy(() => import('./pages/not-found.tsx'))],
];

/** The operators' web app. */
export const App = () => (
  <QueryClientProvider client={queries}>
    <Router hook={useHashLocation}>
      <Gate>
        <Shell>
          <Switch>
            {PAGES.map(([path, page]) => (
              <Route key={path} path={path}>
                {(params: object) => <Shown page={page} params={decoded(params)} />}
              </Route>
            ))}
          </Switch>
        </Shell>
      </Gate>
    </Router>
  </QueryClientProvider>
);

/** A page of another record is another page: nothing of the one before stays in it. */
const Shown = ({ page: Page, params }: { page: PageComponent; params: PageProps['params'] }) => {
  const key = JSON.stringify(params);
  return (
    <Boundary key={key}>
      <Suspense fallback={<Loading />}>
        <Page params={params} />
      </Suspense>
    </Boundary>
  );
};

const decoded = (params: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, segment(typeof value === 'string' ? value : '')]),
  );
