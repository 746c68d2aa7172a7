import { z } from 'zod';
import type { Answer } from '../shared/routes.ts';
import { check } from '../shared/validation.ts';

const headerSchema = z.strictObject({
  sender_app_mnemonic: z.string().min(1).max(256),
  sender_app_url: z.string().max(2_048).nullish(),
  request_id: z.string().min(1).max(256),
  request_timestamp: z.string().min(1).max(64),
  instance_id: z.string().max(256).nullish(),
});

/** A request's payload with the id that its answer repeats. */
export interface Enveloped<T> {
  requestId: string;
  payload: T;
}

/** The schema of an envelope around a payload. */
export function envelopeOf<T>(payload: z.ZodType<T>) {
  return z
    .strictObject({
      request_header: headerSchema,
      request_body: z.strictObject({ pagination_request: z.null().optional(), request_payload: payload }),
    })
    .transform(
      (envelope): Enveloped<T> => ({
        requestId: envelope.request_header.request_id,
        payload: envelope.request_body.request_payload,
      }),
    );
}

/**
 * Takes a request out of its envelope. What breaks the schema is answered with an ERROR envelope that
 * repeats the request id when it can be read.
 *
 * @param schema made by `envelopeOf`
 */
export function openEnvelope<T>(
  schema: z.ZodType<Enveloped<T>>,
  body: unknown,
): { value: Enveloped<T> } | { answer: Answer } {
  const checked = check(schema, body);
  if ('value' in checked) return checked;
  const error = { code: 'REQUEST_VALIDATION_ERROR', message: checked.problem };
  return { answer: toAnswer(readableRequestId(body), null, error) };
}

/** The answer to a request that is refused as a whole, for reasons that a message has. */
export function refused(requestId: string, error: { code: string | null; message: string | null }): Answer {
  return toAnswer(requestId, null, error);
}

/** The answer to a request that reached the business rules. */
export function success(requestId: string, payload: object): Answer {
  return toAnswer(requestId, payload, null);
}

function toAnswer(
  requestId: string,
  payload: object | null,
  error: { code: string | null; message: string | null } | null,
): Answer {
  return {
    status: 200,
    body: {
      response_header: {
        request_id: requestId,
        response_status: error === null ? 'SUCCESS' : 'ERROR',
        response_error_code: error?.code ?? null,
        response_error_message: error?.message ?? null,
        response_timestamp: new Date().toISOString(),
      },
      response_body: { pagination_response: null, response_payload: payload },
    },
  };
}

/** The id of a request, for its answer; empty when it cannot be read. */
export function readableRequestId(body: unknown): string {
  const readable = z
    .object({ request_header: z.object({ request_id: z.string().max(256) }) })
    .safeParse(body);
  return readable.success ? readable.data.request_header.request_id : '';
}
