import type { WebSocket } from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from './operator/problem.ts';

/** Codes that WebSockets are closed with (RFC 6455, section 7.4.1). */
export const GOING_AWAY = 1001;
export const INTERNAL_ERROR = 1011;

/** How long clients may take to answer the farewell, ms. */
const FAREWELL_MS = 2_000;

/** Says farewell to all WebSockets when the server stops; those that do not answer are cut off. New ones are refused. */
export async function closeSockets(this: FastifyInstance): Promise<void> {
  const { websocketServer } = this;
  const ended = new Promise<void>((resolve) => websocketServer.close(() => resolve()));
  for (const client of websocketServer.clients) client.close(GOING_AWAY, 'The server stops.');
  const cut = setTimeout(() => {
    for (const client of websocketServer.clients) client.terminate();
  }, FAREWELL_MS);
  await ended;
  clearTimeout(cut);
}

/** Clients break off as they please: that is no fault of ours. */
export function endBroken(error: Error, socket: WebSocket, request: FastifyRequest): void {
  const { code, message } = error as NodeJS.ErrnoException;
  const path = request.routeOptions.url ?? null;
  request.log.info({ path, code, message }, 'WebSocket broke');
  socket.terminate();
}

/**
 * Asks a client again and again whether it is still there, and cuts off one that has not answered by the next time.
 *
 * @param everyMs between two questions
 */
export function keepAlive(socket: WebSocket, everyMs: number): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    // It would not answer a farewell either.
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** The refusal of a request at the path of a WebSocket that is none. */
export function needsUpgrade(reply: FastifyReply): ProblemError {
  reply.header('upgrade', 'websocket');
  return new ProblemError(426, 'WEBSOCKET_NEEDED', 'This is a WebSocket: connect to it with ws: or wss:.');
}
