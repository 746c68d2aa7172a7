import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request that came through. */
export interface Seen {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads into the body and fails where it is not what it should be
  readonly body: any;
}

/** What the proxy does with a request, besides passing it on. */
export type Fault =
  /** Hangs up without passing it on. */
  | 'hang-up'
  /** Passes it on, and hangs up instead of answering. */
  | 'hang-up-after'
  /** Answers HTTP 503 without passing it on. */
  | 'unavailable'
  /** Passes it on, and answers only when the proxy closes. */
  | 'stall';

/** Stands between a client and a server, writes down what is asked and breaks what it is told to break. */
export interface FaultyProxy {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Requests of one path, in their order. */
  to(path: string): readonly Seen[];
  /** From now on asked for every request; null passes it on. */
  breaks(fault: (request: Seen, index: number) => Fault | null): void;
  /** Forgets what was seen, and breaks nothing any more. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of a server. */
export async function startProxy(target: string): Promise<FaultyProxy> {
  let seen: Seen[] = [];
  let faultOf: (request: Seen, index: number) => Fault | null = () => null;
  const server = createServer(async (request, response) => {
    const bytes = await buffer(request);
    const one = { path: request.url ?? '', body: JSON.parse(bytes.toString('utf8')) };
    const fault = faultOf(one, seen.length);
    seen.push(one);
    if (fault === 'hang-up') request.socket.destroy();
    else if (fault === 'unavailable') response.writeHead(503).end();
    else await passOn(target, request, bytes, response, fault);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get seen() {
      return seen;
    },
    to: (path) => seen.filter((request) => request.path === path),
    breaks(fault) {
      faultOf = fault;
    },
    reset() {
      seen = [];
      faultOf = () => null;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function passOn(
  target: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  fault: Fault | null,
): Promise<void> {
  const answer = await fetch(target + request.url, {
    method: request.method ?? 'POST',
    headers: {
      'content-type': request.headers['content-type'] ?? '',
      ...(request.headers.authorization ? { authorization: request.headers.authorization } : {}),
    },
    body: new Uint8Array(body),
  });
  const text = await answer.text();
  if (fault === 'hang-up-after') request.socket.destroy();
  else if (fault !== 'stall')
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
}
