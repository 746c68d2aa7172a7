import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultSchema } from './faults.ts';
import type { Machinery } from './routes.ts';
import { failure } from './server.ts';
import { check } from './validation.ts';

const faultsMax = 100;
const seedMax = 2 ** 31;

/** A setting of one simulator that `/_control` takes besides faults. */
export interface ExtraControl<T> {
  name: string;
  schema: z.ZodType<T>;
  /** Takes the setting into force, with random numbers made from the seed. */
  apply: (value: T, seed: number) => void;
  report: () => unknown;
}

/**
 * Adds `POST /_control` (replaces what it names, leaves the rest), `GET /_control` (what is in force and how
 * often it struck) and `GET /_admin/stats`.. A fault for a path that no route has is refused, since it would never strike.
 */
export function mountControl<T = never>(
  app: FastifyInstance,
  machinery: Machinery,
  extra?: ExtraControl<T>,
): void {
  const { faults, counts, paths } = machinery;
  const knownPath = z.string().refine((path) => path === '*' || paths.has(path), {
    error: () => `must be * or one of ${[...paths].join(', ')}`,
  });
  const schema = z.strictObject({
    faults: z
      .array(faultSchema.extend({ path: knownPath }))
      .max(faultsMax)
      .optional(),
    seed: z.int().min(0).max(seedMax).optional(),
    ...(extra && { [extra.name]: extra.schema.optional() }),
  });
  const report = () => ({
    faults: faults.report(),
    seed: faults.seed,
    ...(extra && { [extra.name]: extra.report() }),
  });

  app.get('/_control', async () => report());
  app.post('/_control', async (request, reply) => {
    const checked = check(schema, request.body);
    if ('problem' in checked) return reply.code(400).send(failure(checked.problem));
    const { faults: specs, seed, ...rest } = checked.value;
    if (specs !== undefined || seed !== undefined) faults.replace(specs ?? faults.specs, seed);
    for (const value of Object.values(rest)) {
      if (value !== undefined) extra?.apply(value as T, faults.seed);
    }
    return report();
  });
  app.get('/_admin/stats', async () => ({ requests: counts.report(), faults: faults.report() }));
}
