import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { endWithAccess } from '../operator/access/stay.ts';
import type { OperatorContext } from '../operator/context.ts';
import { actorNamed } from '../operator/family.ts';
import { answerProblem, ProblemError } from '../operator/problem.ts';
import type { Operator } from '../operator/wire/common.ts';
import { needsUpgrade } from '../sockets.ts';
import { inspect } from './connection.ts';
import { type InspectorQuery, inspectorQuery } from './query.ts';

/** Inspectors of one process at most: each is told a whole past. */
const INSPECTORS_MAX = 50;

/** `/inspector`, which leads to its page, and `/inspector/ws`, the journal as Stately inspection events. */
export async function inspector(
  app: FastifyInstance,
  { context }: { readonly context: OperatorContext },
): Promise<void> {
  app.setErrorHandler(answerProblem);
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  // The page is part of the dashboard, so that people sign in once.
  app.get('/inspector', async (request, reply) => {
    const { search } = new URL(request.url, 'http://localhost');
    return reply.redirect(`${app.prefix}/#/inspector${search}`);
  });
  let inspectors = 0;
  const operators = new WeakMap<FastifyRequest, Operator>();
  app.route({
    method: 'GET',
    url: '/inspector/ws',
    exposeHeadRoute: false,
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      if (!request.ws) throw needsUpgrade(reply);
      operators.set(request, await context.access.operatorOfSocket(request));
      readQuery(context, request);
    },
    // From here to the upgrade nothing is waited for, so the bound holds.
    preHandler: (_request, _reply, done) => done(inspectors < INSPECTORS_MAX ? undefined : FULL),
    handler: (_request, reply) => {
      throw needsUpgrade(reply);
    },
    wsHandler: (socket, request) => {
      const operator = operators.get(request);
      if (!operator) return socket.terminate();
      endWithAccess(socket, context.access, operator, context.feedTimes?.lookMs);
      inspectors += 1;
      socket.on('close', () => {
        inspectors -= 1;
      });
      return inspect(context, socket, readQuery(context, request), closing.signal);
    },
  });
}

const FULL = new ProblemError(
  503,
  'INSPECTORS_FULL',
  `${INSPECTORS_MAX} inspectors are open here; close one, or try again later.`,
);

/** @throws ProblemError */
function readQuery({ system }: OperatorContext, request: FastifyRequest): InspectorQuery {
  const parsed = inspectorQuery.safeParse(request.query);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ProblemError(400, 'REQUEST_INVALID', `${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const { machine } = parsed.data;
  if (machine !== undefined) actorNamed(system, machine);
  return parsed.data;
}
