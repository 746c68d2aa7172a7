import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OperatorContext } from '../operator/context.ts';
import { answerProblem, ProblemError } from '../operator/problem.ts';
import { inspect } from './connection.ts';
import { type InspectorQuery, inspectorQuery } from './query.ts';

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
  app.get(
    '/inspector/ws',
    {
      websocket: true,
      onRequest: async (request: FastifyRequest) => {
        await context.access.operatorOfSocket(request);
        readQuery(context, request);
      },
    },
    (socket, request) => inspect(context, socket, readQuery(context, request), closing.signal),
  );
}

/** @throws ProblemError */
function readQuery({ system }: OperatorContext, request: FastifyRequest): InspectorQuery {
  const parsed = inspectorQuery.safeParse(request.query);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ProblemError(400, 'REQUEST_INVALID', `${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const { machine } = parsed.data;
  if (machine !== undefined && !system.store.registry.actors.some(({ name }) => name === machine)) {
    throw new ProblemError(404, 'MACHINE_UNKNOWN', `There is no machine ${machine}.`);
  }
  return parsed.data;
}
