import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../runtime/clock.ts';
import { NotJsonError } from './json.ts';
import { failure, requestIdOf } from './partner/message.ts';

/** A request that HTTP itself refuses, before any rule of the wire is asked. */
export class HttpError extends Error {
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** What refusals that HTTP itself makes are called, by status; their bodies are message envelopes like all others. */
export const HTTP_REFUSALS: Readonly<Record<number, readonly [code: string, sentence: string]>> = {
  400: ['REQUEST_MALFORMED', 'The request is malformed.'],
  404: ['PATH_NOT_FOUND', 'There is no such path.'],
  405: ['METHOD_NOT_ALLOWED', 'The path does not take this method.'],
  408: ['REQUEST_TIMEOUT', 'The request took too long to arrive.'],
  413: ['REQUEST_TOO_LARGE', 'The request is too large.'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'The path does not take this content type.'],
  429: ['TOO_MANY_REQUESTS', 'Too many requests; Retry-After says when the next is taken.'],
  431: ['HEADERS_TOO_LARGE', 'The headers of the request are too large.'],
};

/**
 * Answers a refusal in another form than a message envelope, on paths whose clients know no such thing. The status is set.
 *
 * @returns null for all other paths: nothing has been sent
 */
export type OtherForm = (
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: string,
  sentence: string,
) => FastifyReply | null;

/** How what no route answers is answered. */
export interface Answering {
  readonly clock: Clock;
  readonly otherForm: OtherForm;
}

/**
 * Answers every error as a message envelope, unless its path has another form: refusals of HTTP with their status, and
 * anything else as a fault of ours: 500 with an id that the log has too, and nothing about what went wrong.
 */
export function answerErrors(app: FastifyInstance, answering: Answering): void {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.get(pathOf(request.url));
    if (allowed) reply.header('allow', [...allowed].join(', '));
    const status = allowed ? 405 : 404;
    return refuse(request, reply, answering, status, ...wordsOf(status));
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof NotJsonError)
      return refuse(request, reply, answering, 400, error.code, error.message);
    if (error instanceof HttpError)
      return refuse(request, reply, answering, error.statusCode, error.code, error.message);
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) return refuse(request, reply, answering, status, ...wordsOf(status));
    return answerFault(error, request, reply, answering);
  });
}

/** Answers what the router refuses before there is a route: a URL that cannot be read. */
export function routerErrors(answering: Answering) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const status = error.statusCode ?? 400;
    refuse(request, reply, answering, status, ...wordsOf(status));
  };
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';

/** What the router alone refuses, on paths that say an id. */
const ROUTER_REFUSALS: typeof HTTP_REFUSALS = { 414: ['PATH_TOO_LONG', 'A part of the path is too long.'] };

function wordsOf(status: number): readonly [code: string, sentence: string] {
  return HTTP_REFUSALS[status] ?? ROUTER_REFUSALS[status] ?? ['REQUEST_REFUSED', 'The request is refused.'];
}

function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { clock, otherForm }: Answering,
  status: number,
  code: string,
  sentence: string,
): FastifyReply {
  request.log.info({ path: request.routeOptions?.url ?? null, status, code }, 'Request refused');
  reply.code(status);
  return (
    otherForm(request, reply, status, code, sentence) ??
    reply.send(failure(requestIdOf(request.body), clock.now(), code, sentence))
  );
}

function answerFault(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  { clock, otherForm }: Answering,
): FastifyReply {
  const errorId = randomUUID();
  // Not the whole error: what the database adds to it (`detail`) quotes rows.
  const { name, code, message, stack } = error;
  request.log.error(
    { error_id: errorId, path: request.routeOptions.url ?? null, err: { name, code, message, stack } },
    'Request failed',
  );
  const sentence = `Something went wrong here. Error id: ${errorId}.`;
  reply.code(500);
  return (
    otherForm(request, reply, 500, 'INTERNAL_ERROR', sentence) ??
    reply.send(failure(requestIdOf(request.body), clock.now(), 'INTERNAL_ERROR', sentence))
  );
}
