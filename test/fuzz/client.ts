import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { FuzzRequest, RawRequest } from './request.ts';

/** An answer that takes longer counts as none. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Nothing is said for so long before a connection is ended from our side. */
const SILENCE_MS = 30;

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

/** A client that keeps its connections. */
export interface Client {
  /** @returns null when the server closed the connection before it had taken a large body whole */
  send(request: FuzzRequest): Promise<Answer | null>;
  /** @returns the answers that came before the connection was closed */
  sendRaw(request: RawRequest): Promise<Answer[]>;
  close(): Promise<void>;
}

export function openClient(url: string, connections: number): Client {
  const pool = new Pool(url, {
    connections,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  });
  const { hostname, port } = new URL(url);
  return {
    async send({ method, target, headers, body, chunked, large }) {
      try {
        const response = await pool.request({
          method: method as 'POST',
          path: target.startsWith('/') ? target : `/${target}`,
          headers,
          body: chunked && body ? Readable.from([body]) : body,
        });
        const { statusCode: status, headers: answered } = response;
        const type = answered['content-type'];
        return { status, type: type === undefined ? null : String(type), text: await response.body.text() };
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (large && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(code))) return null;
        throw error;
      }
    },
    sendRaw: ({ bytes }) =>
      new Promise((resolve, reject) => {
        const received: Buffer[] = [];
        const socket = connect(Number(port), hostname);
        const late = setTimeout(() => {
          socket.destroy();
          reject(new Error('The connection was left open.'));
        }, ANSWER_TIMEOUT_MS);
        const settle = () => {
          clearTimeout(late);
          try {
            resolve(answersIn(Buffer.concat(received)));
          } catch (error) {
            reject(error);
          }
        };
        socket
          .on('error', () => {})
          .on('data', (chunk) => {
            received.push(chunk);
            socket.end();
          });
        socket.once('close', () => {
          clearTimeout(silent);
          settle();
        });
        socket.write(bytes);
        // Whoever waits for more than this gets to know that there is no more.
        const silent = setTimeout(() => socket.end(), SILENCE_MS);
      }),
    close: () => pool.close(),
  };
}

/** The answers of a connection, one after the other (RFC 9112), without the interim ones. */
export function answersIn(bytes: Buffer): Answer[] {
  const answers: Answer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.subarray(0, end === -1 ? 0 : end).toString('latin1');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    if (!status)
      throw new Error(`That is no answer: ${JSON.stringify(rest.subarray(0, 200).toString('latin1'))}`);
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1] ?? null;
    const length = Number(field('content-length') ?? Number.NaN);
    const size = Number.isNaN(length) ? rest.length : length;
    const body = rest.subarray(0, size);
    rest = rest.subarray(size);
    const isChunked = field('transfer-encoding') === 'chunked';
    answers.push({
      status,
      type: field('content-type'),
      text: (isChunked ? unchunked(body) : body).toString('utf8'),
    });
  }
  return answers;
}

function unchunked(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.subarray(0, end).toString('latin1'), 16);
    if (!(size > 0)) break;
    pieces.push(rest.subarray(end + 2, end + 2 + size));
    rest = rest.subarray(end + 4 + size);
  }
  return Buffer.concat(pieces);
}
