import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/**
 * Whether a request is to become a WebSocket. Other upgrades are ignored, as they may be (RFC 9110 section 7.8): Java's
 * client, for one, offers `h2c` with every request, also with those that have a body.
 */
export const isWebSocketRequest = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';

/**
 * Ends the connections of WebSockets that are refused: Node no longer looks after them, so the next request on one would
 * never be answered, and the server could not be closed.
 */
export function endRefusedUpgrades(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (isWebSocketRequest(raw)) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (isWebSocketRequest(raw)) raw.socket.destroySoon();
  });
}
