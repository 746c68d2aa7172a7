import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net';

/** A request as a test server received it. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server of a test's own, on a free port. */
export interface TestServer {
  readonly url: string;
  /** Requests so far, in order. */
  readonly received: readonly Received[];
  /** Connections opened so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

type Answer = (request: Received, response: ServerResponse) => unknown;

/** Starts an HTTP server that records every request and leaves the answer to the test. */
export async function startHttpServer(answer: Answer): Promise<TestServer> {
  const received: Received[] = [];
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const seen = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    received.push(seen);
    await answer(seen, response);
  });
  return listen(server, received);
}

/** Starts a server that talks on the bare socket, once the first bytes of a request have arrived. */
export async function startSocketServer(talk: (socket: Socket) => void): Promise<TestServer> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => talk(socket));
  });
  return listen(server, []);
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A URL on this machine at which nobody listens. */
export async function unusedUrl(): Promise<string> {
  const server = await startHttpServer(() => {});
  await server.close();
  return server.url;
}

async function listen(server: Server, received: Received[]): Promise<TestServer> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.close();
    for (const socket of open) socket.destroy();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, received, connections: () => connections, close };
}
