import type { FastifyInstance } from 'fastify';
import type { OperatorContext } from './context.ts';
import { addEndpoint, type Endpoint } from './endpoint.ts';
import { answerProblem } from './problem.ts';

/** Everything that operators may ask; each group is in a file of its own. */
export const OPERATOR_ENDPOINTS: readonly Endpoint[] = [];

/** The operators' REST API. */
export async function operatorApi(
  app: FastifyInstance,
  { context }: { readonly context: OperatorContext },
): Promise<void> {
  app.decorateRequest('operator', null);
  app.setErrorHandler(answerProblem);
  for (const one of OPERATOR_ENDPOINTS) addEndpoint(app, context, one);
}
