import { z } from 'zod';
import type { CallContext } from '../../call-context.ts';
import { ConnectorError } from '../../connector-error.ts';
import { oneLine } from '../../foreign-text.ts';
import { createHttpClient, type HttpClient, type HttpFailureReason, type HttpOutcome } from '../../http.ts';
import type { RequestAuthorizer, RequestSigner } from '../mapper-connector.ts';
import { sendAuthorized } from './authorized.ts';
import { detachedJws } from './detached-jws.ts';

/** How requests are signed by a key manager. */
export interface KeyManagerSettings {
  /** Base URL, without a trailing slash. */
  readonly apiUrl: string;
  /** Names the key, together with the reference id. */
  readonly applicationId: string;
  readonly referenceId: string;
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time to get a signature, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Most connections open at once. */
  readonly connectionsMax: number;
  /** Gives access to the key manager; undefined: it asks for none. */
  readonly authorizer: RequestAuthorizer | undefined;
  /** Clock for the timestamps of requests. */
  readonly now?: () => Date;
}

/** A signer that holds connections. */
export interface KeyManagerSigner extends RequestSigner {
  /** Waits for calls under way and closes the connections. */
  close(): Promise<void>;
}

/** A signature has some hundred characters; one with the body in it has the size of the body besides. */
const ANSWER_BYTES_MAX = 16_777_216;

/** A key manager answers either a response or errors, with HTTP 200 for both. */
const signAnswer = z.object({
  response: z.object({ jwtSignedData: z.string() }).nullish(),
  errors: z.array(z.object({ errorCode: z.string().nullish(), message: z.string().nullish() })).nullish(),
});

/** Signs requests by the key manager's `/jwtSign`; the private key never leaves it. */
export function createKeyManagerSigner(settings: KeyManagerSettings): KeyManagerSigner {
  const client = createHttpClient(settings.apiUrl, { ...settings, responseBytesMax: ANSWER_BYTES_MAX });
  return {
    sign: (body, ctx) => sign(client, settings, body, ctx),
    close: () => client.close(),
  };
}

async function sign(
  client: HttpClient,
  settings: KeyManagerSettings,
  body: string,
  ctx: CallContext,
): Promise<string> {
  const request = JSON.stringify(toWireRequest(settings, body));
  const outcome = await sendAuthorized(settings.authorizer, ctx, (token) => {
    if (token === null) return client.postJson('/jwtSign', request, {}, ctx.signal);
    return client.postJson('/jwtSign', request, credentials(token), ctx.signal);
  });
  const answer = signAnswer.safeParse(jsonOf(outcome));
  if (!answer.success) throw badAnswer('it is not of the agreed form');
  const { response, errors } = answer.data;
  const [error] = errors ?? [];
  if (error !== undefined) {
    const reason = oneLine([error.errorCode, error.message].filter(Boolean).join(' '));
    throw new ConnectorError('KEYMANAGER_REFUSED', `The key manager refused to sign: ${reason}.`);
  }
  if (response == null) throw badAnswer('it holds no signature');
  const jws = detachedJws(response.jwtSignedData, body);
  if ('problem' in jws) throw badAnswer(`its signature ${jws.problem}`);
  return jws.value;
}

function toWireRequest({ applicationId, referenceId, now }: KeyManagerSettings, body: string) {
  return {
    id: 'string',
    version: 'string',
    requesttime: (now?.() ?? new Date()).toISOString(),
    metadata: {},
    request: {
      dataToSign: Buffer.from(body).toString('base64url'),
      applicationId,
      referenceId,
      includePayload: false,
      includeCertificate: false,
      includeCertHash: false,
    },
  };
}

/** The key manager that the Python system uses looks for the token in a cookie, others in the usual header. */
function credentials(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}`, cookie: `Authorization=${token}` };
}

function jsonOf(outcome: HttpOutcome): unknown {
  if (outcome.kind === 'failure') {
    const message = `The key manager gave no answer. ${outcome.message}`;
    throw new ConnectorError(CODE_OF_FAILURE[outcome.reason], message);
  }
  if (outcome.status === 401 || outcome.status === 403) {
    const message = `The key manager does not let us in (HTTP ${outcome.status}).`;
    throw new ConnectorError('KEYMANAGER_UNAUTHORIZED', message);
  }
  if (outcome.status !== 200) {
    throw new ConnectorError('KEYMANAGER_ERROR', `The key manager answered HTTP ${outcome.status}.`);
  }
  return outcome.json;
}

const CODE_OF_FAILURE = {
  unreachable: 'KEYMANAGER_UNREACHABLE',
  timeout: 'KEYMANAGER_TIMEOUT',
  aborted: 'KEYMANAGER_CALL_ABORTED',
  broken: 'KEYMANAGER_CONNECTION_LOST',
  oversized: 'KEYMANAGER_BAD_ANSWER',
} as const satisfies Record<HttpFailureReason, string>;

function badAnswer(problem: string): ConnectorError {
  return new ConnectorError('KEYMANAGER_BAD_ANSWER', `The key manager's answer cannot be used: ${problem}.`);
}
