import { randomUUID } from 'node:crypto';
import { CliError, EXIT } from './failure.ts';
import { createJsonHttp, type HttpResult } from './json-http.ts';
import { oneLine } from './one-line.ts';
import {
  asObject,
  type DisbursementPayload,
  type EnvelopePayload,
  type JsonObject,
  textIn,
} from './partner-messages.ts';
import type { Sign } from './sign-key.ts';

export type { DisbursementPayload, EnvelopePayload, JsonObject } from './partner-messages.ts';

/** Why there is no answer of the partner API. */
export type FailureCode =
  | 'SERVER_UNREACHABLE'
  | 'SERVER_TIMEOUT'
  /** The connection broke. */
  | 'SERVER_CONNECTION_LOST'
  /** HTTP 5xx, 408 or 429. */
  | 'SERVER_ERROR'
  /** Another HTTP status: the request will not do better a second time. */
  | 'REQUEST_REFUSED'
  /** What answered does not speak this API. */
  | 'NOT_THE_PARTNER_API'
  | 'NOT_THE_OPERATOR_API'
  /** The caller's signal was aborted. */
  | 'ABORTED';

/** What became of a request; a value, so that no outcome is forgotten. */
export type Answer<T> =
  | { readonly kind: 'success'; readonly payload: T }
  /** A rule refused it (`response_status` ERROR). */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly payload: unknown }
  | {
      readonly kind: 'failed';
      readonly code: FailureCode;
      readonly message: string;
      /** Whether the same request may succeed later. */
      readonly passing: boolean;
    };

export interface PartnerClientOptions {
  /** Where the API is, with the path in front of its paths if there is one. */
  readonly url: string;
  /** Goes into every request's header as `sender_app_mnemonic`. */
  readonly sender: string;
  /** Signs every request; left out or null: they are not signed. */
  readonly sign?: Sign | null;
  /** From the call to the last byte of the answer, in milliseconds. */
  readonly requestTimeoutMs?: number;
  /** To open a connection, in milliseconds. */
  readonly connectTimeoutMs?: number;
  /** Connections at once; further requests wait for one. */
  readonly connectionsMax?: number;
}

/** The partner API, one method an operation. Nothing is repeated here and nothing is thrown, see `retry.ts`. */
export interface PartnerClient {
  readonly url: string;
  /** All or none; answers the envelopes as they are stored. */
  createEnvelopes(
    envelopes: readonly EnvelopePayload[],
    signal?: AbortSignal,
  ): Promise<Answer<readonly JsonObject[]>>;
  /**
   * Sends a batch: all or none. On refusal the payload is the disbursements with their `response_error_codes`.
   *
   * @param batchId id that the batch is to have; the same id with the same disbursements has no further effect
   */
  createDisbursements(
    batchId: string,
    disbursements: readonly DisbursementPayload[],
    signal?: AbortSignal,
  ): Promise<Answer<readonly JsonObject[]>>;
  /** What has become of an envelope, with the first of its geo records at most. */
  envelopeStatus(envelopeId: string, signal?: AbortSignal): Promise<Answer<JsonObject>>;
  /** Where each stage of a batch stands, with the first of its geo records at most. */
  batchControl(batchId: string, signal?: AbortSignal): Promise<Answer<JsonObject>>;
  /** Waits for requests under way and closes the connections. */
  close(): Promise<void>;
}

/** Says where a request of this client comes from; the API has no use for a real address of a command. */
const SENDER_APP_URL = 'urn:g2p-bridge:cli';

/**
 * Creates a client. It connects when first used and keeps its connections open between requests.
 */
export function createPartnerClient(options: PartnerClientOptions): PartnerClient {
  const http = createJsonHttp(options.url, {
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    connectionsMax: options.connectionsMax ?? 8,
    sign: options.sign ?? null,
  });
  const never = new AbortController().signal;
  const call = async <T>(
    path: string,
    body: JsonObject,
    read: (payload: unknown) => T | null,
    signal = never,
  ): Promise<Answer<T>> => {
    const message = JSON.stringify({ request_header: requestHeader(options.sender), request_body: body });
    const outcome = await http.post(path, message, signal);
    return readAnswer(outcome, `${options.url}${path}`, read);
  };
  const body = (payload: unknown) => ({ pagination_request: null, request_payload: payload });
  // Geo records come in pages; whoever asks here wants the counts.
  const firstRecord = (payload: unknown) => ({
    pagination_request: { current_page: 1, page_size: 1 },
    request_payload: payload,
  });
  return {
    url: options.url,
    createEnvelopes: (envelopes, signal) =>
      call('/create_disbursement_envelopes', body(envelopes), asObjects, signal),
    createDisbursements: (batchId, disbursements, signal) =>
      call(
        '/create_disbursements',
        { ...body(disbursements), disbursement_batch_control_id: batchId },
        asObjects,
        signal,
      ),
    envelopeStatus: (id, signal) =>
      call('/get_disbursement_envelope_status', firstRecord(id), asObject, signal),
    batchControl: (id, signal) => call('/get_disbursement_batch_control', firstRecord(id), asObject, signal),
    close: () => http.close(),
  };
}

function requestHeader(sender: string): JsonObject {
  return {
    sender_app_mnemonic: sender,
    sender_app_url: SENDER_APP_URL,
    request_id: randomUUID(),
    request_timestamp: new Date().toISOString(),
    instance_id: null,
  };
}

function readAnswer<T>(outcome: HttpResult, place: string, read: (payload: unknown) => T | null): Answer<T> {
  if (outcome.kind === 'none') return noAnswer(outcome);
  const { status, json } = outcome;
  const header = asObject(asObject(json)?.response_header);
  const message = header === null ? '' : oneLine(textIn(header, 'response_error_message') ?? '');
  if (status !== 200 || header === null) return notAnAnswer(status, place, message);
  const payload = asObject(asObject(json)?.response_body)?.response_payload;
  if (header.response_status === 'ERROR') {
    const code = oneLine(textIn(header, 'response_error_code') ?? 'UNKNOWN', 100);
    return {
      kind: 'refused',
      code,
      message: oneLine(textIn(header, 'response_error_message') ?? ''),
      payload,
    };
  }
  const value = header.response_status === 'SUCCESS' ? read(payload) : null;
  return value === null ? notAnAnswer(status, place, '') : { kind: 'success', payload: value };
}

const FAILURE_CODES = {
  unreachable: 'SERVER_UNREACHABLE',
  timeout: 'SERVER_TIMEOUT',
  broken: 'SERVER_CONNECTION_LOST',
  oversized: 'NOT_THE_PARTNER_API',
  aborted: 'ABORTED',
} as const;

function noAnswer(outcome: Extract<HttpResult, { kind: 'none' }>): Answer<never> {
  const passing = outcome.reason !== 'oversized' && outcome.reason !== 'aborted';
  return { kind: 'failed', code: FAILURE_CODES[outcome.reason], message: outcome.message, passing };
}

/** @param message what the server itself says about it, empty when it says nothing */
function notAnAnswer(status: number, place: string, message: string): Answer<never> {
  const said = message === '' ? '' : ` It said: ${message}`;
  const answered = `${place} answered with HTTP status ${status}`;
  if (status >= 500 || status === 408 || status === 429) {
    return { kind: 'failed', code: 'SERVER_ERROR', message: `${answered}.${said}`, passing: true };
  }
  if (status === 413) {
    const advice = `${place} takes no request that large; use a smaller --batch-size.`;
    return { kind: 'failed', code: 'REQUEST_REFUSED', message: advice, passing: false };
  }
  if (status === 200 || status === 404) {
    const advice = `${answered}, but not as the partner API does; is the URL right?`;
    return { kind: 'failed', code: 'NOT_THE_PARTNER_API', message: advice, passing: false };
  }
  return { kind: 'failed', code: 'REQUEST_REFUSED', message: `${answered}.${said}`, passing: false };
}

function asObjects(value: unknown): readonly JsonObject[] | null {
  if (!Array.isArray(value)) return null;
  const objects = value.map(asObject);
  return objects.every((object) => object !== null) ? objects : null;
}

/** A refusal as the failure of a command. */
export function refusedError({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): CliError {
  return new CliError(code, message === '' ? 'The server refused the request.' : message, EXIT.refused);
}
