import { readFile } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import { createLocalJWKSet, flattenedVerify, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Answer, Route } from './routes.ts';

const fetchTimeoutMs = 5_000;
const algorithms = ['RS256', 'ES256'];

/** What a request must carry. */
export interface TrustOptions {
  /** URL or file of the JWKS whose keys sign requests; undefined: the signature is not looked at. */
  signatureJwks?: string | undefined;
  /** URL or file of the JWKS whose keys sign tokens; undefined: the token is not looked at. */
  tokenJwks?: string | undefined;
  /** Who must have issued the tokens; undefined: anybody whose keys are in the JWKS. */
  tokenIssuer?: string | undefined;
}

/**
 * Reads the keys anew, so that one that was taken out is refused from that moment on.
 *
 * @param source `http:` or `https:` URL, or a file
 * @throws Error when they cannot be had
 */
async function readKeys(source: string) {
  const text = /^https?:/.test(source)
    ? await (await fetch(source, { signal: AbortSignal.timeout(fetchTimeoutMs) })).text()
    : await readFile(source, 'utf8');
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}

/** @returns what is wrong with the request's bearer token, in the header or in a cookie called Authorization; or null */
export async function tokenProblem(
  request: FastifyRequest,
  { tokenJwks, tokenIssuer }: TrustOptions,
): Promise<string | null> {
  if (tokenJwks === undefined) return null;
  const inHeader = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const inCookie = /(?:^|;\s*)Authorization=([^;\s]+)/.exec(request.headers.cookie ?? '')?.[1];
  const token = inHeader ?? inCookie;
  if (token === undefined) return 'The request has no bearer token.';
  if (inCookie !== undefined && inCookie !== token) return 'The header and the cookie hold different tokens.';
  try {
    await jwtVerify(token, await readKeys(tokenJwks), {
      algorithms,
      requiredClaims: ['exp'],
      ...(tokenIssuer !== undefined && { issuer: tokenIssuer }),
    });
    return null;
  } catch (error) {
    return `The bearer token is not valid: ${messageOf(error)}.`;
  }
}

/** @returns what is wrong with the detached JWS over the canonical body in the header `Signature`; or null */
export async function signatureProblem(
  request: FastifyRequest,
  { signatureJwks }: TrustOptions,
): Promise<string | null> {
  if (signatureJwks === undefined) return null;
  const jws = request.headers.signature;
  if (typeof jws !== 'string') return 'The request has no signature.';
  const [protectedHeader = '', payload, signature = '', ...rest] = jws.split('.');
  if (payload !== '' || rest.length > 0) return 'The signature is not detached.';
  const signed = { protected: protectedHeader, payload: encoded(canonical(request.body)), signature };
  try {
    await flattenedVerify(signed, await readKeys(signatureJwks), { algorithms });
    return null;
  } catch (error) {
    return `The signature is not valid: ${messageOf(error)}.`;
  }
}

/** A route that acts only on requests without a problem; checking comes after the faults of its path, before its own. */
export function guarded<T>(
  route: Route<T>,
  check: (request: FastifyRequest) => Promise<Answer | null>,
): Route<FastifyRequest> {
  const act = async (request: FastifyRequest) => {
    const read = route.read(request);
    return 'answer' in read ? read.answer : route.handle(read.value);
  };
  return {
    method: route.method,
    path: route.path,
    read: (request) => ({ value: request }),
    handle: async (request) => (await check(request)) ?? act(request),
    refusal: (request) => {
      const read = route.read(request);
      return 'answer' in read ? read.answer : route.refusal(read.value);
    },
  };
}

/** Compact JSON with the keys of every object sorted. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
