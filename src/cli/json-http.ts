import { Agent, errors, request } from 'undici';
import { parseJson } from '../api/json.ts';
import { oneLine } from './one-line.ts';
import type { Sign } from './sign-key.ts';

/** Why there is no answer at all. */
export type NoAnswerReason = 'unreachable' | 'timeout' | 'broken' | 'oversized' | 'aborted';

/** What became of a request. */
export type HttpResult =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** Undefined when the body is not JSON; numbers that a double cannot hold are `ExactNumber`. */
      readonly json: unknown;
    }
  | { readonly kind: 'none'; readonly reason: NoAnswerReason; readonly message: string };

export interface HttpOptions {
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connectionsMax: number;
  /** Signs every request that has a body; null sends them without. */
  readonly sign: Sign | null;
  /** What every request carries besides. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Speaks JSON with one server over connections that stay open. */
export interface JsonHttp {
  /** Posts once; never throws. */
  post(path: string, body: string, signal: AbortSignal): Promise<HttpResult>;
  /** Asks once; never throws. */
  get(path: string, signal: AbortSignal): Promise<HttpResult>;
  /** Waits for requests under way and closes the connections. */
  close(): Promise<void>;
}

const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

/** Codes of errors before anything was sent. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
]);

/**
 * Creates the client. It connects when first used.
 *
 * @param baseUrl scheme, host, port and the path in front of all others
 */
export function createJsonHttp(baseUrl: string, options: HttpOptions): JsonHttp {
  const agent = new Agent({
    connections: options.connectionsMax,
    connect: { timeout: options.connectTimeoutMs },
    maxResponseSize: RESPONSE_BYTES_MAX,
    // The deadline below bounds headers and body together.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const ask = async (path: string, body: string | null, signal: AbortSignal): Promise<HttpResult> => {
    const headers = {
      accept: 'application/json',
      ...options.headers,
      ...(await headersOf(body, options.sign)),
    };
    const deadline = AbortSignal.timeout(options.requestTimeoutMs);
    try {
      const answer = await request(`${baseUrl}${path}`, {
        dispatcher: agent,
        method: body === null ? 'GET' : 'POST',
        headers,
        body,
        signal: AbortSignal.any([signal, deadline]),
      });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      return { kind: 'answer', status: answer.statusCode, json: jsonOf(bytes) };
    } catch (error) {
      const reason = signal.aborted ? 'aborted' : deadline.aborted ? 'timeout' : reasonOf(error);
      const what = reason === 'timeout' ? `no answer within ${options.requestTimeoutMs} ms` : textOf(error);
      return { kind: 'none', reason, message: oneLine(`${baseUrl}${path}: ${what}.`) };
    }
  };
  return {
    post: ask,
    get: (path, signal) => ask(path, null, signal),
    close: () => agent.close(),
  };
}

async function headersOf(body: string | null, sign: Sign | null): Promise<Record<string, string>> {
  if (body === null) return {};
  const type = { 'content-type': 'application/json' };
  return sign === null ? type : { ...type, signature: await sign(Buffer.from(body)) };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return parseJson(bytes);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): NoAnswerReason {
  if (error instanceof errors.ResponseExceededMaxSizeError) return 'oversized';
  if (error instanceof errors.ConnectTimeoutError) return 'unreachable';
  return UNREACHABLE.has(codeOf(firstOf(error))) ? 'unreachable' : 'broken';
}

/** Attempts on several addresses of one name fail together. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] ?? error) : error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function textOf(error: unknown): string {
  const first = firstOf(error);
  return (first instanceof Error ? first.message : String(first)).replace(/\.$/, '');
}
