import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { failure } from '../shared/server.ts';
import { check } from '../shared/validation.ts';
import type { Identity } from './identity.ts';
import { algorithms } from './keys.ts';
import { usualClaims } from './routes.ts';

const secondsMax = 31_536_000;

const mintSchema = z.strictObject({
  claims: z.record(z.string(), z.unknown()).default({}),
  expires_in: z.int().min(-secondsMax).max(secondsMax).optional(),
  kid: z.string().max(1_000).nullable().optional(),
  alg: z.enum(algorithms).default('RS256'),
  key: z.enum(['current', 'unknown']).default('current'),
});

const rotateSchema = z.strictObject({ keep: z.boolean().default(false) });

/**
 * Adds the paths that mint any token, change the keys and reset.
 *
 * @param onReset called to forget faults and counts; the keys stay
 */
export function mountAdmin(app: FastifyInstance, identity: Identity, onReset: () => void): void {
  app.post('/_admin/tokens', async (request, reply) => {
    const checked = check(mintSchema, request.body ?? {});
    if ('problem' in checked) return reply.code(400).send(failure(checked.problem));
    const { claims, expires_in: expiresIn, ...signing } = checked.value;
    const all = { ...usualClaims(identity, expiresIn ?? identity.tokenSeconds), ...claims };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    return { token: await identity.keys.sign(given, signing) };
  });
  app.post('/_admin/rotate', async (request, reply) => {
    const checked = check(rotateSchema, request.body ?? {});
    if ('problem' in checked) return reply.code(400).send(failure(checked.problem));
    await identity.keys.rotate(checked.value.keep);
    return identity.keys.jwks();
  });
  app.post('/_admin/reset', async () => {
    onReset();
    return { status: 'success' };
  });
}
