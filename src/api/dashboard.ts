import type { FastifyInstance } from 'fastify';
import type { OperatorContext } from './operator/context.ts';

/** The operators' web app. */
export async function dashboardPages(
  _app: FastifyInstance,
  _options: { readonly context: OperatorContext },
): Promise<void> {}
