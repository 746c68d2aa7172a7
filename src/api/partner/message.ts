import { z } from 'zod';
import { instant, tally } from './answer-fields.ts';
import { fieldName, filledIdentifier, firstIssue, line, moment, record } from './fields.ts';

/**
 * The message envelope that every partner request and answer is wrapped in, as the wire's other systems define it:
 * a header with who asks and the request's id, and a body with the payload.
 */

/** Pages asked for at most, and records on one page: enough for whoever does not ask for pages. */
export const PAGE_SIZE_MAX = 10_000;
const PAGES_MAX = 1_000_000;

export const pagination = record({
  current_page: z
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be at least 1' })
    .max(PAGES_MAX, {
      error: `must be at most ${PAGES_MAX}`,
    }),
  page_size: z
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be at least 1' })
    .max(PAGE_SIZE_MAX, {
      error: `must be at most ${PAGE_SIZE_MAX}`,
    }),
});

/** Which page of a long answer is wanted. */
export type Pagination = z.infer<typeof pagination>;

export const requestHeader = record({
  sender_app_mnemonic: line(255),
  sender_app_url: line(2_000),
  request_id: filledIdentifier,
  request_timestamp: moment,
  instance_id: line(255).nullish(),
});

/**
 * The schema of a request with the given members in its body.
 *
 * @param body `request_payload`, and what else the operation takes
 */
export const messageOf = <S extends z.ZodRawShape>(body: S) =>
  record({
    request_header: requestHeader,
    request_body: record({ pagination_request: pagination.nullish(), ...body }),
  });

/** What a request says once it has passed its schema; operations add to the body. */
export interface Message {
  readonly request_header: z.infer<typeof requestHeader>;
  readonly request_body: { readonly pagination_request?: Pagination | null | undefined };
}

/** How much there is in all, where an answer is one page of it. */
const paginationResponse = z.object({ number_of_items: tally, number_of_pages: tally });

/** What an operation answers; members besides the payload go into the response's body. */
export interface Answer<P = unknown> {
  readonly payload: P;
  readonly pagination?: z.infer<typeof paginationResponse> | null;
  readonly body?: Readonly<Record<string, unknown>>;
}

/**
 * The schema of an answer.
 *
 * @param payload `response_payload`
 * @param body what else is in the response's body
 */
export const successOf = (payload: z.ZodType, body: z.ZodRawShape = {}) =>
  z.object({
    response_header: z.object({
      request_id: z.string(),
      response_status: z.literal('SUCCESS'),
      response_error_code: z.null(),
      response_error_message: z.null(),
      response_timestamp: instant,
    }),
    response_body: z.object({
      pagination_response: paginationResponse.nullable(),
      ...body,
      response_payload: payload,
    }),
  });

/**
 * The schema of an answer that says no.
 *
 * @param codes that it can have
 * @param payload `response_payload`, which tells of a list what is wrong with each item; empty or null where nothing does
 */
export const failureOf = (codes: readonly string[], payload: z.ZodType = z.null()) =>
  z.object({
    response_header: z.object({
      request_id: z.string().describe('Empty where the request has none that can be read.'),
      response_status: z.literal('ERROR'),
      response_error_code: z.enum(codes),
      response_error_message: z.string(),
      response_timestamp: instant,
    }),
    response_body: z.object({ pagination_response: z.null(), response_payload: payload }),
  });

/** A "no" by the rules of the wire: the answer is an ERROR with this code, and nothing has been written. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** Code on the wire, such as `INVALID_BENEFICIARY_ID`. */
  readonly code: string;
  readonly answer: Answer;

  /**
   * @param message a sentence for people that names the record
   * @param answer what the ERROR carries besides its code; nothing by default
   */
  constructor(code: string, message: string, answer: Answer = { payload: null }) {
    super(message);
    this.code = code;
    this.answer = answer;
  }
}

/** The code of a body that is JSON and breaks the schema. */
export const REQUEST_VALIDATION_ERROR = 'REQUEST_VALIDATION_ERROR';

/**
 * Checks a body against the schema of its operation.
 *
 * @throws Refusal REQUEST_VALIDATION_ERROR naming the first field that breaks a rule, and the rule
 */
export function readMessage<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message } = firstIssue(parsed.error);
  throw new Refusal(REQUEST_VALIDATION_ERROR, `${fieldName(path)}: ${message}.`);
}

/** The request's id where it can be read, else empty: answers always have one. */
export function requestIdOf(body: unknown): string {
  const parsed = z.object({ request_header: z.object({ request_id: filledIdentifier }) }).safeParse(body);
  return parsed.success ? parsed.data.request_header.request_id : '';
}

/** An answer of the operation. */
export const success = (requestId: string, at: Date, answer: Answer) =>
  response(requestId, at, 'SUCCESS', null, null, answer);

/** An answer that says no. */
export const failure = (
  requestId: string,
  at: Date,
  code: string,
  message: string,
  answer: Answer = { payload: null },
) => response(requestId, at, 'ERROR', code, message, answer);

function response(
  requestId: string,
  at: Date,
  status: 'SUCCESS' | 'ERROR',
  code: string | null,
  message: string | null,
  answer: Answer,
) {
  return {
    response_header: {
      request_id: requestId,
      response_status: status,
      response_error_code: code,
      response_error_message: message,
      response_timestamp: at.toISOString(),
    },
    response_body: {
      pagination_response: answer.pagination ?? null,
      ...answer.body,
      response_payload: answer.payload,
    },
  };
}
