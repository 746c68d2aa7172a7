import type { FastifyInstance } from 'fastify';
import type { OperatorContext } from '../operator/context.ts';

/** `/inspector`: the journal for the XState inspector. */
export async function inspector(
  _app: FastifyInstance,
  _options: { readonly context: OperatorContext },
): Promise<void> {}
