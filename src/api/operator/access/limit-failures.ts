import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { ProblemError } from '../problem.ts';

const WINDOW_MS = 60_000;
/** A person who mistypes, or a few whose tokens have just expired, do not come near. */
const FAILURES_MAX = 60;
/** Addresses that are counted at once; those not heard of for longest are forgotten first. */
const COUNTED_MAX = 10_000;

/** Not signing in at all is no attempt. */
const NO_ATTEMPT = 'TOKEN_MISSING';

/**
 * Makes an access that does not listen to addresses from which too many attempts to sign in have failed within a minute.
 * Each process counts for itself.
 */
export async function limitFailures(app: FastifyInstance, access: Access): Promise<Access> {
  await app.register(rateLimit, { global: false });
  const shares = { max: FAILURES_MAX, timeWindow: WINDOW_MS, cache: COUNTED_MAX };
  const failuresOf = app.createRateLimit(shares);
  const limited =
    <T>(find: (request: FastifyRequest) => Promise<T>) =>
    async (request: FastifyRequest): Promise<T> => {
      const share = await failuresOf(request, { increment: false });
      if (!share.isAllowed && share.remaining === 0) throw refusal(share.ttlInSeconds);
      try {
        return await find(request);
      } catch (error) {
        if (isFailedAttempt(error)) await failuresOf(request);
        throw error;
      }
    };
  return {
    description: access.description,
    connectOrigins: access.connectOrigins,
    operatorOf: limited((request) => access.operatorOf(request)),
    operatorOfSocket: limited((request) => access.operatorOfSocket(request)),
    ticketFor: (operator) => access.ticketFor(operator),
    ...(access.stillMay && { stillMay: access.stillMay }),
    ...(access.socketLivesMs !== undefined && { socketLivesMs: access.socketLivesMs }),
  };
}

const isFailedAttempt = (error: unknown): boolean =>
  error instanceof ProblemError && error.status === 401 && error.code !== NO_ATTEMPT;

function refusal(ttlSeconds: number): ProblemError {
  const seconds = Math.max(1, ttlSeconds);
  const sentence = `Too many attempts to sign in have failed at this address; the next is taken in ${seconds} s.`;
  return new ProblemError(429, 'TOO_MANY_ATTEMPTS', sentence, { 'retry-after': String(seconds) });
}
