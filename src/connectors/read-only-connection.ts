import { connect as connectSocket, type Socket } from 'node:net';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

/** Where and how to connect. */
export interface ReadOnlyConnectionSettings {
  /** PostgreSQL connection URL. */
  readonly url: string;
  /** Time until the server is ready for a query, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Time after which the server ends a statement, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/** One connection that can only read; once lost, it does not come back. */
export interface ReadOnlyConnection {
  readonly orm: PostgresJsDatabase;
  /** Kept when the connection has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends it when the query under way is done, or after five seconds. */
  close(): Promise<void>;
  /** Ends it at once; a query under way fails. */
  destroy(): void;
}

/** What the driver tells a maker of sockets: the hosts of the URL, or the path of a Unix socket. */
interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path: string | false;
}

/**
 * Connects to a server, once: the driver's own way of connecting again waits longer and longer in between, and goes on
 * without an end at a server (or a balancer before a dead one) that takes the connection and hangs up.
 *
 * @throws the server's or the operating system's error, or one with code CONNECT_TIMEOUT
 */
export async function connectReadOnly(settings: ReadOnlyConnectionSettings): Promise<ReadOnlyConnection> {
  const sockets: Socket[] = [];
  const ended = Promise.withResolvers<void>();
  let givenUp = false;
  const destroy = () => {
    givenUp = true;
    for (const socket of sockets) socket.destroy();
  };
  const openSocket = (address: Address) => {
    const socket = givenUp ? undefined : socketTo(address, sockets.length);
    if (!socket) throw coded('CONNECTION_CLOSED', 'the server hung up before it was ready');
    sockets.push(socket);
    return socket;
  };
  const sql = openDriver(settings, openSocket, ended.resolve);
  const late = coded('CONNECT_TIMEOUT', `no connection within ${settings.connectTimeoutMs} ms`);
  try {
    await within(sql.unsafe('select 1'), settings.connectTimeoutMs, late);
  } catch (error) {
    destroy();
    throw error;
  }
  return { orm: drizzle(sql), ended: ended.promise, close: () => sql.end({ timeout: 5 }), destroy };
}

function openDriver(
  { url, queryTimeoutMs }: ReadOnlyConnectionSettings,
  socket: (address: Address) => Socket,
  onclose: () => void,
): postgres.Sql {
  const options = {
    max: 1,
    socket,
    onclose,
    onnotice: () => {},
    // Asking for the types of arrays brings the process down when the connection breaks at that moment.
    fetch_types: false,
    // A connection that the driver may close by itself could be closed just when it is used.
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 0,
    connection: {
      application_name: 'g2p-bridge',
      TimeZone: 'UTC',
      default_transaction_read_only: true,
      statement_timeout: queryTimeoutMs,
    },
  };
  return postgres(url, options);
}

/** A socket to the n-th host; undefined when all of them have been tried. */
function socketTo({ host, port, path }: Address, n: number): Socket | undefined {
  if (path) return n === 0 ? connectSocket(path) : undefined;
  const [name, number] = [host[n], port[n]];
  if (name === undefined || number === undefined) return undefined;
  // The driver compares the certificate with the host that it finds on the socket.
  return Object.assign(connectSocket(number, name), { host: name });
}

/**
 * Waits for work, but not for ever.
 *
 * @throws `late` after `timeoutMs`; the work itself goes on
 */
export async function within<T>(work: PromiseLike<T>, timeoutMs: number, late: Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), timeoutMs);
  });
  try {
    return await Promise.race([work, bound]);
  } finally {
    clearTimeout(timer);
  }
}

/** An error with a code, as the driver's are. */
function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
