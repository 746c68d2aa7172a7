import { z } from 'zod';
import type { ResolveRequest } from './mapper-connector.ts';

/** The message envelope around every answer. */
export const sparAnswer = z.object({
  response_header: z.object({
    response_status: z.enum(['SUCCESS', 'ERROR']),
    response_error_code: z.string().nullish(),
    response_error_message: z.string().nullish(),
  }),
  response_body: z.object({ response_payload: z.unknown() }).nullish(),
});

/** Payload of a successful `/resolve`. Items are read one by one, so that a bad one spoils only itself. */
export const resolvePayload = z.object({
  transaction_id: z.string(),
  resolve_response: z.array(z.unknown()),
});

/** What an answer must have to be told whose it is. */
export const resolveItemReference = z.object({ reference_id: z.string() });

/** Text that a text column can hold: JSON can also carry NUL and halves of surrogate pairs. */
const storable = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'));

/** Names and codes of providers are kept for a whole batch; real ones have some ten characters. */
const providerText = storable.max(256);

/** The answer about one beneficiary. */
export const resolveItem = z.object({
  reference_id: z.string(),
  id: z.string(),
  fa: storable.nullish(),
  status: z.enum(['succ', 'rjct']),
  status_reason_code: z.string().nullish(),
  account_provider_info: z.object({ name: providerText.nullish(), code: providerText.nullish() }).nullish(),
});

/** See {@link resolveItem}. */
export type ResolveItem = z.infer<typeof resolveItem>;

/** What the message around a `/resolve` request needs to know. */
export interface ResolveMessage {
  readonly senderId: string;
  readonly requestId: string;
  readonly transactionId: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
}

/** A `/resolve` request with its message envelope, as SPAR takes it. */
export function toWireRequest(requests: readonly ResolveRequest[], message: ResolveMessage) {
  return {
    request_header: {
      sender_app_mnemonic: message.senderId,
      sender_app_url: '',
      request_id: message.requestId,
      request_timestamp: message.timestamp,
      instance_id: null,
    },
    request_body: {
      pagination_request: null,
      request_payload: {
        transaction_id: message.transactionId,
        resolve_request: requests.map((request) => ({
          reference_id: request.referenceId,
          timestamp: message.timestamp,
          id: request.beneficiaryId,
          fa: '',
          scope: 'details',
          locale: 'en',
        })),
      },
    },
  };
}
