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
 * Answers every error as a message envelope: refusals of HTTP with their status, and anything else as a fault of ours:
 * 500 with an id that the log has too, and nothing about what went wrong.
 */
export function answerErrors(app: FastifyInstance, clock: Clock): void {
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
    return refuse(request, reply, clock, status, ...wordsOf(status));
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof NotJsonError) return refuse(request, reply, clock, 400, error.code, error.message);
    if (error instanceof HttpError)
      return refuse(request, reply, clock, error.statusCode, error.code, error.message);
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) return refuse(request, reply, clock, status, ...wordsOf(status));
    return answerFault(error, request, reply, clock);
  });
}

/** Answers what the router refuses before there is a route: a URL that cannot be read. */
export function routerErrors(clock: Clock) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const status = error.statusCode ?? 400;
    refuse(request, reply, clock, status, ...wordsOf(status));
  };
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';

function wordsOf(status: number): readonly [code: string, sentence: string] {
  return HTTP_REFUSALS[status] ?? ['REQUEST_REFUSED', 'The request is refused.'];
}

function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  clock: Clock,
  status: number,
  code: string,
  sentence: string,
): FastifyReply {
  request.log.info({ path: request.routeOptions?.url ?? null, status, code }, 'Request refused');
  return reply.code(status).send(failure(requestIdOf(request.body), clock.now(), code, sentence));
}

function answerFault(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  clock: Clock,
): FastifyReply {
  const errorId = randomUUID();
  // Not the whole error: what the database adds to it (`detail`) quotes rows.
  const { name, code, message, stack } = error;
  request.log.error(
    { error_id: errorId, path: request.routeOptions.url ?? null, err: { name, code, message, stack } },
    'Request failed',
  );
  const sentence = `Something went wrong here. Error id: ${errorId}.`;
  return reply.code(500).send(failure(requestIdOf(request.body), clock.now(), 'INTERNAL_ERROR', sentence));
}
