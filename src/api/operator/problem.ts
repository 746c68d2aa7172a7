import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { HTTP_REFUSALS, HttpError } from '../errors.ts';
import type { Problem } from './wire/common.ts';

/** A request of an operator that is refused: what is wrong, and what to do. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  readonly code: string;
  /** What the answer carries besides, such as `www-authenticate`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  414: 'Too long',
  415: 'Unsupported media type',
  429: 'Too many requests',
  503: 'Unavailable',
};

/** Problem details (RFC 9457). */
export const problemOf = (status: number, code: string, detail: string): Problem => ({
  type: 'about:blank',
  title: TITLES[status] ?? (status >= 500 ? 'Fault' : 'Refused'),
  status,
  code,
  detail,
});

/** Answers every error of an operator's request as a problem: refusals with their status, anything else as a fault of ours. */
export function answerProblem(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const path = request.routeOptions.url ?? null;
  const [status, code, detail] = refusalOf(error) ?? faultOf(error, request);
  if (status < 500) request.log.info({ path, status, code }, 'Request refused');
  return reply
    .code(status)
    .headers(error instanceof ProblemError ? error.headers : {})
    .type(PROBLEM_TYPE)
    .send(problemOf(status, code, detail));
}

type Refused = readonly [status: number, code: string, detail: string];

function refusalOf(error: FastifyError): Refused | null {
  if (error instanceof ProblemError) return [error.status, error.code, error.message];
  if (error instanceof HttpError) return [error.statusCode, error.code, error.message];
  if (error.name === 'NotJsonError' || error.code === 'REQUEST_NOT_JSON')
    return [400, error.code, error.message];
  const status = error.statusCode ?? 500;
  if (status < 400 || status >= 500) return null;
  const [code, sentence] = HTTP_REFUSALS[status] ?? ['REQUEST_REFUSED', 'The request is refused.'];
  return [status, code, sentence];
}

/** The log has what went wrong, the answer an id to find it by. What the database adds to its errors quotes rows: left out. */
function faultOf(error: FastifyError, request: FastifyRequest): Refused {
  const errorId = randomUUID();
  const { name, code, message, stack } = error;
  const path = request.routeOptions.url ?? null;
  request.log.error({ error_id: errorId, path, err: { name, code, message, stack } }, 'Request failed');
  return [500, 'INTERNAL_ERROR', `Something went wrong here. Error id: ${errorId}.`];
}
