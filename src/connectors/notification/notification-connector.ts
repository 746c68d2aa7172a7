import type { CallContext } from '../call-context.ts';

/**
 * The port to a notification service, which tells warehouses, agencies and beneficiaries what is waiting for them.
 *
 * A package exports `createNotificationConnector(settings: NotificationConnectorSettings)`, which returns a connector
 * or a promise of one, and is named in `notification_connector_impl`. One connector serves all calls of a process,
 * from many workers at once.
 *
 * Rules:
 *
 * - A notification id never changes, whatever is tried again: the connector hands it to the service in such a way that
 *   the service delivers once however often it is asked. Sending again is therefore always safe, and is what the
 *   pipeline does after every failure that is `retryable`.
 * - A call ends within a bound of its own, whatever the service does, and soon after `ctx.signal` is aborted. A pause that
 *   the service asks for is better waited for than answered with a failure, which would use up an attempt.
 * - A connector does not repeat calls by itself, with one exception: when the service limits the rate, the connector
 *   holds back all its calls for as long as the service says, and may then send once more.
 * - One notification that the service will not take does not keep others of the same call from being sent.
 */
export interface NotificationConnector {
  /** Most notifications in one call of {@link send}, 1 or more; the caller cuts longer lists into pieces. */
  readonly bulkMax: number;

  /**
   * Sends notifications.
   *
   * @param notifications at most {@link bulkMax}, with ids that are unique among them
   * @returns one {@link NotificationAnswer} per notification, in the same order; an empty list is answered by one
   * @throws ConnectorError `NOTIFICATION_BAD_REQUEST`, not retryable, for a list that must not be sent;
   *   `NOTIFICATION_CALL_ABORTED`, retryable, when `ctx.signal` was aborted or the connector closed. Every other fault
   *   is an answer.
   */
  send(notifications: readonly Notification[], ctx: CallContext): Promise<readonly NotificationAnswer[]>;

  /** Releases connections. Called once, when no call is under way. */
  close?(): Promise<void>;
}

/** Whom a notification is for, which decides what it says. */
export type NotificationType = 'WAREHOUSE_NOTIFICATION' | 'AGENCY_NOTIFICATION' | 'BENEFICIARY_NOTIFICATION';

/** Who is notified. The service chooses the channel from what is known. */
export interface Recipient {
  /** The recipient's id at the service: the same person or office has the same one in every notification. */
  readonly subscriberId: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
}

/** One notification to one recipient. */
export interface Notification {
  /** Stable over retries; the transaction id at the service. */
  readonly notificationId: string;
  readonly type: NotificationType;
  readonly recipient: Recipient;
  /** What the texts are made of; JSON values only. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What became of a notification. */
export type NotificationAnswer = ProcessedNotification | FailedNotification;

/** The service has taken the notification, now or the first time it was sent. */
export interface ProcessedNotification {
  readonly notificationId: string;
  readonly outcome: 'processed';
  /** The service's answer, at most 2,000 characters. */
  readonly response: string;
}

/** The service has not taken the notification, or nobody knows whether it has. */
export interface FailedNotification {
  readonly notificationId: string;
  readonly outcome: 'failed';
  /** A {@link NotificationErrorCode}, or a code of the connector's own. */
  readonly code: string;
  /** One sentence for people that names the notification, without address or name of the recipient. */
  readonly message: string;
  /** Whether sending the same notification again may succeed. */
  readonly retryable: boolean;
  /** The service's answer, at most 2,000 characters; null when there was none. */
  readonly response: string | null;
  /** Not for connectors to say: when the pipeline sends again, the service being out of order as a whole. */
  readonly notBefore?: Date;
}

/** The codes of failed notifications. */
export type NotificationErrorCode =
  /** The service answered about the notification, but did not process it. */
  | 'NOTIFICATION_NOT_PROCESSED'
  /** The service answered, but not about this notification. */
  | 'NOTIFICATION_NOT_ANSWERED'
  /** The service refused the request as a whole. */
  | 'NOTIFICATION_REFUSED'
  /** The service does not accept the key. */
  | 'NOTIFICATION_UNAUTHORIZED'
  /** The service limits the rate for longer than a call may wait. */
  | 'NOTIFICATION_RATE_LIMITED'
  /** No answer came in time, or no time was left to send. */
  | 'NOTIFICATION_TIMEOUT'
  /** The service cannot be reached, broke the connection, or reported a fault of its own. */
  | 'NOTIFICATION_SERVICE_UNAVAILABLE'
  /** The answer is too large or not in the agreed form. */
  | 'NOTIFICATION_BAD_ANSWER';

/** What a notification connector is created with. */
export interface NotificationConnectorSettings {
  /** Base URL of the service. */
  readonly apiUrl: string;
  /** Secret key at the service; empty for a service that asks for none. */
  readonly apiKey: string;
  /** The workflow at the service that each type of notification triggers. */
  readonly workflowIds: Readonly<Record<NotificationType, string>>;
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time a request may take, and longest time a call of send may spend before its last request, in ms. */
  readonly requestTimeoutMs: number;
  /** Largest answer, in bytes. */
  readonly responseBytesMax: number;
  /** Most connections open at once. */
  readonly connectionsMax: number;
  /** Most notifications in one call of send. */
  readonly bulkMax: number;
  /** The connector's own options, unchecked. */
  readonly options: Readonly<Record<string, unknown>>;
}
