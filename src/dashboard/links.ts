import type { WorkTarget } from '../api/operator/wire/actions.ts';
import { withQuery } from './hash-url.ts';

const path = (...segments: readonly string[]): string =>
  `/${segments.map((one) => encodeURIComponent(one)).join('/')}`;

/** Where each page is, for `<Link href>` and `navigate`. */
export const links = {
  overview: () => '/',
  envelopes: (query: { search?: string; state?: string; benefit_type?: string } = {}) =>
    withQuery('/envelopes', query),
  envelope: (id: string) => path('envelopes', id),
  actor: (machine: string, id: string) => path('actors', machine, id),
  errors: (query: { envelope?: string | undefined; stage?: string | undefined } = {}) =>
    withQuery('/errors', query),
  errorItems: (stage: string, code: string, query: { envelope?: string | undefined } = {}) =>
    withQuery(path('errors', stage, code), query),
  statements: (query: { tab?: string; kind?: string; envelope?: string } = {}) =>
    withQuery('/statements', query),
  statement: (id: string) => path('statements', id),
  operations: (query: { tab?: string } = {}) => withQuery('/operations', query),
  audit: () => '/audit',
  inspector: (query: { envelope?: string; machine?: string; id?: string } = {}) =>
    withQuery('/inspector', query),
  find: (text: string) => withQuery('/find', { q: text }),
} as const;

/** The page that shows the work of a target. */
export const targetLink = (target: WorkTarget): string =>
  target.code === undefined
    ? links.errors({ envelope: target.envelope })
    : links.errorItems(target.stage, target.code, { envelope: target.envelope });
