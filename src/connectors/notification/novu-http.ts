import { errors, Pool } from 'undici';
import type { HttpFailureReason, HttpLimits } from '../http.ts';

/** What became of a request to Novu. */
export type NovuExchange = NovuHttpAnswer | NovuHttpFailure;

/** An answer, whatever its status. */
export interface NovuHttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly text: string;
  /** The header `Retry-After`. */
  readonly retryAfter: string | null;
}

/** No answer. */
export interface NovuHttpFailure {
  readonly kind: 'failure';
  readonly reason: HttpFailureReason;
  /** One line for people: what happened, without the address of the service. */
  readonly message: string;
}

/** Carries the requests that Novu's client makes, within limits that the client itself does not keep. */
export interface NovuHttp {
  /** Sends a request once and reads the whole answer. Never throws. */
  exchange(request: Request, signal: AbortSignal): Promise<NovuExchange>;
  /** Waits for requests under way and closes the connections. Later requests fail as `aborted`. */
  close(): Promise<void>;
}

/**
 * Creates the carrier. It connects when the first request needs it and keeps connections open between requests.
 *
 * @param apiUrl base URL of the service
 * @throws TypeError when `apiUrl` is not a URL
 */
export function createNovuHttp(apiUrl: string, limits: HttpLimits): NovuHttp {
  // The deadline of each request bounds headers and body together; undici's own two time-outs would not end a body that
  // arrives one byte at a time, and are off.
  const pool = new Pool(new URL(apiUrl).origin, {
    connections: limits.connectionsMax,
    connect: { timeout: limits.connectTimeoutMs },
    maxResponseSize: limits.responseBytesMax,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  });
  return {
    exchange: (request, signal) => exchange(pool, request, limits.requestTimeoutMs, signal),
    close: () => pool.close(),
  };
}

/** Runs one request under a deadline and the caller's signal. */
async function exchange(
  pool: Pool,
  request: Request,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<NovuExchange> {
  if (signal.aborted) return failure('aborted', 'the call was abandoned before it began');
  const ending = new AbortController();
  const abort = () => ending.abort();
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    ending.abort();
  }, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await roundTrip(pool, request, ending.signal);
  } catch (error) {
    if (signal.aborted) return failure('aborted', 'the call was abandoned');
    if (late) return failure('timeout', `no complete answer within ${timeoutMs} ms`);
    return failure(reasonOf(error), describe(error));
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
  }
}

async function roundTrip(pool: Pool, request: Request, signal: AbortSignal): Promise<NovuHttpAnswer> {
  const { pathname, search } = new URL(request.url);
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: pathname + search,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
    signal,
  });
  const retryAfter = headers['retry-after'];
  return {
    kind: 'answer',
    status: statusCode,
    text: await body.text(),
    retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
  };
}

function failure(reason: HttpFailureReason, message: string): NovuHttpFailure {
  return { kind: 'failure', reason, message };
}

/** Whether the request was sent at all does not matter here, since it may be sent again in any case. */
function reasonOf(error: unknown): HttpFailureReason {
  if (error instanceof errors.ResponseExceededMaxSizeError) return 'oversized';
  if (error instanceof errors.ClientDestroyedError || error instanceof errors.ClientClosedError)
    return 'aborted';
  return 'broken';
}

/** What happened, from an error of undici or of the socket; failed attempts on several addresses come as one. */
function describe(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return 'the request failed';
  const code = 'code' in first && typeof first.code === 'string' ? ` (${first.code})` : '';
  return `${first.message}${code}`;
}
