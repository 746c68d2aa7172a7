import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { dashboardPages } from '../dashboard.ts';
import { feed } from '../feed/index.ts';
import { inspector } from '../inspector/index.ts';
import { closeSockets, endBroken } from '../sockets.ts';
import { limitFailures } from './access/limit-failures.ts';
import { sameOriginCheck } from './access/same-origin.ts';
import type { OperatorContext } from './context.ts';
import { operatorApi } from './index.ts';
import { answerProblem } from './problem.ts';

/** A message of a client says little: none of ours sends any. */
const CLIENT_MESSAGE_BYTES_MAX = 4_096;

/** Everything that operators see: the REST API, the feed, the inspector and the dashboard. */
export async function operatorSurface(
  app: FastifyInstance,
  { context: given }: { readonly context: OperatorContext },
): Promise<void> {
  const context = { ...given, access: await limitFailures(app, given.access) };
  app.setErrorHandler(answerProblem);
  app.addHook('onRequest', sameOriginCheck(given.config.operator_origins));
  await app.register(websocket, {
    options: { maxPayload: CLIENT_MESSAGE_BYTES_MAX },
    preClose: closeSockets,
    errorHandler: (error, socket, request) => endBroken(error, socket, request),
  });
  await app.register(operatorApi, { context });
  await app.register(feed, { context });
  await app.register(inspector, { context });
  await app.register(dashboardPages, { context });
}
