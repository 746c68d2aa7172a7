import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createJsonHttp } from '../../src/cli/json-http.ts';
import { asObject, type JsonObject, textIn } from '../../src/cli/partner-messages.ts';

/** What the API decided about a request. */
export interface Decision {
  readonly accepted: boolean;
  /** Code and sentence of a refusal. */
  readonly code: string | null;
  readonly message: string;
  readonly payload: unknown;
  /** Whether the same request was made before without an answer, so that it may be under way still. */
  readonly unansweredBefore: boolean;
}

/** A partner who asks until he is answered: a request that comes again is the same to the letter, its id included. */
export interface Partner {
  /**
   * Makes one request, as often as it takes.
   *
   * @throws Error when nobody answers for ten minutes, or the answer is not one of this API
   */
  decide(path: string, body: JsonObject): Promise<Decision>;
  /** Asks once, where no answer does no harm; null: there was none. */
  ask(path: string, body: JsonObject): Promise<JsonObject | null>;
  close(): Promise<void>;
}

const GIVE_UP_AFTER_MS = 600_000;
const REQUEST_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;
const PAUSE = { firstMs: 50, mostMs: 1_000 };
/** What says nothing about the request itself, so that it is made again. */
const PASSING = new Set([408, 429]);

/** @param onTrouble told why a request is made again, and how often that has been so */
export function createPartner(
  url: string,
  connectionsMax: number,
  onTrouble: (path: string, why: string, times: number) => void,
): Partner {
  const http = createJsonHttp(url, {
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    connectionsMax,
    sign: null,
  });
  const never = new AbortController().signal;

  async function decide(path: string, body: JsonObject): Promise<Decision> {
    const message = messageOf(body);
    const deadline = performance.now() + GIVE_UP_AFTER_MS;
    let unansweredBefore = false;
    for (let times = 1; ; times += 1) {
      const answer = await http.post(path, message, never);
      if (answer.kind === 'answer' && !isPassing(answer.status)) {
        return { ...readDecision(path, answer.status, answer.json), unansweredBefore };
      }
      unansweredBefore ||= answer.kind === 'answer' || answer.reason !== 'unreachable';
      const why = answer.kind === 'answer' ? `HTTP status ${answer.status}` : answer.message;
      if (performance.now() > deadline) throw new Error(`${path} was not answered for long: ${why}`);
      onTrouble(path, why, times);
      await delay(Math.min(PAUSE.mostMs, PAUSE.firstMs * 2 ** Math.min(times, 10)));
    }
  }

  return {
    decide,
    async ask(path, body) {
      const answer = await http.post(path, messageOf(body), never);
      return answer.kind === 'answer' && answer.status === 200 ? asObject(answer.json) : null;
    },
    close: () => http.close(),
  };
}

const isPassing = (status: number): boolean => status >= 500 || PASSING.has(status);

const messageOf = (body: JsonObject): string =>
  JSON.stringify({
    request_header: {
      sender_app_mnemonic: 'CHAOS',
      sender_app_url: 'urn:g2p-bridge:chaos',
      request_id: randomUUID(),
      request_timestamp: new Date().toISOString(),
      instance_id: null,
    },
    request_body: { pagination_request: null, ...body },
  });

function readDecision(path: string, status: number, json: unknown): Omit<Decision, 'unansweredBefore'> {
  const answer = asObject(json);
  const header = asObject(answer?.response_header);
  if (status !== 200 || header === null) {
    throw new Error(`${path} was answered with HTTP status ${status} and not as the partner API does.`);
  }
  const payload = asObject(answer?.response_body)?.response_payload;
  const accepted = header.response_status === 'SUCCESS';
  return {
    accepted,
    code: accepted ? null : (textIn(header, 'response_error_code') ?? 'UNKNOWN'),
    message: textIn(header, 'response_error_message') ?? '',
    payload,
  };
}
