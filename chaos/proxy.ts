import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** One way from a process to a server, which can be broken. */
export interface TcpProxy {
  /** The port on 127.0.0.1 that stands for the server; always the same. */
  readonly port: number;
  /** Resets all connections. @returns how many there were */
  cut(): number;
  /** Refuses new connections and resets those that are open, until {@link restore}. */
  refuse(): Promise<void>;
  /** Lets nothing pass in either direction, not even on new connections, until {@link restore}. */
  stall(): void;
  /** Lets everything pass again; what was held back arrives late. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of a port on 127.0.0.1.
 *
 * @param port the one to listen on
 * @param targetPort where the server listens, or will listen
 */
export async function startProxy(port: number, targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let stalled = false;

  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  /** By hand, since a pipe would go on by itself after a pause. */
  const pass = (from: Socket, to: Socket) => {
    from
      .on('data', (data) => {
        if (!to.write(data)) from.pause();
      })
      .on('end', () => to.end())
      .on('close', () => to.destroy());
    to.on('drain', () => {
      if (!stalled) from.resume();
    });
    if (stalled) from.pause();
  };
  const take = (client: Socket) => {
    keep(client);
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    keep(upstream);
    // A server that refuses is to look so from here too.
    upstream.on('error', () => client.resetAndDestroy());
    pass(client, upstream);
    pass(upstream, client);
  };
  const cut = () => {
    const count = sockets.size / 2;
    for (const socket of sockets) socket.resetAndDestroy();
    return Math.ceil(count);
  };
  const close = async () => {
    const closing = server;
    server = null;
    const closed = closing && new Promise((resolve) => closing.close(resolve));
    cut();
    await closed;
  };
  const open = async () => {
    if (server) return;
    const opening = createServer({ allowHalfOpen: true }, take);
    server = opening;
    opening.listen(port, '127.0.0.1');
    await once(opening, 'listening');
  };
  await open();
  return {
    port,
    cut,
    refuse: close,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    async restore() {
      await open();
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    close,
  };
}

/** Ports below those that the system hands out by itself, so that nobody takes one while its owner is being restarted. */
const PORTS = { from: 20_000, to: 30_000 };

/** @returns as many ports on 127.0.0.1 as are asked for, on which nobody listens */
export async function findPorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  const first = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from - 1_000));
  for (let port = first; found.length < count; port += 1) {
    if (port > 32_000) throw new Error('There are not enough free ports on 127.0.0.1.');
    if (await isFree(port)) found.push(port);
  }
  return found;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
