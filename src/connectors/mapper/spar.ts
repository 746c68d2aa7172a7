import { randomUUID } from 'node:crypto';
import type { CallContext } from '../call-context.ts';
import { ConnectorError } from '../connector-error.ts';
import { oneLine } from '../foreign-text.ts';
import { createHttpClient, type HttpClient, type HttpFailureReason, type HttpOutcome } from '../http.ts';
import { canonicalJson } from './canonical-json.ts';
import type {
  MapperConnector,
  MapperConnectorSettings,
  ResolveAnswer,
  ResolveRequest,
} from './mapper-connector.ts';
import { matchAnswers } from './match-answers.ts';
import { resolvePayload, sparAnswer, toWireRequest } from './spar-wire.ts';
import { sendAuthorized } from './trust/authorized.ts';

/**
 * The connector to SPAR, the ID mapper of OpenG2P.
 *
 * @throws TypeError when `settings.apiUrl` is not a URL
 */
export function createMapperConnector(settings: MapperConnectorSettings): MapperConnector {
  const client = createHttpClient(settings.apiUrl, settings);
  return {
    resolve: (requests, ctx) => resolve(client, settings, requests, ctx),
    close: () => client.close(),
  };
}

async function resolve(
  client: HttpClient,
  settings: MapperConnectorSettings,
  requests: readonly ResolveRequest[],
  ctx: CallContext,
): Promise<readonly ResolveAnswer[]> {
  requireUniqueReferences(requests);
  if (requests.length === 0) return [];
  const transactionId = randomUUID();
  // What is signed is what is sent, byte for byte, so that nothing between the two can differ.
  const body = canonicalJson(
    toWireRequest(requests, {
      senderId: settings.senderId,
      requestId: randomUUID(),
      transactionId,
      timestamp: (settings.now?.() ?? new Date()).toISOString(),
    }),
  );
  const payload = openEnvelope(await send(client, settings, body, ctx));
  const answer = resolvePayload.safeParse(payload);
  if (!answer.success) throw badAnswer('its payload is not that of a resolve response');
  if (answer.data.transaction_id !== transactionId) throw badAnswer('it belongs to another transaction');
  return matchAnswers(requests, answer.data.resolve_response);
}

/** Posts the message, signed and with a token where that is wanted. */
async function send(
  client: HttpClient,
  { signer, authorizer }: MapperConnectorSettings,
  body: string,
  ctx: CallContext,
): Promise<HttpOutcome> {
  const signature: Record<string, string> = {};
  if (signer !== undefined) signature.signature = await signer.sign(body, ctx);
  return sendAuthorized(authorizer, ctx, (token) => {
    if (token === null) return client.postJson('/resolve', body, signature, ctx.signal);
    const headers = { ...signature, authorization: `Bearer ${token}` };
    return client.postJson('/resolve', body, headers, ctx.signal);
  });
}

/** The payload of the answer. */
function openEnvelope(outcome: HttpOutcome): unknown {
  if (outcome.kind === 'failure') {
    throw new ConnectorError(
      CODE_OF_FAILURE[outcome.reason],
      `The mapper gave no answer. ${outcome.message}`,
    );
  }
  if (outcome.status === 401 || outcome.status === 403) {
    const message = `The mapper does not let us in (HTTP ${outcome.status}).`;
    throw new ConnectorError('MAPPER_UNAUTHORIZED', message);
  }
  if (REFUSALS.includes(outcome.status)) {
    const message = `The mapper does not take the request (HTTP ${outcome.status}).`;
    throw new ConnectorError('MAPPER_REFUSED', message);
  }
  if (outcome.status !== 200) {
    throw new ConnectorError('MAPPER_ERROR', `The mapper answered HTTP ${outcome.status}.`);
  }
  const answer = sparAnswer.safeParse(outcome.json);
  if (!answer.success) throw badAnswer('it is not a message of the agreed form');
  const header = answer.data.response_header;
  if (header.response_status === 'ERROR') {
    const reason = oneLine(header.response_error_message);
    throw new ConnectorError(refusalCode(header.response_error_code), `The mapper refused: ${reason}.`);
  }
  return answer.data.response_body?.response_payload;
}

/** What says that this request is wrong, or too large, and not that the mapper is out of order. */
const REFUSALS: readonly number[] = [400, 413, 422];

const CODE_OF_FAILURE = {
  unreachable: 'MAPPER_UNREACHABLE',
  timeout: 'MAPPER_TIMEOUT',
  aborted: 'MAPPER_CALL_ABORTED',
  broken: 'MAPPER_CONNECTION_LOST',
  oversized: 'MAPPER_BAD_ANSWER',
} as const satisfies Record<HttpFailureReason, string>;

/** The mapper's own code where it is fit to be one. */
function refusalCode(code: string | null | undefined): string {
  return code != null && /^[\w.:-]{1,100}$/.test(code) ? code : 'MAPPER_REFUSED';
}

function badAnswer(problem: string): ConnectorError {
  return new ConnectorError('MAPPER_BAD_ANSWER', `The mapper's answer cannot be used: ${problem}.`);
}

/** @throws ConnectorError when answers could not be told apart */
function requireUniqueReferences(requests: readonly ResolveRequest[]): void {
  const references = new Set(requests.map((request) => request.referenceId));
  if (references.size === requests.length) return;
  throw new ConnectorError(
    'MAPPER_BAD_REQUEST',
    'Two requests to the mapper carry the same reference.',
    false,
  );
}
