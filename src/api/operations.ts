import type { FastifyInstance } from 'fastify';
import type { ApiOptions } from './options.ts';
import { readiness } from './readiness.ts';

const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What the platform asks a process: whether it lives, whether it can work, and its metrics. */
export async function operations(app: FastifyInstance, options: ApiOptions): Promise<void> {
  const { metrics } = options;
  const check = readiness(options);
  app.get('/healthz', async () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const report = await check();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  if (metrics)
    app.get('/metrics', async (_request, reply) => reply.type(METRICS_CONTENT_TYPE).send(await metrics()));
}
