import type { ServerResponse } from 'node:http';
import type {
  Notification,
  NotificationConnector,
  NotificationConnectorSettings,
} from '../../src/connectors/notification/notification-connector.ts';
import { createNotificationConnector } from '../../src/connectors/notification/novu.ts';
import { json, type Received, startHttpServer, type TestServer } from './http-servers.ts';

/** The context of a call that nobody abandons. */
export const CTX = { signal: new AbortController().signal };
/** Where one event is triggered. */
export const TRIGGER = '/v1/events/trigger';
/** Where many are. */
export const BULK = '/v1/events/trigger/bulk';
const WORKFLOWS = {
  WAREHOUSE_NOTIFICATION: 'warehouse-notification',
  AGENCY_NOTIFICATION: 'agency-notification',
  BENEFICIARY_NOTIFICATION: 'beneficiary-notification',
} as const;

const opened: { close?(): Promise<void> }[] = [];

/** Has something closed by {@link closeOpened}. */
export function keepOpen(resource: { close?(): Promise<void> }): void {
  opened.push(resource);
}

/** Closes what a test opened, in reverse; for `afterEach`. */
export async function closeOpened(): Promise<void> {
  for (const resource of opened.splice(0).reverse()) await resource.close?.();
}

/** A connector to a Novu. */
export function novuAt(
  apiUrl: string,
  settings: Partial<NotificationConnectorSettings> = {},
): NotificationConnector {
  const connector = createNotificationConnector({
    apiUrl,
    apiKey: 'secret-1',
    workflowIds: WORKFLOWS,
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 10_000,
    responseBytesMax: 1_000_000,
    connectionsMax: 4,
    bulkMax: 100,
    options: {},
    ...settings,
  });
  keepOpen(connector);
  return connector;
}

/** A notification to a beneficiary. */
export function note(id: string, fields: Partial<Notification> = {}): Notification {
  return {
    notificationId: id,
    type: 'BENEFICIARY_NOTIFICATION',
    recipient: { subscriberId: `s-${id}`, name: 'Asha', email: 'asha@example.org', phone: '+911234567890' },
    payload: { program_mnemonic: 'PROG', total_quantity: '10.50', zone: { id: '7' } },
    ...fields,
  };
}

/** So many notifications, `n-0` and on. */
export const notes = (count: number): Notification[] =>
  Array.from({ length: count }, (_, n) => note(`n-${n}`));
/** Novu's answer to an event that it processed. */
export const processed = (id: string) => ({ acknowledged: true, status: 'processed', transactionId: id });

/** A Novu of the test's own. */
export async function answering(
  answer: (request: Received, response: ServerResponse) => unknown,
): Promise<TestServer> {
  const server = await startHttpServer(answer);
  keepOpen(server);
  return server;
}

/** A Novu that always says the same: JSON, or a text as it is. */
export async function answeringAlways(
  status: number,
  body: unknown,
  settings: Partial<NotificationConnectorSettings> = {},
): Promise<{ server: TestServer; novu: NotificationConnector }> {
  const server = await answering((_, response) => {
    if (typeof body !== 'string') return json(response, status, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  return { server, novu: novuAt(server.url, settings) };
}
