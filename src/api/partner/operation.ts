import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HttpError } from '../errors.ts';
import type { PartnerContext } from '../options.ts';
import { admit, beforeBody } from './admission.ts';
import { type Answer, failure, type Message, Refusal, readMessage, requestIdOf, success } from './message.ts';
import { answerOnce, NOTHING_REMEMBERED, type Remembering, requestKey } from './replays.ts';
import { requireSamePath } from './signed-path.ts';

/** What an operation takes and answers; its published description is made of it. */
export interface OperationDescription {
  readonly path: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Of the request. */
  readonly schema: z.ZodType;
  /** Of `response_payload` on SUCCESS. */
  readonly answer: z.ZodType;
  /** Further members of the body on SUCCESS. */
  readonly answerBody?: z.ZodRawShape;
  /** Of `response_payload` on ERROR; left out: null, or of an operation that answers a list an empty one. */
  readonly refusal?: z.ZodType;
  /** The refusals it can give by rules of its own; those of every operation go without saying. */
  readonly codes: readonly string[];
}

/** An operation of the partner API: what it takes, answers and does. */
export interface Operation<M extends Message, P = unknown> extends OperationDescription {
  readonly schema: z.ZodType<M>;
  readonly answer: z.ZodType<P>;
  /**
   * Does what is asked.
   *
   * @param remembering only for an operation with `answersOnce`
   * @returns a Refusal when only part of it could be done
   * @throws Refusal when a rule of the wire says no; nothing has been written then
   */
  perform(
    context: PartnerContext,
    body: M['request_body'],
    remembering: Remembering,
  ): Promise<Answer<P> | Refusal>;
  /** Changes something, unlike an operation that only tells. */
  readonly changes?: true;
  /** Remembers its answers, since doing the same again would not come to the same answer. */
  readonly answersOnce?: true;
}

/** Adds an operation to the API: POST of a message envelope, answered with one, HTTP 200 also when refused. */
export function addOperation<M extends Message>(
  app: FastifyInstance,
  context: PartnerContext,
  operation: Operation<M>,
): void {
  app.post(operation.path, { onRequest: beforeBody(context) }, async (request, reply) => {
    if (request.body === undefined) throw new HttpError(400, 'REQUEST_NOT_JSON', 'The request has no body.');
    const receivedAtMs = performance.now();
    const requestId = requestIdOf(request.body);
    const message = await settle(async () => {
      const signed = await admit(context, request, reply);
      const asked = readMessage(operation.schema, request.body);
      if (signed !== null && operation.changes) await requireSamePath(context, signed, operation.path);
      const perform = (remembering: Remembering) =>
        operation.perform(context, asked.request_body, remembering);
      if (!operation.answersOnce) return perform(NOTHING_REMEMBERED);
      return answerOnce(context, requestKey(operation.path, asked), perform);
    });
    const code = message instanceof Refusal ? message.code : null;
    const tookMs = Math.round(performance.now() - receivedAtMs);
    request.log.info(
      { path: operation.path, request_id: requestId, code, took_ms: tookMs },
      'Request answered',
    );
    return reply.send(answerTo(requestId, context, message, nothingOf(operation)));
  });
}

/** Makes a refusal a value; other errors are faults of ours and go on. */
export async function settle<T>(work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** What an ERROR has for a payload that says nothing of single items: of an operation that answers a list, an empty one. */
const nothingOf = ({ answer }: OperationDescription): [] | null => (answer instanceof z.ZodArray ? [] : null);

/** The schema of `response_payload` on ERROR. */
export const refusalSchema = (operation: Pick<OperationDescription, 'answer' | 'refusal'>): z.ZodType =>
  operation.refusal ?? (operation.answer instanceof z.ZodArray ? z.array(z.never()) : z.null());

/**
 * The message envelope of an answer or refusal.
 *
 * @param nothing the payload of a refusal that has none of its own
 */
export function answerTo(
  requestId: string,
  { clock }: PartnerContext,
  settled: Answer | Refusal,
  nothing: [] | null = null,
) {
  if (!(settled instanceof Refusal)) return success(requestId, clock.now(), settled);
  const answer = { ...settled.answer, payload: settled.answer.payload ?? nothing };
  return failure(requestId, clock.now(), settled.code, settled.message, answer);
}
