import type { FastifyRequest } from 'fastify';
import type { Answer } from '../shared/routes.ts';
import { failure } from '../shared/server.ts';
import { signatureProblem, type TrustOptions, tokenProblem } from '../shared/trust.ts';
import { readableRequestId, refused } from './envelope.ts';

/**
 * The check that keeps out who is not trusted: 401 without a valid token, an ERROR header without a valid signature.
 *
 * @returns a function that gives the refusal of a request, or null
 */
export function untrusted(options: TrustOptions): (request: FastifyRequest) => Promise<Answer | null> {
  return async (request) => {
    const token = await tokenProblem(request, options);
    if (token !== null) return { status: 401, body: failure(token) };
    const message = await signatureProblem(request, options);
    if (message === null) return null;
    return refused(readableRequestId(request.body), { code: 'rjct.jwt.invalid', message });
  };
}
