import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { HTTP_FAULTS, type HttpFault } from './http-fault.ts';

/** A request on its way to the system behind the proxy. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query, as the connector sent them. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An HTTP server in front of another one that spoils answers on demand. */
export interface FaultyProxy<Call extends string> {
  /** Where it listens, without a slash at the end. Give it to the connector in place of the system's own URL. */
  readonly url: string;
  /** Strikes every request of a call with a fault until another is set; null: none any more. */
  misbehave(call: Call, fault: HttpFault | null): void;
  /** Requests of a call so far, also those that were struck. */
  received(call: Call): number;
  /** Cuts all connections and stops listening. */
  close(): Promise<void>;
}

interface Forwarded {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Largest request and largest answer, in bytes. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const FORWARD_TIMEOUT_MS = 30_000;
const TRICKLE_EVERY_MS = 50;
const PAGE = '<!doctype html><title>Gateway</title><p>The service is being worked on.</p>';

/**
 * Starts a proxy on this machine.
 *
 * @param targetUrl base URL of the system, `http://` or `https://`
 * @param callOf which call of the port a request belongs to; null: none, it is passed on as it is (a token, say)
 */
export async function startFaultyProxy<Call extends string>(
  targetUrl: string,
  callOf: (request: ProxiedRequest) => Call | null,
): Promise<FaultyProxy<Call>> {
  const faults = new Map<Call, HttpFault>();
  const received = new Map<Call, number>();
  const open = new Set<Socket>();
  const server = createServer(async (incoming, response) => {
    try {
      const request = await readRequest(incoming);
      const call = callOf(request);
      if (call !== null) received.set(call, (received.get(call) ?? 0) + 1);
      await answer(targetUrl, request, (call === null ? undefined : faults.get(call)) ?? null, response);
    } catch {
      // What the system behind does not answer, the connector must not take for an answer either.
      incoming.socket.destroy();
    }
  });
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    misbehave: (call, fault) => {
      if (fault === null) faults.delete(call);
      else faults.set(call, fault);
    },
    received: (call) => received.get(call) ?? 0,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** An address on this machine at which nobody listens. */
export async function unusedUrl(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

async function answer(
  targetUrl: string,
  request: ProxiedRequest,
  fault: HttpFault | null,
  response: ServerResponse,
): Promise<void> {
  const forwarded = fault === null || HTTP_FAULTS[fault].acted ? await forward(targetUrl, request) : null;
  switch (fault) {
    case 'drop_before':
    case 'drop_after':
      response.socket?.destroy();
      return;
    case 'error_before':
      send(response, 500, 'application/json', '{"error":"internal error"}');
      return;
    case 'garbage':
      send(response, 200, 'text/html', PAGE);
      return;
    case 'not_found':
      send(response, 404, 'text/html', PAGE);
      return;
    case 'hang':
      return;
    case 'trickle':
      trickle(response);
      return;
    default:
      if (forwarded) pass(response, fault === 'error_after' ? { ...forwarded, status: 500 } : forwarded);
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

/** Sends white space, which could be the beginning of any JSON, until the other side has had enough. */
function trickle(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), TRICKLE_EVERY_MS);
  response.once('close', () => clearInterval(timer));
}

function pass(response: ServerResponse, { status, headers, body }: Forwarded): void {
  const { connection: _, 'transfer-encoding': __, ...kept } = headers;
  response.writeHead(status, { ...kept, 'content-length': body.length }).end(body);
}

async function readRequest(incoming: IncomingMessage): Promise<ProxiedRequest> {
  return {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: incoming.headers,
    body: await readBody(incoming),
  };
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError(`A body is larger than ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function forward(targetUrl: string, request: ProxiedRequest): Promise<Forwarded> {
  const url = new URL(targetUrl.replace(/\/+$/, '') + request.path);
  const { host: _, connection: __, 'transfer-encoding': ___, ...headers } = request.headers;
  const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method: request.method,
    headers: { ...headers, 'content-length': request.body.length },
    signal: AbortSignal.timeout(FORWARD_TIMEOUT_MS),
    agent: false,
  });
  outgoing.end(request.body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 502, headers: incoming.headers, body: await readBody(incoming) };
}
