import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of a connection. */
export type Treatment =
  /** Bytes go both ways. */
  | 'pass'
  /** It is taken, and then nothing is ever heard. */
  | 'silence'
  /** It is taken and ended at once. */
  | 'hang-up';

/** Stands between a client and a TCP server and breaks what it is told to break. */
export interface TcpProxy {
  /** `url` as it reads through the proxy. */
  through(url: string): string;
  /** Connections ever taken. */
  readonly taken: number;
  /** Connections open now. */
  readonly open: number;
  /** How new connections are treated from now on. */
  treat(treatment: Treatment): void;
  /** New connections are reset when the server has sent this many bytes; null: never. */
  cutAfter(bytes: number | null): void;
  /** Resets all connections. */
  cut(): void;
  /** Holds back what the server sends on the connections that are open. */
  freeze(): void;
  /** Refuses connections and resets those that are open. */
  stop(): Promise<void>;
  /** Takes connections again, at the same port; does nothing when it takes them. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy before the server that `target` is the URL of. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let treatment: Treatment = 'pass';
  let bytesMax: number | null = null;
  let taken = 0;
  let server: Server | null = null;
  let port = 0;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const join = (client: Socket) => {
    const upstream = connect(Number(targetPort), hostname);
    keep(upstream);
    const pair = { client, upstream };
    pairs.add(pair);
    let left = bytesMax ?? Number.POSITIVE_INFINITY;
    client.pipe(upstream);
    upstream.on('data', (data) => {
      client.write(data.subarray(0, left));
      left -= data.length;
      if (left <= 0) client.resetAndDestroy();
    });
    upstream.on('close', () => client.destroy());
    client.on('close', () => {
      pairs.delete(pair);
      upstream.destroy();
    });
    if (left <= 0) client.resetAndDestroy();
  };
  const take = (client: Socket) => {
    taken += 1;
    keep(client);
    if (treatment === 'hang-up') client.end();
    else if (treatment === 'silence') client.resume();
    else join(client);
  };
  const proxy: TcpProxy = {
    through(url) {
      const proxied = new URL(url);
      proxied.hostname = '127.0.0.1';
      proxied.port = String(port);
      return proxied.href;
    },
    get taken() {
      return taken;
    },
    get open() {
      return [...pairs].filter(({ client }) => !client.destroyed).length;
    },
    treat(next) {
      treatment = next;
    },
    cutAfter(bytes) {
      bytesMax = bytes;
    },
    cut() {
      for (const { client } of pairs) client.resetAndDestroy();
    },
    freeze() {
      for (const { upstream } of pairs) upstream.pause();
    },
    async stop() {
      const stopping = server;
      server = null;
      for (const socket of sockets) socket.resetAndDestroy();
      if (!stopping) return;
      stopping.close();
      await once(stopping, 'close');
    },
    async start() {
      if (server) return;
      server = createServer(take).listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    },
    close: () => proxy.stop(),
  };
  await proxy.start();
  return proxy;
}
