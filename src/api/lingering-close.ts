import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';

/** How long, and how much, is read after an answer that comes before the end of its request. */
const LINGER_MS = 2_000;
const LINGER_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Closes a connection in stages (RFC 9112 section 9.6) where an answer comes before the end of its request and the rest
 * is not wanted. A socket that is closed with bytes unread resets the connection, and a sender that is still writing
 * never gets to read why it was refused. So the answer is sent whole, what else comes is read and dropped for a while,
 * and the connection is closed then, or as soon as the sender closes it.
 */
export function lingeringClose(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const closes = String(reply.getHeader('connection') ?? '').toLowerCase() === 'close';
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload);
    if (!closes || !isWhole || request.raw.complete || request.raw.destroyed) return payload;
    // With its length the sender knows the answer to be whole before it is ended.
    reply.header('content-length', Buffer.byteLength(payload));
    return Readable.from(thenLinger(payload, request.raw), { objectMode: false });
  });
}

async function* thenLinger(payload: string | Buffer, request: IncomingMessage): AsyncGenerator<Buffer> {
  yield Buffer.from(payload);
  await dropRest(request);
}

/** Reads what comes of a request and drops it, until it ends, its sender has gone or it was enough. */
function dropRest(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const late = setTimeout(resolve, LINGER_MS);
  let bytes = 0;
  const drop = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES_MAX) resolve();
  };
  request.unpipe();
  request.on('data', drop).once('end', resolve).once('close', resolve);
  request.resume();
  return promise.finally(() => {
    clearTimeout(late);
    request.off('data', drop);
  });
}
