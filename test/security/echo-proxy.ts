import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Stands before a server of the outside; while told to, it refuses everything and repeats all that it was sent. */
export interface EchoProxy {
  readonly url: string;
  /** Values of `Authorization` that came, without the name of the scheme. */
  readonly credentials: ReadonlySet<string>;
  /** Requests that were refused with an echo. */
  readonly echoed: number;
  /** From now on answers so, in turn; null: passes requests on. */
  refuse(statuses: readonly number[] | null): void;
  close(): Promise<void>;
}

/**
 * Starts the proxy, which passes requests on until it is told otherwise.
 *
 * @param target where requests go
 * @param headers that requests are given on their way, in place of their own of that name
 */
export async function startEchoProxy(
  target: () => string,
  headers: Readonly<Record<string, string>> = {},
  port = 0,
): Promise<EchoProxy> {
  const credentials = new Set<string>();
  let statuses: readonly number[] | null = null;
  let echoed = 0;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const credential = request.headers.authorization?.replace(/^\S+ /, '');
    if (credential) credentials.add(credential);
    const status = statuses?.[echoed % statuses.length];
    if (status !== undefined) {
      echoed += 1;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(echo(request.url ?? '', request.headers, body.toString())));
      return;
    }
    const passed = await fetch(target() + (request.url ?? ''), {
      method: request.method ?? 'GET',
      headers: { ...passable(request.headers), ...headers },
      ...(body.length > 0 && { body }),
    }).catch(() => null);
    if (!passed) return void response.writeHead(502).end();
    response.writeHead(passed.status, { 'content-type': passed.headers.get('content-type') ?? 'text/plain' });
    response.end(Buffer.from(await passed.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials,
    get echoed() {
      return echoed;
    },
    refuse(next) {
      statuses = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What was sent, wherever somebody may look for a reason. */
function echo(url: string, headers: IncomingHttpHeaders, body: string): unknown {
  const said = `Refused: ${headers.authorization ?? ''} at ${url} with ${body} and ${JSON.stringify(headers)}`;
  return {
    status: 'failed',
    message: said,
    error: said,
    error_description: said,
    errors: [{ message: said, errorMessage: said, code: 'ECHO' }],
    error_message: said,
    header: { status: 'rjct', status_reason_code: 'ECHO', status_reason_message: said },
    statusCode: 0,
  };
}

function passable(headers: IncomingHttpHeaders): Record<string, string> {
  const hop = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'keep-alive']);
  const kept = Object.entries(headers).filter(([name]) => !hop.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
