import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { AccessOnWire, Session } from '../../api/operator/wire/access.ts';
import { onUnauthorized, queries, request } from '../api.ts';
import { currentCredential, keepCredential, onCredential } from '../credential.ts';
import { ApiProblem } from '../problem.ts';
import { rightsOf, SessionProvider } from '../session.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { comesBack, finishSignIn, SignInError } from './oidc.ts';
import { SignIn } from './SignIn.tsx';

const SESSION_REFETCH_MS = 300_000;
const SESSION_ENDED = 'Your session has ended. Sign in again; you will be back where you were.';

/** Shows the app to who is signed in, and to everybody else how to sign in. The place in the app stays. */
export function Gate({ children }: { readonly children: ReactNode }) {
  const access = useQuery({
    queryKey: ['access'],
    queryFn: ({ signal }) => request<AccessOnWire>('/operator/access', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (access.data !== undefined) return <Inside access={access.data}>{children}</Inside>;
  return (
    <main className="gate">
      {access.isError ? (
        <Problem error={access.error} onRetry={() => void access.refetch()} />
      ) : (
        <Loading what="Asking how to sign in" />
      )}
    </main>
  );
}

function Inside({ access, children }: { readonly access: AccessOnWire; readonly children: ReactNode }) {
  const credential = useSyncExternalStore(onCredential, currentCredential);
  const [message, setMessage] = useState<string | null>(null);
  const [returning, setReturning] = useState(access.oidc !== null && comesBack());
  useReturn(access, returning, (problem) => {
    setMessage(problem);
    setReturning(false);
  });
  /** Whether the server has taken the credential: one that never was good has not ended. */
  const wasIn = useRef(false);
  useEffect(() => {
    onUnauthorized((problem) => {
      setMessage(wasIn.current ? SESSION_ENDED : problem.message);
      endSession();
    });
  }, []);
  useExpiry(credential?.expiresAt ?? null, () => {
    setMessage(SESSION_ENDED);
    endSession();
  });
  const enabled = !returning && (access.kind === 'loopback' || credential !== null);
  const session = useQuery({
    queryKey: ['session', credential?.bearer ?? ''],
    queryFn: ({ signal }) => request<Session>('/operator/session', { signal }),
    enabled,
    refetchInterval: SESSION_REFETCH_MS,
    retry: (failures, error) => failures < 2 && !(error instanceof ApiProblem && error.status !== 0),
  });
  const operator = enabled ? session.data?.operator : undefined;
  useEffect(() => {
    wasIn.current = operator !== undefined;
  }, [operator]);
  const value = useMemo(
    () =>
      operator === undefined
        ? null
        : {
            operator,
            access,
            ...rightsOf(operator),
            signOut: () => {
              setMessage(null);
              endSession();
            },
          },
    [operator, access],
  );
  if (value !== null) return <SessionProvider session={value}>{children}</SessionProvider>;
  if (returning || (enabled && session.isPending)) {
    return (
      <main className="gate">
        <Loading what="Signing in" />
      </main>
    );
  }
  const refused = enabled && session.error instanceof ApiProblem ? session.error : null;
  return (
    <SignIn
      access={access}
      message={refused !== null && refused.status !== 401 ? refused.message : message}
      onRetry={enabled ? () => void session.refetch() : null}
    />
  );
}

/** Nothing of what one operator saw is left for the next. */
function endSession(): void {
  keepCredential(null);
  queries.removeQueries({ queryKey: ['view'] });
  queries.removeQueries({ queryKey: ['session'] });
}

/** Finishes the sign-in of a browser that comes back from the provider. */
function useReturn(access: AccessOnWire, returning: boolean, done: (problem: string | null) => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for a code, which works once
  useEffect(() => {
    if (!returning || access.oidc === null) return;
    finishOnce(access.oidc).then(
      (credential) => {
        keepCredential(credential);
        done(null);
      },
      (cause: unknown) => done(cause instanceof SignInError ? cause.message : 'Sign in again.'),
    );
  }, [returning, access]);
}

let finishing: ReturnType<typeof finishSignIn> | null = null;
const finishOnce = (provider: NonNullable<AccessOnWire['oidc']>): ReturnType<typeof finishSignIn> => {
  finishing ??= finishSignIn(provider).finally(() => {
    finishing = null;
  });
  return finishing;
};

/** A time-out can be set for 24 days at most. */
const TIMEOUT_MS_MAX = 2_147_483_647;

function useExpiry(expiresAt: number | null, expired: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is done then is always the same
  useEffect(() => {
    if (expiresAt === null) return;
    const timer = setTimeout(expired, Math.min(TIMEOUT_MS_MAX, Math.max(0, expiresAt - Date.now())));
    return () => clearTimeout(timer);
  }, [expiresAt]);
}
