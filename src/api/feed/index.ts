import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endWithAccess } from '../operator/access/stay.ts';
import type { OperatorContext } from '../operator/context.ts';
import { answerProblem, ProblemError } from '../operator/problem.ts';
import type { Operator } from '../operator/wire/common.ts';
import { needsUpgrade } from '../sockets.ts';
import { FEED_TIMES, FeedConnection } from './connection.ts';
import { type FeedRequest, readFeedRequest } from './request.ts';

interface Admitted {
  readonly operator: Operator;
  readonly request: FeedRequest;
  /** Up to which sequence number entries that it asks for may have been removed. */
  readonly pruned: number;
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
      const asked = readFeedRequest(request.query);
      const pruned = await system.feed.prunedThrough(asked.filter);
      if (asked.after !== null && asked.after < pruned && !asked.skipsPruned) throw feedPruned(pruned);
      request.admitted = { operator, request: asked, pruned };
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
      endWithAccess(socket, access, admitted.operator, context.feedTimes?.lookMs);
      clients += 1;
      const opened = performance.now();
      socket.on('close', (code: number) => {
        clients -= 1;
        const seconds = Math.round((performance.now() - opened) / 1000);
        log.info({ operator: admitted.operator.id, code, seconds }, 'Feed closed');
      });
      await connection.serve(admitted.request, admitted.pruned);
    },
  });
}

function feedPruned(pruned: number): ProblemError {
  return new ProblemError(
    410,
    'FEED_PRUNED',
    `Old entries up to ${pruned} were removed (journal_retention_days). Take stock again and go on after ${pruned}, ` +
      'or add pruned=skip for what is left.',
  );
}

function feedFull(clientsMax: number): ProblemError {
  return new ProblemError(503, 'FEED_FULL', `${clientsMax} clients follow the feed here; try again later.`);
}
