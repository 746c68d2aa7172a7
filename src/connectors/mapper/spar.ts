import { randomUUID } from 'node:crypto';
import type { CallContext } from '../call-context.ts';
import { ConnectorError } from '../connector-error.ts';
import { oneLine } from '../foreign-text.ts';
import { createHttpClient, type HttpClient, type HttpFailureReason } from '../http.ts';
import type {
  MapperConnector,
  MapperConnectorSettings,
  ResolveAnswer,
  ResolveRequest,
} from './mapper-connector.ts';
import { matchAnswers } from './match-answers.ts';
import { resolvePayload, sparAnswer, toWireRequest } from './spar-wire.ts';

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
  const body = JSON.stringify(
    toWireRequest(requests, {
      senderId: settings.senderId,
      requestId: randomUUID(),
      transactionId,
      timestamp: (settings.now?.() ?? new Date()).toISOString(),
    }),
  );
  const payload = await call(client, body, await headersFor(settings, body, ctx), ctx);
  const answer = resolvePayload.safeParse(payload);
  if (!answer.success) throw badAnswer('its payload is not that of a resolve response');
  if (answer.data.transaction_id !== transactionId) throw badAnswer('it belongs to another transaction');
  return matchAnswers(requests, answer.data.resolve_response);
}

async function headersFor(
  settings: MapperConnectorSettings,
  body: string,
  ctx: CallContext,
): Promise<Readonly<Record<string, string>>> {
  const headers: Record<string, string> = {};
  if (settings.signer !== undefined) headers.signature = await settings.signer.sign(body, ctx);
  if (settings.authorizer !== undefined) {
    headers.authorization = `Bearer ${await settings.authorizer.bearerToken(ctx)}`;
  }
  return headers;
}

/** Posts the message and opens the envelope of the answer. */
async function call(
  client: HttpClient,
  body: string,
  headers: Readonly<Record<string, string>>,
  ctx: CallContext,
): Promise<unknown> {
  const outcome = await client.postJson('/resolve', body, headers, ctx.signal);
  if (outcome.kind === 'failure') {
    throw new ConnectorError(
      CODE_OF_FAILURE[outcome.reason],
      `The mapper gave no answer. ${outcome.message}`,
    );
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
