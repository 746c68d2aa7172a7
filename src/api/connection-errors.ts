import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../runtime/clock.ts';
import { HTTP_REFUSALS } from './errors.ts';
import { failure } from './partner/message.ts';

/** What Node's HTTP parser says, as statuses; everything else is 400. */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Answers bytes that are no HTTP, as a message envelope like everything else, and closes the connection: nobody knows
 * where on it another request would begin.
 */
export function connectionErrors(clock: Clock, logger: FastifyBaseLogger | undefined) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    const status = STATUSES[error.code ?? ''] ?? 400;
    const [code = '', sentence = ''] = HTTP_REFUSALS[status] ?? [];
    logger?.info({ path: null, status, code, problem: error.code }, 'Request refused');
    const body = JSON.stringify(failure('', clock.now(), code, sentence));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.destroySoon();
  };
}

/** Whether an answer to an earlier part of the request is on its way already: another one would end up inside of it. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}
