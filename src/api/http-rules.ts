import type { FastifyInstance } from 'fastify';
import { HttpError } from './errors.ts';

/**
 * Rules of HTTP that Node would enforce with an empty answer of its own, so that they are answered like all others
 * (with `requireHostHeader` off).
 */
export function httpRules(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers, raw }) => {
    // RFC 9112 section 3.2.
    if (headers.host !== undefined || raw.httpVersion !== '1.1') return;
    throw new HttpError(400, 'REQUEST_MALFORMED', 'The request has no header Host.');
  });
  // RFC 9110 section 10.1.1: what is expected beyond 100-continue may be refused, or ignored.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
}
