import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** An upload whose bytes the test sends itself. */
export interface RawUpload {
  /** Sends a piece of the file; resolves when the server has taken it, or has closed the connection. */
  send(piece: string | Uint8Array): Promise<void>;
  /** Ends the file and the request. */
  end(): void;
  /** Cuts the connection. */
  abort(): void;
  /** The answer, also when it comes before the end of the request. */
  answer(): Promise<{ status: number; text: string }>;
}

const BOUNDARY = 'raw-upload-boundary';

/**
 * Begins a chunked multipart upload.
 *
 * @param contentLength announced, if any; the body is chunked otherwise
 */
export function beginUpload(url: string, options: { contentLength?: number } = {}): RawUpload {
  const upload: ClientRequest = request(`${url}/upload_mt940`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      ...(options.contentLength !== undefined && { 'content-length': options.contentLength }),
    },
  });
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => {});
  const closed = new AbortController();
  upload.on('error', () => {}).on('close', () => closed.abort());
  upload.write(FILE_BEGINS);
  return {
    async send(piece) {
      if (upload.destroyed || upload.write(piece)) return;
      await once(upload, 'drain', { signal: closed.signal }).catch(() => {});
    },
    end: () => upload.end(FILE_ENDS),
    abort: () => upload.destroy(),
    async answer() {
      const late = new AbortController();
      const timeout = delay(10_000, undefined, { signal: late.signal, ref: false }).then(
        () => Promise.reject(new Error('The upload was not answered.')),
        () => new Promise<never>(() => {}),
      );
      const [response] = await Promise.race([answered, timeout]);
      late.abort();
      let text = '';
      for await (const chunk of response) text += chunk;
      return { status: response.statusCode ?? 0, text };
    },
  };
}

/** A connection on which the test writes HTTP itself. */
export interface RawConnection {
  /** Writes; resolves when the other side has taken it, or has closed the connection. */
  write(piece: string | Uint8Array): Promise<void>;
  /** Reads nothing until {@link resume}. */
  pause(): void;
  resume(): void;
  /** What has come back so far. */
  received(): string;
  /** Resolves when the other side has closed the connection. */
  readonly closed: Promise<void>;
  destroy(): void;
}

/** Connects to a server. @param url of it */
export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  // A server that closes while we write resets the connection; that is what is being tested.
  socket.on('error', () => {});
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      gone.abort();
      resolve();
    });
  });
  return {
    async write(piece) {
      if (socket.destroyed || socket.write(piece)) return;
      await once(socket, 'drain', { signal: gone.signal }).catch(() => {});
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    received: () => text,
    closed,
    destroy: () => socket.destroy(),
  };
}

/** The head of an upload, up to where the body begins. @param length as a header line says it */
export const uploadHead = (length: string): string =>
  `POST /upload_mt940 HTTP/1.1\r\nHost: bridge\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\n${length}\r\n\r\n`;

/** Where the file begins in the body of an upload. */
export const FILE_BEGINS =
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="statement_file"; filename="s.sta"\r\n` +
  'Content-Type: text/plain\r\n\r\n';

/** Where the file and the body end. */
export const FILE_ENDS = `\r\n--${BOUNDARY}--\r\n`;

/** A piece of a chunked body. */
export const httpChunk = (piece: string): string =>
  `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`;
