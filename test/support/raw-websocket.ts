import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** What an HTTP server answers instead of opening a WebSocket. */
export interface Refusal {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** What a client does with its WebSocket. */
export interface RawOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every message. */
  readonly onText?: (text: string) => void;
  /** Whether pings are answered; they are unless told otherwise. */
  readonly answers?: boolean;
}

/** A WebSocket of the client's own, which can stop reading and need not answer, as no library's can. */
export interface RawSocket {
  readonly messages: string[];
  readonly pings: number;
  /** How it ended: the farewell of the other side; null when it was cut off. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string } | null>;
  /** Stops reading; what comes piles up on the other side. */
  pause(): void;
  resume(): void;
  /** Cuts the connection off. */
  destroy(): void;
}

/** Opens a WebSocket, or tells how that was refused. `url` begins with `http:`. */
export async function openRaw(url: string, options: RawOptions = {}): Promise<RawSocket | Refusal> {
  const asking = request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...options.headers,
    },
  });
  asking.end();
  const answer = await Promise.race([
    once(asking, 'upgrade').then(([, socket, head]) => ({ socket: socket as Socket, head: head as Buffer })),
    once(asking, 'response').then(([response]) => ({ response })),
  ]);
  if ('socket' in answer) return follow(answer.socket, answer.head, options);
  const { response } = answer;
  let body = '';
  for await (const piece of response) body += piece;
  return { status: response.statusCode, headers: response.headers, body };
}

/** Opens a WebSocket; fails when it is refused. */
export async function openRawSocket(url: string, options: RawOptions = {}): Promise<RawSocket> {
  const opened = await openRaw(url, options);
  if ('status' in opened) throw new Error(`The WebSocket is refused: ${opened.status} ${opened.body}`);
  return opened;
}

function follow(socket: Socket, head: Buffer, { onText, answers = true }: RawOptions): RawSocket {
  const messages: string[] = [];
  const ended = Promise.withResolvers<{ code: number; reason: string } | null>();
  let pings = 0;
  let rest: Buffer = Buffer.alloc(0);
  const handle = (opcode: number, payload: Buffer) => {
    if (opcode === TEXT) (onText ?? ((text) => messages.push(text)))(payload.toString());
    if (opcode === PING) {
      pings += 1;
      if (answers) socket.write(masked(PONG, payload));
    }
    if (opcode === CLOSE) {
      ended.resolve({ code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() });
      socket.end(masked(CLOSE, payload.subarray(0, 2)));
    }
  };
  const read = (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    for (let frame = frameOf(rest); frame; frame = frameOf(rest)) {
      rest = rest.subarray(frame.end);
      handle(frame.opcode, frame.payload);
    }
  };
  socket.on('error', () => {});
  socket.on('close', () => ended.resolve(null));
  socket.on('data', read);
  read(head);
  return {
    messages,
    get pings() {
      return pings;
    },
    ended: ended.promise,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}

/** The first frame (RFC 6455, section 5.2); null when it has not come as a whole. Servers do not mask. */
function frameOf(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | null {
  if (bytes.length < 2) return null;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start) return null;
  const length =
    short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const end = start + length;
  return bytes.length < end ? null : { opcode: first & 0x0f, payload: bytes.subarray(start, end), end };
}

/** A short frame of a client; a mask of zeros changes nothing. */
const masked = (opcode: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
