import type { FastifyInstance } from 'fastify';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { failure } from '../shared/server.ts';
import { check } from '../shared/validation.ts';
import { type KeyUse, makeKey, publishedKeys } from './keys.ts';

const rotateSchema = z.strictObject({
  application_id: z.string().min(1).max(256).optional(),
  reference_id: z.string().max(256).default(''),
  alg: z.enum(['RS256', 'ES256']).default('RS256'),
  keep: z.boolean().default(false),
});

/**
 * Adds the paths that change keys and reset.
 *
 * @param usual whose key is meant when none is named
 * @param onReset called when everything was removed; has to make the usual key anew
 */
export function mountAdmin(
  app: FastifyInstance,
  sql: Sql,
  usual: string,
  onReset: () => Promise<void>,
): void {
  app.post('/_admin/rotate', async (request, reply) => {
    const checked = check(rotateSchema, request.body ?? {});
    if ('problem' in checked) return reply.code(400).send(failure(checked.problem));
    const { application_id: applicationId = usual, reference_id: referenceId, alg, keep } = checked.value;
    const use: KeyUse = { applicationId, referenceId };
    await makeKey(sql, use, alg, keep);
    return publishedKeys(sql);
  });
  app.post('/_admin/reset', async () => {
    await sql`truncate signing_keys`;
    await onReset();
    return { status: 'success' };
  });
}
