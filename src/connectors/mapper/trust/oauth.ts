import { z } from 'zod';
import type { CallContext } from '../../call-context.ts';
import { ConnectorError } from '../../connector-error.ts';
import { oneLine } from '../../foreign-text.ts';
import { createHttpClient, type HttpAnswer, type HttpClient, type HttpFailureReason } from '../../http.ts';
import type { RequestAuthorizer } from '../mapper-connector.ts';

/** How tokens are had from an OAuth server. */
export interface OAuthSettings {
  /** The token endpoint. */
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time to get a token, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Clock by which tokens expire. */
  readonly now?: () => Date;
}

/** An authorizer that holds connections. */
export interface OAuthAuthorizer extends RequestAuthorizer {
  /** Gives up a request under way and closes the connections. */
  close(): Promise<void>;
}

interface Token {
  readonly text: string;
  /** From when on a new one is fetched, in milliseconds since 1970. */
  readonly renewAtMs: number;
}

const ANSWER_BYTES_MAX = 65_536;
/** Servers take headers of 8 to 16 kilobytes. */
const TOKEN_CHARS_MAX = 8_000;
/** What the Python system assumes when the server does not say. */
const LIFETIME_SECONDS_DEFAULT = 900;
/** A token is renewed so long before it expires, so that none expires on its way. */
const RENEW_BEFORE_MS = 30_000;
/** Of a token that lives shortly, at least this part of its life is used. */
const USED_PART = 0.8;

const tokenAnswer = z.object({
  access_token: z
    .string()
    .max(TOKEN_CHARS_MAX)
    .regex(/^[\x21-\x7e]+$/),
  token_type: z
    .string()
    .regex(/^bearer$/i)
    .optional(),
  expires_in: z.coerce.number().positive().max(Number.MAX_SAFE_INTEGER).default(LIFETIME_SECONDS_DEFAULT),
});

const errorAnswer = z.object({ error: z.string(), error_description: z.string().optional() });

/**
 * Authorizes requests with tokens from the client credentials grant (RFC 6749, section 4.4).
 *
 * A token serves all calls until shortly before it expires. However many calls need a new one, one request fetches it;
 * a call that is given up does not take it away from the others.
 */
export function createOAuthAuthorizer(settings: OAuthSettings): OAuthAuthorizer {
  const { origin, pathname } = new URL(settings.tokenUrl);
  const client = createHttpClient(origin, {
    connectTimeoutMs: settings.connectTimeoutMs,
    requestTimeoutMs: settings.requestTimeoutMs,
    responseBytesMax: ANSWER_BYTES_MAX,
    connectionsMax: 1,
  });
  const nowMs = () => (settings.now?.() ?? new Date()).getTime();
  const closing = new AbortController();
  let current: Token | null = null;
  let fetching: Promise<Token> | null = null;

  const renew = async () => {
    try {
      current = await fetchToken(client, pathname, settings, nowMs, closing.signal);
      return current;
    } finally {
      fetching = null;
    }
  };
  return {
    async bearerToken(ctx) {
      if (current !== null && nowMs() < current.renewAtMs) return current.text;
      fetching ??= renew();
      return (await unlessAborted(fetching, ctx)).text;
    },
    refused(token) {
      if (current?.text === token) current = null;
    },
    async close() {
      closing.abort();
      await client.close();
    },
  };
}

/** The result of work that others wait for as well, unless this call is given up first. */
async function unlessAborted<T>(work: Promise<T>, { signal }: CallContext): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () =>
    aborted.reject(
      new ConnectorError('OAUTH_CALL_ABORTED', 'The call was abandoned while it waited for a token.'),
    );
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function fetchToken(
  client: HttpClient,
  path: string,
  { clientId, clientSecret }: OAuthSettings,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<Token> {
  const askedAtMs = nowMs();
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  });
  const outcome = await client.postForm(path, form, {}, signal);
  if (outcome.kind === 'failure') {
    throw new ConnectorError(
      CODE_OF_FAILURE[outcome.reason],
      `The OAuth server gave no answer. ${outcome.message}`,
    );
  }
  if (outcome.status !== 200) throw refusal(outcome, clientSecret);
  const answer = tokenAnswer.safeParse(outcome.json);
  if (!answer.success) {
    throw new ConnectorError('OAUTH_BAD_ANSWER', "The OAuth server's answer is not a bearer token.");
  }
  const lifetimeMs = answer.data.expires_in * 1_000;
  const usedMs = Math.max(lifetimeMs - RENEW_BEFORE_MS, lifetimeMs * USED_PART);
  return { text: answer.data.access_token, renewAtMs: askedAtMs + usedMs };
}

const CODE_OF_FAILURE = {
  unreachable: 'OAUTH_UNREACHABLE',
  timeout: 'OAUTH_TIMEOUT',
  aborted: 'OAUTH_CALL_ABORTED',
  broken: 'OAUTH_CONNECTION_LOST',
  oversized: 'OAUTH_BAD_ANSWER',
} as const satisfies Record<HttpFailureReason, string>;

/** A server may repeat what it was sent; the secret must not reach a log that way. */
function refusal({ status, json }: HttpAnswer, clientSecret: string): ConnectorError {
  const said = errorAnswer.safeParse(json);
  if (!said.success) {
    return new ConnectorError('OAUTH_ERROR', `The OAuth server answered HTTP ${status}.`);
  }
  const { error, error_description: description } = said.data;
  const text = description === undefined ? error : `${error}: ${description}`;
  const reason = oneLine(text, [clientSecret, encodeURIComponent(clientSecret), formEncoded(clientSecret)]);
  return new ConnectorError('OAUTH_REFUSED', `The OAuth server gives no token (HTTP ${status}): ${reason}.`);
}

function formEncoded(text: string): string {
  return String(new URLSearchParams({ '': text })).slice(1);
}
