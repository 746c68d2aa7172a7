import type { FastifyInstance } from 'fastify';
import type { OperatorContext } from '../operator/context.ts';

/** `/feed`: streams the journal over WebSocket. */
export async function feed(
  _app: FastifyInstance,
  _options: { readonly context: OperatorContext },
): Promise<void> {}
