import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorContext } from '../operator/context.ts';
import { answerProblem, ProblemError } from '../operator/problem.ts';
import type { Operator } from '../operator/wire/common.ts';
import { needsUpgrade } from '../sockets.ts';
import { FEED_TIMES, FeedConnection } from './connection.ts';
import { type FeedRequest, readFeedRequest } from './request.ts';

interface Admitted {
  readonly operator: Operator;
  readonly request: FeedRequest;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who follows the feed, and what of it. */
    admitted: Admitted | null;
  }
}

/** `/feed`: streams the journal over WebSocket to operators of any role. Whatever is wrong is answered over HTTP. */
export async function feed(
  app: FastifyInstance,
  { context }: { readonly context: OperatorContext },
): Promise<void> {
  const { access, config, system } = context;
  const times = { ...FEED_TIMES, ...context.feedTimes };
  let clients = 0;
  app.decorateRequest('admitted', null);
  app.setErrorHandler(answerProblem);
  app.route({
    method: 'GET',
    url: '/feed',
    exposeHeadRoute: false,
    schema: { hide: true },
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      if (!request.ws) throw needsUpgrade(reply);
      // Should it be refused, nothing else is asked for on this connection.
      reply.header('connection', 'close');
      const operator = await access.operatorOfSocket(request);
      request.admitted = { operator, request: readFeedRequest(request.query) };
    },
    // From here to the upgrade nothing is waited for, so the bound holds.
    preHandler: (_request, _reply, done) => {
      done(clients < config.feed_clients_max ? undefined : feedFull(config.feed_clients_max));
    },
    handler: (_request, reply) => {
      throw needsUpgrade(reply);
    },
    wsHandler: async (socket, { admitted, raw, log }) => {
      if (!admitted) return socket.terminate();
      const connection = new FeedConnection(system, socket, raw.socket, times);
      clients += 1;
      const opened = performance.now();
      socket.on('close', (code: number) => {
        clients -= 1;
        const seconds = Math.round((performance.now() - opened) / 1000);
        log.info({ operator: admitted.operator.id, code, seconds }, 'Feed closed');
      });
      await connection.serve(admitted.request);
    },
  });
}

function feedFull(clientsMax: number): ProblemError {
  return new ProblemError(503, 'FEED_FULL', `${clientsMax} clients follow the feed here; try again later.`);
}
