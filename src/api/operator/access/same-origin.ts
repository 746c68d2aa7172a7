import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problem.ts';

/** Methods that change nothing. */
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** What a page of another site cannot send without the browser asking us first, or does not send without `Origin`. */
const BODY_TYPE = /^(application\/([\w.-]+\+)?json|multipart\/form-data) *(;|$)/i;

/**
 * Makes the check that a browser which sends a request does so for a page of ours. Programs that are no browsers send
 * nothing that could be wrong.
 *
 * @param origins under which a proxy shows us, besides that of the request itself: `https://bridge.example`
 * @returns throws ProblemError CROSS_SITE or UNSUPPORTED_MEDIA_TYPE
 */
export function sameOriginCheck(origins: readonly string[]): (request: FastifyRequest) => Promise<void> {
  const known = new Set(origins);
  return async (request) => {
    const { method, headers } = request;
    const { origin } = headers;
    const isKnown = origin !== undefined && known.has(origin);
    if (origin !== undefined && !isKnown && !isOwn(origin, request)) throw foreign(origin);
    const changes = !SAFE_METHODS.has(method) || headers.upgrade !== undefined;
    if (changes && !isKnown && isOtherSite(headers['sec-fetch-site'])) throw foreign(null);
    if (SAFE_METHODS.has(method) || !hasBody(request)) return;
    if (BODY_TYPE.test(headers['content-type'] ?? '')) return;
    const sentence = 'The path takes JSON or multipart/form-data; the header Content-Type says neither.';
    throw new ProblemError(415, 'UNSUPPORTED_MEDIA_TYPE', sentence);
  };
}

/** TLS that ends at a proxy which we do not know makes `https` of what is `http` here. */
function isOwn(origin: string, { host, protocol }: FastifyRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  // So that the port that goes without saying may be said.
  const own = URL.canParse(`${url.protocol}//${host}`) ? new URL(`${url.protocol}//${host}`).host : null;
  return url.host === own && (url.protocol === 'https:' || url.protocol === `${protocol}:`);
}

const isOtherSite = (site: string | string[] | undefined): boolean =>
  site === 'cross-site' || site === 'same-site';

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

function foreign(origin: string | null): ProblemError {
  const who = origin === null ? 'A page of another site' : `A page of ${origin.slice(0, 200)}`;
  const sentence =
    `${who} may not ask this. If that is how a proxy shows the dashboard, name it in ` +
    'G2P_BRIDGE_OPERATOR_ORIGINS.';
  return new ProblemError(403, 'CROSS_SITE', sentence);
}
