import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from './errors.ts';

const WINDOW_MS = 60_000;
/** Addresses and partners that are counted at once; those not heard of for longest are forgotten first. */
const COUNTED_MAX = 10_000;

/** How many requests are taken; each method refuses with 429 and says in `Retry-After` when to come again. */
export interface RequestLimits {
  /** Counts a request of its client's address. */
  countAddress(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Refuses a request whose client's address has had its share, without counting this one. */
  requireRoom(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a request of a partner, wherever it comes from. */
  countPartner(request: FastifyRequest, reply: FastifyReply, partner: string): Promise<void>;
}

/**
 * Counts requests in this process: each partner and each client address has a share of its own.
 *
 * @param requestsPerMinute the share; 0 takes everything
 */
export async function requestLimits(
  app: FastifyInstance,
  requestsPerMinute: number,
): Promise<RequestLimits | null> {
  if (requestsPerMinute === 0) return null;
  await app.register(rateLimit, { global: false });
  const shares = { max: requestsPerMinute, timeWindow: WINDOW_MS, cache: COUNTED_MAX };
  const partners = new WeakMap<FastifyRequest, string>();
  const ofAddress = app.createRateLimit(shares);
  const ofPartner = app.createRateLimit({
    ...shares,
    keyGenerator: (request) => partners.get(request) ?? '',
  });
  return {
    async countAddress(request, reply) {
      const share = await ofAddress(request);
      if (!share.isAllowed && share.isExceeded) throw refusal(share, reply);
    },
    async requireRoom(request, reply) {
      const share = await ofAddress(request, { increment: false });
      if (!share.isAllowed && share.remaining === 0) throw refusal(share, reply);
    },
    async countPartner(request, reply, partner) {
      partners.set(request, partner);
      const share = await ofPartner(request);
      if (!share.isAllowed && share.isExceeded) throw refusal(share, reply);
    },
  };
}

function refusal(
  { max, ttlInSeconds }: { max: number; ttlInSeconds: number },
  reply: FastifyReply,
): HttpError {
  const seconds = Math.max(1, ttlInSeconds);
  reply.header('retry-after', String(seconds));
  const sentence = `At most ${max} requests a minute are taken; the next in ${seconds} s.`;
  return new HttpError(429, 'TOO_MANY_REQUESTS', sentence);
}
