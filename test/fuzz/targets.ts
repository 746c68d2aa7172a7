import fc from 'fast-check';
import { oddHeaders } from './messages.ts';
import type { FuzzRequest } from './request.ts';

const METHODS = [
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'LOCK',
  'POST',
];

const READABLE = [
  '/ping',
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/docs',
  '/docs/',
  '/docs/json',
  '/metrics',
  '/',
];

/** What is done to a path. */
const twist: fc.Arbitrary<(path: string) => string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<(path: string) => string>(
      (path) => path,
      (path) => `${path}/`,
      (path) => `/${path}`,
      (path) => path.toUpperCase(),
      (path) => `${path}%00`,
      (path) => `${path}%ff`,
      (path) => `${path}/../${path}`,
      (path) => `${path}/..%2f..%2fpackage.json`,
      (path) => `${path};a=b`,
      (path) => `${path}%`,
      (path) => path.replace('_', '%5f'),
      (path) => `${path}/${'x'.repeat(5_000)}`,
      (path) => `${path}/%F0%9F%98%80`,
      () => '/__proto__',
      () => '/constructor/prototype',
      () => '/docs/static/../../../package.json',
      () => '/docs/static/%2e%2e%2f%2e%2e%2fpackage.json',
      () => '*',
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        ...[
          '?',
          '?a',
          '?a=1&a=2',
          '?__proto__[x]=1',
          '?%',
          '?%ff=%00',
          '?a[b][c]=d',
          '??',
          `?${'a=1&'.repeat(1_000)}`,
        ],
        ...['?request_id=5', '?constructor.prototype=1', "?';--", '?a=%F0%9F%98%80'],
      )
      .map((query) => (path: string) => path + query),
  },
  { weight: 1, arbitrary: fc.webQueryParameters().map((query) => (path: string) => `${path}?${query}`) },
  { weight: 1, arbitrary: fc.webPath().map((path) => () => path || '/') },
);

/** Any method at any path, with or without something in it. */
export function targetCase(paths: readonly string[]): fc.Arbitrary<FuzzRequest> {
  return fc
    .record({
      method: fc.constantFrom(...METHODS),
      path: fc.constantFrom(...paths, ...READABLE, ...READABLE),
      twist,
      body: fc.constantFrom(null, '', '{}', 'null', '{"request_header":{"request_id":"R"}}'),
      headers: oddHeaders,
    })
    .map(({ method, path, twist: change, body, headers }) => {
      const target = change(path);
      const bare = decoded(target.split('?', 1)[0] ?? '');
      const carries = body !== null && method !== 'TRACE' && method !== 'HEAD';
      return {
        label: 'target',
        method,
        target,
        path: paths.includes(bare) || READABLE.includes(bare) ? bare : null,
        headers: { ...(carries && { 'content-type': 'application/json' }), ...headers },
        body: carries ? Buffer.from(body) : null,
      };
    });
}

/** A path as the router reads it; as it is where it cannot. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
