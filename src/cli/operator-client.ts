import type { z } from 'zod';
import type { HttpResult } from './json-http.ts';
import { createJsonHttp } from './json-http.ts';
import { oneLine } from './one-line.ts';
import type { Answer } from './partner-client.ts';
import { asObject, textIn } from './partner-messages.ts';

export interface OperatorClientOptions {
  /** Where the API is, with the path in front of its paths if there is one. */
  readonly url: string;
  /** What the operator signs in with; null where nobody needs to. */
  readonly token: string | null;
  /** From the call to the last byte of the answer, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/** The operators' REST API. Nothing is repeated here and nothing is thrown, see `retry.ts`. */
export interface OperatorClient {
  /** Asks for a view. */
  get<T>(path: string, answer: z.ZodType<T>, signal: AbortSignal): Promise<Answer<T>>;
  /**
   * Does something.
   *
   * @param repeatable whether doing it twice comes to the same; if not, only what surely never left may be tried again
   */
  post<T>(
    path: string,
    body: object,
    answer: z.ZodType<T>,
    options: { readonly repeatable: boolean; readonly signal: AbortSignal },
  ): Promise<Answer<T>>;
  /** Waits for requests under way and closes the connections. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** Creates a client. It connects when first used. */
export function createOperatorClient(options: OperatorClientOptions): OperatorClient {
  const http = createJsonHttp(options.url, {
    requestTimeoutMs: options.requestTimeoutMs,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    connectionsMax: 2,
    sign: null,
    headers: options.token === null ? {} : { authorization: `Bearer ${options.token}` },
  });
  return {
    get: async (path, answer, signal) =>
      readAnswer(await http.get(path, signal), options.url + path, answer, true),
    post: async (path, body, answer, { repeatable, signal }) =>
      readAnswer(await http.post(path, JSON.stringify(body), signal), options.url + path, answer, repeatable),
    close: () => http.close(),
  };
}

const FAILURE_CODES = {
  unreachable: 'SERVER_UNREACHABLE',
  timeout: 'SERVER_TIMEOUT',
  broken: 'SERVER_CONNECTION_LOST',
  oversized: 'NOT_THE_OPERATOR_API',
  aborted: 'ABORTED',
} as const;

function readAnswer<T>(
  outcome: HttpResult,
  place: string,
  answer: z.ZodType<T>,
  repeatable: boolean,
): Answer<T> {
  if (outcome.kind === 'none') {
    const { reason, message } = outcome;
    const passing = reason === 'unreachable' || (repeatable && (reason === 'timeout' || reason === 'broken'));
    const doubt = reason === 'timeout' || reason === 'broken' ? doubtOf(repeatable) : '';
    return { kind: 'failed', code: FAILURE_CODES[reason], message: `${message}${doubt}`, passing };
  }
  const { status, json } = outcome;
  const read = status === 200 ? answer.safeParse(json) : null;
  if (read?.success) return { kind: 'success', payload: read.data };
  const problem = asObject(json);
  const code = problem === null ? null : textIn(problem, 'code');
  const detail = oneLine((problem === null ? null : textIn(problem, 'detail')) ?? '');
  if (status >= 500 || status === 408 || status === 429) {
    const said = detail === '' ? '' : ` It said: ${detail}`;
    const message = `${place} answered with HTTP status ${status}.${said}${status === 503 ? '' : doubtOf(repeatable)}`;
    return { kind: 'failed', code: 'SERVER_ERROR', message, passing: repeatable || status !== 500 };
  }
  if (code !== null) return { kind: 'refused', code: oneLine(code, 100), message: detail, payload: null };
  const message = `${place} answered with HTTP status ${status}, but not as the operators' API does; is the URL right?`;
  return { kind: 'failed', code: 'NOT_THE_OPERATOR_API', message, passing: false };
}

const doubtOf = (repeatable: boolean): string =>
  repeatable ? '' : ' It may have been done nevertheless: look at the audit log.';
