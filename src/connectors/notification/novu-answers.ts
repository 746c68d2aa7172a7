import { oneLine } from '../foreign-text.ts';
import type { HttpAnswer, HttpFailureReason, HttpOutcome } from '../http.ts';
import type {
  FailedNotification,
  Notification,
  NotificationAnswer,
  NotificationErrorCode,
} from './notification-connector.ts';
import { type EventAnswer, errorMessageOf, readAnswers } from './novu-wire.ts';

/** Longest answer of the service that is kept with a notification, in UTF-16 units. */
const RESPONSE_CHARS_MAX = 2_000;

/** What became of a request, or why it was not made. */
export type NovuOutcome = HttpOutcome | NovuUnsent;

/** No request was made: there was no time left, or would be none after a pause that Novu asked for. */
export interface NovuUnsent {
  readonly kind: 'unsent';
  /** How long the pause still lasts, in milliseconds; 0 when there is none. */
  readonly pauseMs: number;
}

/** Why notifications failed, the same for all of them. */
interface Failure {
  readonly code: NotificationErrorCode;
  /** What goes into "Notification … failed: ….", without a full stop. */
  readonly problem: string;
  readonly retryable: boolean;
  readonly response: string | null;
}

/**
 * Whether Novu refused a list as a whole although only one of its events may be bad: it is malformed (400, 422) or
 * too much at once (413).
 */
export function refusesTheList(outcome: NovuOutcome): boolean {
  return outcome.kind === 'answer' && [400, 413, 422].includes(outcome.status);
}

/** Says of each notification what became of it, in their order. */
export function answersTo(
  outcome: NovuOutcome,
  notifications: readonly Notification[],
): readonly NotificationAnswer[] {
  const isSuccess = outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300;
  const answers = isSuccess ? readAnswers(outcome.text, notifications) : null;
  if (answers !== null) {
    return notifications.map((notification) => judge(notification, answers.get(notification.notificationId)));
  }
  const said = outcome.kind === 'answer' ? errorMessageOf(outcome.text) : null;
  return notifications.map((notification) => {
    const why = said === null ? '' : `, ${oneLine(said, secretsOf(notification))}`;
    return failed(notification, failureOf(outcome, why));
  });
}

/** What Novu's answer about one event says; success is status `processed`, acknowledged. */
function judge(notification: Notification, answer: EventAnswer | undefined): NotificationAnswer {
  if (answer === undefined) {
    return failed(notification, {
      code: 'NOTIFICATION_NOT_ANSWERED',
      problem: 'Novu did not answer about it',
      retryable: true,
      response: null,
    });
  }
  const { acknowledged, status, reason, text } = answer;
  const { notificationId } = notification;
  if (status === 'processed' && acknowledged) {
    return { notificationId, outcome: 'processed', response: kept(text) };
  }
  const why = reason === null ? '' : `, ${oneLine(reason, secretsOf(notification))}`;
  return failed(notification, {
    code: 'NOTIFICATION_NOT_PROCESSED',
    problem: `Novu answered "${oneLine(status)}"${acknowledged ? '' : ', not acknowledged'}${why}`,
    // An `error` may be a passing fault within Novu; the other statuses wait for somebody to change something there.
    retryable: status === 'error' || status === 'processed',
    response: kept(text),
  });
}

/** Why a request without readable event answers means failure; `why` is what Novu said about it, after a comma. */
function failureOf(outcome: NovuOutcome, why: string): Failure {
  if (outcome.kind === 'answer') return failureOfAnswer(outcome, why);
  if (outcome.kind === 'unsent') {
    const rest = { retryable: true, response: null };
    return outcome.pauseMs > 0
      ? {
          code: 'NOTIFICATION_RATE_LIMITED',
          problem: `Novu limits the rate for another ${Math.ceil(outcome.pauseMs)} ms`,
          ...rest,
        }
      : { code: 'NOTIFICATION_TIMEOUT', problem: 'there was no time left to send it', ...rest };
  }
  const problem = `Novu did not answer (${oneLine(outcome.message)})`;
  return { code: CODE_OF_FAILURE[outcome.reason], problem, retryable: true, response: null };
}

function failureOfAnswer({ status, text }: HttpAnswer, why: string): Failure {
  const response = kept(text);
  const answered = `Novu answered HTTP ${status}${why}`;
  if (status === 429) {
    return { code: 'NOTIFICATION_RATE_LIMITED', problem: answered, retryable: true, response };
  }
  if (status === 401 || status === 403) {
    return { code: 'NOTIFICATION_UNAUTHORIZED', problem: answered, retryable: false, response };
  }
  if (status >= 500 || status === 408 || status === 425) {
    return { code: 'NOTIFICATION_SERVICE_UNAVAILABLE', problem: answered, retryable: true, response };
  }
  if (status >= 400) return { code: 'NOTIFICATION_REFUSED', problem: answered, retryable: false, response };
  const problem = `Novu answered HTTP ${status}, but not in the agreed form`;
  return { code: 'NOTIFICATION_BAD_ANSWER', problem, retryable: true, response };
}

const CODE_OF_FAILURE = {
  unreachable: 'NOTIFICATION_SERVICE_UNAVAILABLE',
  broken: 'NOTIFICATION_SERVICE_UNAVAILABLE',
  aborted: 'NOTIFICATION_SERVICE_UNAVAILABLE',
  timeout: 'NOTIFICATION_TIMEOUT',
  oversized: 'NOTIFICATION_BAD_ANSWER',
} as const satisfies Record<HttpFailureReason, NotificationErrorCode>;

function failed({ notificationId }: Notification, failure: Failure): FailedNotification {
  const { code, problem, retryable, response } = failure;
  const message = `Notification ${notificationId} failed: ${problem}.`;
  return { notificationId, outcome: 'failed', code, message, retryable, response };
}

/** What the service may repeat of the recipient and a message must not. */
function secretsOf({ recipient: { name, email, phone } }: Notification): readonly string[] {
  return [name ?? '', email ?? '', phone ?? ''];
}

/** A text of the service as a database can keep it: whole characters, none of them U+0000, not too many. */
function kept(text: string): string {
  return text.slice(0, RESPONSE_CHARS_MAX).replaceAll('\0', '\ufffd').toWellFormed();
}
