import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { HttpError } from '../errors.ts';
import type { PartnerContext } from '../options.ts';
import { type Answer, failure, type Message, Refusal, readMessage, requestIdOf, success } from './message.ts';

/** An operation of the partner API: what it takes and what it does. */
export interface Operation<M extends Message> {
  readonly path: string;
  readonly schema: z.ZodType<M>;
  /**
   * Does what is asked.
   *
   * @throws Refusal when a rule of the wire says no; nothing has been written then
   */
  perform(context: PartnerContext, body: M['request_body']): Promise<Answer>;
}

/** Adds an operation to the API: POST of a message envelope, answered with one, HTTP 200 also when refused. */
export function addOperation<M extends Message>(
  app: FastifyInstance,
  context: PartnerContext,
  operation: Operation<M>,
): void {
  app.post(operation.path, async (request, reply) => {
    if (request.body === undefined) throw new HttpError(400, 'REQUEST_NOT_JSON', 'The request has no body.');
    const receivedAtMs = performance.now();
    const requestId = requestIdOf(request.body);
    const message = await settle(async () => {
      const { request_body } = readMessage(operation.schema, request.body);
      return operation.perform(context, request_body);
    });
    const code = message instanceof Refusal ? message.code : null;
    const tookMs = Math.round(performance.now() - receivedAtMs);
    request.log.info(
      { path: operation.path, request_id: requestId, code, took_ms: tookMs },
      'Request answered',
    );
    return reply.send(answerTo(requestId, context, message));
  });
}

/** Makes a refusal a value; other errors are faults of ours and go on. */
export async function settle(work: () => Promise<Answer>): Promise<Answer | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** The message envelope of an answer or refusal. */
export function answerTo(requestId: string, { clock }: PartnerContext, settled: Answer | Refusal) {
  if (!(settled instanceof Refusal)) return success(requestId, clock.now(), settled);
  return failure(requestId, clock.now(), settled.code, settled.message, settled.answer);
}
