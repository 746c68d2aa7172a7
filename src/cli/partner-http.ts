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
  /** Signs every request; null sends them without. */
  readonly sign: Sign | null;
}

/** Posts JSON to one server over connections that stay open. */
export interface PartnerHttp {
  /** Posts once; never throws. */
  post(path: string, body: string, signal: AbortSignal): Promise<HttpResult>;
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
export function createPartnerHttp(baseUrl: string, options: HttpOptions): PartnerHttp {
  const agent = new Agent({
    connections: options.connectionsMax,
    connect: { timeout: options.connectTimeoutMs },
    maxResponseSize: RESPONSE_BYTES_MAX,
    // The deadline below bounds headers and body together.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    async post(path, body, signal) {
      const signature = options.sign === null ? {} : { signature: await options.sign(Buffer.from(body)) };
      const deadline = AbortSignal.timeout(options.requestTimeoutMs);
      try {
        const answer = await request(`${baseUrl}${path}`, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json', ...signature },
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
    },
    close: () => agent.close(),
  };
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
