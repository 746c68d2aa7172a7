import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
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
  upload.write(
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="statement_file"; filename="s.sta"\r\n` +
      'Content-Type: text/plain\r\n\r\n',
  );
  return {
    async send(piece) {
      if (upload.destroyed || upload.write(piece)) return;
      await once(upload, 'drain', { signal: closed.signal }).catch(() => {});
    },
    end: () => upload.end(`\r\n--${BOUNDARY}--\r\n`),
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
