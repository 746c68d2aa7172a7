import { isUtf8 } from 'node:buffer';
import { type Dispatcher, errors, Pool } from 'undici';
import { credentialIn, withoutCredential } from './echoed-credential.ts';

/** Limits of an HTTP client. All of them are needed: nothing a server does may hold a call or memory without bound. */
export interface HttpLimits {
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Time from the call to the last byte of the answer, waiting for a connection included, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Largest body of an answer, in bytes. */
  readonly responseBytesMax: number;
  /** Connections open at once; further calls wait for one. */
  readonly connectionsMax: number;
}

/** Why there is no answer. */
export type HttpFailureReason =
  /** No connection could be had, so nothing was sent. */
  | 'unreachable'
  /** The time was up. */
  | 'timeout'
  /** The caller's signal was aborted. */
  | 'aborted'
  /** The connection broke, or what came over it is not HTTP. */
  | 'broken'
  /** The answer is larger than allowed. */
  | 'oversized';

/** What became of a call; a value, because "no answer" is an outcome that money depends on. */
export type HttpOutcome = HttpAnswer | HttpFailure;

/** An answer, whatever its status. */
export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown;
  /** The body as it came, but for the request's own credential, which is masked. */
  readonly text: string;
  /** The header `Retry-After`. */
  readonly retryAfter: string | null;
  /** The header `Cache-Control`. */
  readonly cacheControl: string | null;
}

/** No answer. */
export interface HttpFailure {
  readonly kind: 'failure';
  readonly reason: HttpFailureReason;
  /** False only when not one byte of the request can have left this process. */
  readonly sent: boolean;
  /** One line for people: where and what. */
  readonly message: string;
}

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** A client of one server that keeps its connections open between calls. */
export interface HttpClient {
  /**
   * Posts JSON text and reads the answer whatever its status. Never throws and never repeats a request.
   *
   * @param path below the base URL, with a leading slash
   * @param body JSON text, sent byte for byte
   * @param headers besides the content type
   * @param signal aborts the call
   */
  postJson(
    path: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpOutcome>;
  /**
   * Posts a form, otherwise like {@link postJson}.
   *
   * @param form sent as `application/x-www-form-urlencoded`
   */
  postForm(
    path: string,
    form: URLSearchParams,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpOutcome>;
  /** Asks for JSON with GET, otherwise like {@link postJson}. */
  getJson(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpOutcome>;
  /** Waits for calls under way and closes the connections, once. Later calls fail as `aborted`. */
  close(): Promise<void>;
}

/**
 * Creates a client. It connects when the first call needs it.
 *
 * @param baseUrl `http://` or `https://`, host, port and the path that precedes every call's
 * @throws TypeError when `baseUrl` is not a URL
 */
export function createHttpClient(baseUrl: string, limits: HttpLimits): HttpClient {
  const { origin, pathname } = new URL(baseUrl);
  const prefix = pathname.replace(/\/+$/, '');
  // The deadline of each call bounds headers and body together, also for a body that arrives one byte at a time, which
  // undici's own two time-outs would never end; they are off.
  const pool = new Pool(origin, {
    connections: limits.connectionsMax,
    connect: { timeout: limits.connectTimeoutMs },
    maxResponseSize: limits.responseBytesMax,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  });
  const post = (
    path: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpOutcome> => {
    const options: RequestOptions = {
      method: 'POST',
      path: prefix + path,
      body,
      headers: { ...headers, accept: 'application/json' },
    };
    return exchange(pool, options, `POST ${origin}${prefix}${path}`, limits.requestTimeoutMs, signal);
  };
  return {
    postJson: (path, body, headers, signal) =>
      post(path, body, { ...headers, 'content-type': 'application/json' }, signal),
    postForm: (path, form, headers, signal) =>
      post(path, String(form), { ...headers, 'content-type': FORM_TYPE }, signal),
    getJson: (path, headers, signal) => {
      const options: RequestOptions = {
        method: 'GET',
        path: prefix + path,
        headers: { ...headers, accept: 'application/json' },
      };
      return exchange(pool, options, `GET ${origin}${prefix}${path}`, limits.requestTimeoutMs, signal);
    },
    async close() {
      if (!pool.closed && !pool.destroyed) await pool.close();
    },
  };
}

type RequestOptions = Dispatcher.DispatchOptions & { readonly headers: Readonly<Record<string, string>> };

/** Runs one request under a deadline and the caller's signal. */
async function exchange(
  pool: Pool,
  options: RequestOptions,
  place: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<HttpOutcome> {
  const handler = new ExchangeHandler(place, credentialIn(options.headers));
  if (signal.aborted) {
    handler.giveUp('aborted', 'the call was abandoned before it began');
    return handler.outcome;
  }
  const abort = () => handler.giveUp('aborted', 'the call was abandoned');
  const deadline = setTimeout(
    () => handler.giveUp('timeout', `no complete answer within ${timeoutMs} ms`),
    timeoutMs,
  );
  signal.addEventListener('abort', abort, { once: true });
  try {
    pool.dispatch(options, handler);
    return await handler.outcome;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Follows one request through undici.
 *
 * undici calls `onRequestStart` when the connection stands and just before it writes the first byte. That makes it the
 * one reliable border between "surely not sent" and "possibly sent"; error codes are not, since a connection can be
 * reset on either side of it.
 */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<HttpOutcome>;
  readonly #place: string;
  readonly #credential: string | null;
  readonly #chunks: Buffer[] = [];
  #settle: (outcome: HttpOutcome) => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #sent = false;
  #settled = false;
  #status = 0;
  #retryAfter: string | null = null;
  #cacheControl: string | null = null;

  /** @param credential of the request; masked in the answer */
  constructor(place: string, credential: string | null) {
    this.#place = place;
    this.#credential = credential;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Ends the call from our side. A request that still waits for a connection will not be sent. */
  giveUp(reason: HttpFailureReason, problem: string): void {
    this.#fail(reason, problem);
    this.#controller?.abort(new errors.RequestAbortedError(problem));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) {
      controller.abort(new errors.RequestAbortedError('the call was abandoned'));
      return;
    }
    this.#controller = controller;
    this.#sent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    const { 'retry-after': retryAfter, 'cache-control': cacheControl } = headers;
    this.#retryAfter = typeof retryAfter === 'string' ? retryAfter : null;
    this.#cacheControl = typeof cacheControl === 'string' ? cacheControl : null;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks);
    this.#finish({
      kind: 'answer',
      status: this.#status,
      ...readBody(body, this.#credential),
      retryAfter: this.#retryAfter,
      cacheControl: this.#cacheControl,
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(failureReason(error, this.#sent), describe(error));
  }

  #fail(reason: HttpFailureReason, problem: string): void {
    this.#finish({ kind: 'failure', reason, sent: this.#sent, message: `${this.#place}: ${problem}` });
  }

  #finish(outcome: HttpOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(outcome);
  }
}

function failureReason(error: Error, sent: boolean): HttpFailureReason {
  if (error instanceof errors.ResponseExceededMaxSizeError) return 'oversized';
  if (error instanceof errors.ClientDestroyedError || error instanceof errors.ClientClosedError)
    return 'aborted';
  return sent ? 'broken' : 'unreachable';
}

/** What happened, from an error of undici or of the socket; failed attempts on several addresses come as one. */
function describe(error: Error): string {
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = 'code' in first && typeof first.code === 'string' ? ` (${first.code})` : '';
  return `${first.message}${code}`;
}

function readBody(body: Buffer, credential: string | null): Pick<HttpAnswer, 'json' | 'text'> {
  const text = withoutCredential(new TextDecoder().decode(body), credential);
  try {
    // What is not UTF-8 is no JSON either, although it could be read with marks in place of what is wrong.
    return { text, json: isUtf8(body) ? JSON.parse(text) : undefined };
  } catch {
    return { text, json: undefined };
  }
}
