import type { CallContext } from '../call-context.ts';
import { ConnectorError } from '../connector-error.ts';
import { createHttpClient, type HttpClient } from '../http.ts';
import type {
  Notification,
  NotificationAnswer,
  NotificationConnector,
  NotificationConnectorSettings,
} from './notification-connector.ts';
import { answersTo, type NovuOutcome, refusesTheList } from './novu-answers.ts';
import { trigger } from './novu-client.ts';
import { RatePause } from './rate-pause.ts';

/** Most events that Novu takes in one bulk: "The bulk API is limited to 100 events per request". */
const EVENTS_MAX = 100;
/** Longest that one call of `send` waits, in all, for pauses that Novu asks for, in milliseconds. */
const PAUSED_MAX_MS = 900_000;

/** What all calls of one connector share. */
interface Novu {
  readonly settings: NotificationConnectorSettings;
  readonly http: HttpClient;
  readonly pause: RatePause;
}

/** One call of `send`. */
interface Sending extends Novu {
  readonly signal: AbortSignal;
  /** No request begins after this, pauses not counted, in milliseconds on the clock of `performance.now()`. */
  readonly latestStartMs: number;
  /** No pause that ends after this is waited for, on the same clock. */
  readonly latestPauseMs: number;
  /** How long the requests of this call have been held up by pauses so far. */
  readonly paused: { ms: number };
}

/**
 * The connector to Novu, through Novu's own client: one notification triggers one event, several trigger a bulk, the
 * notification id is the transaction id by which Novu ignores what it has seen before.
 *
 * A call of `send` makes one request. It makes more in two cases: Novu limits the rate (HTTP 429), or refuses a bulk as
 * a whole because of one event that it does not like; the events then go one by one. No request begins later than
 * `requestTimeoutMs` after the call began, and none takes longer than that, so a call ends within twice that time. Pauses
 * that Novu asks for come on top: they are waited for, a quarter of an hour at most, so that they use up no attempts.
 *
 * The client takes half a second to load and is loaded when the first notification is sent, not when the process
 * starts.
 *
 * @throws TypeError when `settings.apiUrl` is not a URL
 * @throws RangeError when `settings.bulkMax` is not a number of events that Novu takes
 */
export function createNotificationConnector(settings: NotificationConnectorSettings): NotificationConnector {
  const { bulkMax } = settings;
  if (!Number.isInteger(bulkMax) || bulkMax < 1 || bulkMax > EVENTS_MAX) {
    throw new RangeError(`Novu takes 1 to ${EVENTS_MAX} notifications at once, not ${bulkMax}`);
  }
  const novu = {
    settings,
    http: createHttpClient(new URL(settings.apiUrl).origin, settings),
    pause: new RatePause(),
  };
  return {
    bulkMax,
    send: (notifications, ctx) => send(novu, notifications, ctx),
    close: () => novu.http.close(),
  };
}

async function send(
  novu: Novu,
  notifications: readonly Notification[],
  ctx: CallContext,
): Promise<readonly NotificationAnswer[]> {
  requireSendable(notifications, novu.settings.bulkMax);
  if (notifications.length === 0) return [];
  const nowMs = performance.now();
  const sending = {
    ...novu,
    signal: ctx.signal,
    latestStartMs: nowMs + novu.settings.requestTimeoutMs,
    latestPauseMs: nowMs + PAUSED_MAX_MS,
    paused: { ms: 0 },
  };
  const outcome = await request(sending, notifications);
  const alone = notifications.length === 1;
  return !alone && refusesTheList(outcome)
    ? sendOneByOne(sending, notifications)
    : answersTo(outcome, notifications);
}

/** Sends each notification by itself, as many at a time as there are connections. */
async function sendOneByOne(
  sending: Sending,
  notifications: readonly Notification[],
): Promise<readonly NotificationAnswer[]> {
  const answers: (readonly NotificationAnswer[])[] = [];
  const waiting = notifications.entries();
  const work = async () => {
    for (const [place, notification] of waiting) {
      answers[place] = answersTo(await request(sending, [notification]), [notification]);
    }
  };
  const workers = Math.min(sending.settings.connectionsMax, notifications.length);
  await Promise.all(Array.from({ length: workers }, work));
  return answers.flat();
}

/** Makes one request that Novu lets through: waits while the rate is limited, unless that takes too long. */
async function request(sending: Sending, notifications: readonly Notification[]): Promise<NovuOutcome> {
  const { settings, http, pause, paused, signal, latestStartMs } = sending;
  let limited: NovuOutcome | null = null;
  for (;;) {
    if (!(await pauseIsOver(sending))) return limited ?? { kind: 'unsent', pauseMs: pause.remainingMs };
    if (performance.now() > latestStartMs + paused.ms) return limited ?? { kind: 'unsent', pauseMs: 0 };
    const exchange = await trigger(settings, http, notifications, signal);
    if (exchange.kind === 'failure' && exchange.reason === 'aborted') throw aborted(exchange.message);
    if (exchange.kind !== 'answer' || exchange.status !== 429) return exchange;
    pause.hold(exchange.retryAfter);
    limited = exchange;
  }
}

async function pauseIsOver({ pause, paused, latestPauseMs, signal }: Sending): Promise<boolean> {
  const sinceMs = performance.now();
  try {
    const over = await pause.over(latestPauseMs, signal);
    paused.ms += performance.now() - sinceMs;
    return over;
  } catch {
    throw aborted('the call was abandoned while the rate was limited');
  }
}

function aborted(problem: string): ConnectorError {
  return new ConnectorError('NOTIFICATION_CALL_ABORTED', `Novu was not asked to the end: ${problem}.`);
}

/** @throws ConnectorError when the list is longer than agreed, or answers could not be told apart */
function requireSendable(notifications: readonly Notification[], bulkMax: number): void {
  const { length } = notifications;
  if (length > bulkMax)
    throw badRequest(`${length} notifications are more than ${bulkMax}, the most at once.`);
  const ids = new Set(notifications.map((notification) => notification.notificationId));
  if (ids.size < length) throw badRequest('Two notifications in one list carry the same id.');
}

function badRequest(message: string): ConnectorError {
  return new ConnectorError('NOTIFICATION_BAD_REQUEST', message, false);
}
