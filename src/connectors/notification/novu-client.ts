import { ConnectorError } from '../connector-error.ts';
import { oneLine } from '../foreign-text.ts';
import type { HttpClient, HttpOutcome } from '../http.ts';
import type { Notification, NotificationConnectorSettings } from './notification-connector.ts';
import { toEvent } from './novu-wire.ts';

/**
 * Triggers the events of notifications through Novu's client: one by itself, several as a bulk.
 *
 * The client makes the request; what comes back is taken as it came. The client's own reading would lose too much: it
 * gives up the answers of a whole bulk when one of them has a status that it does not know, and an error's status when
 * the error's body is not of the form that it expects. Its retries are off, since retrying is the pipeline's business;
 * it would go on for an hour.
 *
 * @throws ConnectorError NOTIFICATION_BAD_REQUEST when no request could be made of the notifications
 */
export async function trigger(
  settings: NotificationConnectorSettings,
  http: HttpClient,
  notifications: readonly Notification[],
  signal: AbortSignal,
): Promise<HttpOutcome> {
  const novu = await loadClient();
  const seen: { outcome?: HttpOutcome } = {};
  const fetcher = async (input: string | URL | Request): Promise<Response> => {
    seen.outcome = await post(http, new Request(input), signal);
    return toResponse(seen.outcome);
  };
  const client = new novu.NovuCore({
    serverURL: settings.apiUrl,
    secretKey: settings.apiKey,
    retryConfig: { strategy: 'none' },
    httpClient: new novu.HTTPClient({ fetcher }),
  });
  const events = notifications.map((notification) => toEvent(notification, settings.workflowIds));
  const [only] = events;
  const call =
    only !== undefined && events.length === 1
      ? novu.trigger(client, only)
      : novu.triggerBulk(client, { events });
  // The client throws what it does not expect, such as an error's body that is not the JSON that it claims to be.
  const error = await call.then(
    (result) => (result.ok ? null : result.error),
    (thrown: unknown) => thrown,
  );
  if (seen.outcome !== undefined) return seen.outcome;
  const problem = oneLine(error instanceof Error ? error.message : null);
  const message = `Novu's client could make no request of ${events.length} notifications: ${problem}.`;
  throw new ConnectorError('NOTIFICATION_BAD_REQUEST', message, false);
}

/** Loads the client's two functions and what they need, at the first call only: its schemas take half a second. */
async function loadClient() {
  const [{ NovuCore }, { HTTPClient }, single, bulk] = await Promise.all([
    import('@novu/api/core.js'),
    import('@novu/api/lib/http.js'),
    import('@novu/api/funcs/trigger.js'),
    import('@novu/api/funcs/triggerBulk.js'),
  ]);
  return { NovuCore, HTTPClient, trigger: single.trigger, triggerBulk: bulk.triggerBulk };
}

/** Sends a request of the client within limits that the client itself does not keep. */
async function post(http: HttpClient, request: Request, signal: AbortSignal): Promise<HttpOutcome> {
  const { pathname, search } = new URL(request.url);
  return http.postJson(pathname + search, await request.text(), Object.fromEntries(request.headers), signal);
}

/** @throws Error when there is none; the client turns it into a result */
function toResponse(outcome: HttpOutcome): Response {
  if (outcome.kind === 'failure') throw new Error(outcome.message);
  return new Response(outcome.text, {
    status: outcome.status,
    headers: { 'content-type': 'application/json' },
  });
}
