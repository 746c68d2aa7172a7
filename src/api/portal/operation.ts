import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Database } from '../../db/connection.ts';
import type { Clock } from '../../runtime/clock.ts';
import { HttpError } from '../errors.ts';
import { TokenError } from '../oidc/bearer.ts';
import { ProviderUnavailableError } from '../oidc/provider-keys.ts';
import { identifier, record } from '../partner/fields.ts';
import {
  type Answer,
  failure,
  messageOf,
  Refusal,
  readMessage,
  requestIdOf,
  success,
} from '../partner/message.ts';
import { type OperationDescription, settle } from '../partner/operation.ts';
import type { Authentication } from './token.ts';

/** A request of the portal is a header and a page. */
const BODY_BYTES_MAX = 65_536;

/** What a token opens, as a challenge for one says. */
const REALM = 'beneficiary portal';

/** What every request of the portal looks like. */
export const portalMessage = messageOf({
  request_payload: record({
    beneficiary_id: identifier
      .nullish()
      .describe('Whose disbursements; may be left out, since it must be the one that the token names.'),
  }).nullish(),
});

export type PortalMessage = z.infer<typeof portalMessage>;

/** What a refusal carries, as in the Python system: an empty list. */
export const portalRefusal = z.array(z.never());

/** Answered to who asks for somebody else's data. */
export const BENEFICIARY_ID_MISMATCH = 'BENEFICIARY_ID_MISMATCH';

/** What the operations of the portal work with. */
export interface PortalContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly authentication: Authentication;
}

/** An operation of the beneficiary portal API: what it takes and answers, and what it does. */
export interface PortalOperation<P = unknown> extends OperationDescription {
  readonly schema: z.ZodType<PortalMessage>;
  readonly answer: z.ZodType<P>;
  /**
   * Reads what is the beneficiary's.
   *
   * @param beneficiaryId who asks, as the token says
   * @throws Refusal when a rule of the wire says no
   */
  perform(
    context: PortalContext,
    beneficiaryId: string,
    body: PortalMessage['request_body'],
  ): Promise<Answer<P>>;
}

/**
 * Adds an operation to the API: POST of a message envelope with a bearer token. Answered with an envelope, HTTP 200
 * also when refused; 401 without a good token, 503 when the provider's keys cannot be had.
 */
export function addPortalOperation(
  app: FastifyInstance,
  context: PortalContext,
  operation: PortalOperation,
): void {
  app.post(operation.path, { bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const receivedAtMs = performance.now();
    const settled = await settle(() => answerTo(context, operation, request, reply));
    const code = settled instanceof Refusal ? settled.code : null;
    const requestId = requestIdOf(request.body);
    const tookMs = Math.round(performance.now() - receivedAtMs);
    request.log.info(
      { path: operation.path, request_id: requestId, code, took_ms: tookMs },
      'Request answered',
    );
    const now = context.clock.now();
    // What one person may see must not be kept for another.
    reply.header('cache-control', 'no-store');
    if (!(settled instanceof Refusal)) return reply.send(success(requestId, now, settled));
    return reply.send(failure(requestId, now, settled.code, settled.message, { payload: [] }));
  });
}

async function answerTo(
  { authentication, ...context }: PortalContext,
  operation: PortalOperation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Answer> {
  const beneficiaryId = await authentication(request.headers.authorization).catch((error: unknown) => {
    throw refusalOf(error, reply);
  });
  if (request.body === undefined) throw new HttpError(400, 'REQUEST_NOT_JSON', 'The request has no body.');
  const { request_body: body } = readMessage(operation.schema, request.body);
  const named = body.request_payload?.beneficiary_id ?? beneficiaryId;
  if (named !== beneficiaryId) {
    throw new Refusal(
      'BENEFICIARY_ID_MISMATCH',
      'The request names another beneficiary than the token does.',
    );
  }
  return operation.perform({ authentication, ...context }, beneficiaryId, body);
}

/** Gives the answer its status, and the error the shape of a refusal. */
function refusalOf(error: unknown, reply: FastifyReply): unknown {
  if (error instanceof TokenError) {
    reply.code(401).header('www-authenticate', error.challengeOf(REALM));
    return new Refusal(error.code, error.message);
  }
  if (error instanceof ProviderUnavailableError) {
    reply.code(503);
    return new Refusal(error.code, error.message);
  }
  return error;
}
