import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Loading } from './Loading.tsx';
import { Problem } from './Problem.tsx';

/** Shows what a view has: that it is loading, what went wrong, or its content, which stays while newer is fetched. */
export function View<T>({
  of,
  children,
}: {
  readonly of: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}) {
  const retry = (): void => void of.refetch();
  if (of.data === undefined) return of.isError ? <Problem error={of.error} onRetry={retry} /> : <Loading />;
  return (
    <>
      {of.isError ? <Problem error={of.error} onRetry={retry} /> : null}
      {children(of.data)}
    </>
  );
}
