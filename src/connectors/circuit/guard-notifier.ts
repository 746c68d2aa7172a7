import type { NotificationAnswer, NotificationConnector } from '../notification/notification-connector.ts';
import type { Circuit, Reading } from './circuit.ts';

/** A notification connector whose calls may pause. */
export interface PausingNotifier extends NotificationConnector {
  /**
   * Lets the pipeline keep no log of what cannot be sent.
   *
   * @throws CircuitOpenError while calls pause
   */
  requireNotPaused(): void;
}

/** What the service is accused of when it is out of order as a whole. */
const OUTAGES: readonly string[] = [
  'NOTIFICATION_SERVICE_UNAVAILABLE',
  'NOTIFICATION_TIMEOUT',
  'NOTIFICATION_BAD_ANSWER',
];

const isOutage = (answer: NotificationAnswer): boolean =>
  answer.outcome === 'failed' && answer.retryable && OUTAGES.includes(answer.code);

/** A service that has processed or refused one notification of a list is there. */
const ANSWERS: Reading<readonly NotificationAnswer[]> = {
  isOutage: (answers) => answers.length > 0 && answers.every(isOutage),
  postponed: (answers, notBefore) => answers.map((answer) => ({ ...answer, notBefore })),
};

/** A notification connector whose calls pause while the service is out of order. */
export function guardNotifier(notifier: NotificationConnector, circuit: Circuit | null): PausingNotifier {
  const { bulkMax } = notifier;
  return {
    bulkMax,
    send: (notifications, ctx) => {
      const send = () => notifier.send(notifications, ctx);
      return circuit && notifications.length > 0 ? circuit.call(ctx, send, ANSWERS) : send();
    },
    requireNotPaused: () => circuit?.requireNotPaused(),
    close: async () => notifier.close?.(),
  };
}
