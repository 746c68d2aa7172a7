import { z } from 'zod';
import { jsonSchemaOf } from './json-schema.ts';

/** Where a process stands that says so to the platform. */
const check = z.looseObject({ ok: z.boolean(), problem: z.string().nullable() });

const readiness = z.looseObject({
  ready: z.boolean(),
  role: z.enum(['all', 'api', 'worker']),
  checks: z.record(z.string(), check),
});

const alive = z.object({ status: z.literal('alive') });

const TAGS = ['platform'];

const json = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': { schema: jsonSchemaOf(schema) } },
});

const text = (description: string) => ({
  description,
  content: { 'text/plain': { schema: { type: 'string' } } },
});

/** `/ping`, beside the operations. */
export const pingPath = {
  get: {
    operationId: 'ping',
    tags: TAGS,
    summary: 'Whether the API is there',
    responses: { 200: json('It is.', z.literal('pong')) },
  },
};

/** What the platform asks, at the root whatever path the API has. */
export function platformPaths(hasMetrics: boolean): Record<string, unknown> {
  const servers = [{ url: '/', description: 'Always at the root' }];
  const paths = {
    '/healthz': {
      servers,
      get: {
        operationId: 'healthz',
        tags: TAGS,
        summary: 'Whether the process lives',
        responses: { 200: json('It does.', alive) },
      },
    },
    '/readyz': {
      servers,
      get: {
        operationId: 'readyz',
        tags: TAGS,
        summary: 'Whether the process can work',
        responses: {
          200: json('It can.', readiness),
          503: json('It cannot; the checks say why.', readiness),
        },
      },
    },
  };
  const metrics = {
    servers,
    get: {
      operationId: 'metrics',
      tags: TAGS,
      summary: "The process's metrics, in the format of Prometheus",
      responses: { 200: text('The metrics.') },
    },
  };
  return hasMetrics ? { ...paths, '/metrics': metrics } : paths;
}
