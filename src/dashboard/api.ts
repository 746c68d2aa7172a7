import { keepPreviousData, QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { currentCredential } from './credential.ts';
import { ApiProblem, problemOfAnswer } from './problem.ts';

export { ApiProblem } from './problem.ts';
export { useSession } from './session.tsx';

const REFETCH_MS_DEFAULT = 15_000;
const RETRIES_MAX = 2;

/** Who is told when the server no longer knows who asks. */
let unauthorized: (problem: ApiProblem) => void = () => {};
export function onUnauthorized(tell: (problem: ApiProblem) => void): void {
  unauthorized = tell;
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: true,
      staleTime: 1_000,
      // What was refused will be refused again; a server that restarts will be back.
      retry: (failures, error) => failures < RETRIES_MAX && !isRefusal(error),
      retryDelay: (failures) => 500 * 2 ** failures,
    },
  },
});

const isRefusal = (error: Error): boolean =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429;

/** The URL of a path of the API: the app stands right above it, whatever the root path is. */
export const apiUrl = (path: string): URL => new URL(path.replace(/^\//, ''), document.baseURI);

/**
 * Sends a request as the operator who is signed in.
 *
 * @throws ApiProblem
 */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  const bearer = currentCredential()?.bearer;
  if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
  const response = await fetch(apiUrl(path), { ...init, headers, credentials: 'omit' }).catch(
    (cause: unknown) => {
      if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
      throw new ApiProblem(
        0,
        'SERVER_UNREACHABLE',
        'The server does not answer. This page tries again by itself; check that the server runs.',
      );
    },
  );
  const text = await response.text();
  if (response.ok) return parse<T>(text, response.status);
  const problem = problemOfAnswer(response.status, text);
  if (problem.status === 401) unauthorized(problem);
  throw problem;
}

function parse<T>(text: string, status: number): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw problemOfAnswer(status, text);
  }
}

/** What a view shows, asked for again at intervals, when the window gets the focus, and after every action. */
export function useView<T>(
  path: string,
  options: { readonly refetchMs?: number | false; readonly enabled?: boolean } = {},
): UseQueryResult<T, Error> {
  return useQuery<T>({
    queryKey: ['view', path],
    queryFn: ({ signal }) => request<T>(path, { signal }),
    refetchInterval: options.refetchMs ?? REFETCH_MS_DEFAULT,
    enabled: options.enabled ?? true,
    placeholderData: (before, query) =>
      // The same list with another filter: its rows stay until the others are there.
      query?.queryKey[1]?.toString().split('?')[0] === path.split('?')[0]
        ? keepPreviousData(before)
        : undefined,
  });
}

/**
 * Does something: posts, and has all views asked for again.
 *
 * @throws ApiProblem
 */
export async function act<T>(path: string, body: unknown): Promise<T> {
  const answer = await request<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  void refreshViews();
  return answer;
}

/** Sends a form, such as one with a file; otherwise as `act`. */
export async function send<T>(path: string, form: FormData): Promise<T> {
  const answer = await request<T>(path, { method: 'POST', body: form });
  void refreshViews();
  return answer;
}

/** Has the views that are shown asked for again: all, or those whose paths begin so. */
export function refreshViews(...paths: readonly string[]): Promise<void> {
  return queries.invalidateQueries({
    predicate: ({ queryKey: [kind, path] }) =>
      kind === 'view' && (paths.length === 0 || paths.some((one) => String(path).startsWith(one))),
  });
}
