import type {
  NotificationConnector,
  NotificationConnectorSettings,
} from '../../src/connectors/notification/notification-connector.ts';
import { createNotificationConnector as createNovu } from '../../src/connectors/notification/novu.ts';

/** The setting under which a deployment would name this connector. */
export const CARELESS_NOTIFIER = { notification_connector_impl: new URL(import.meta.url).pathname };

/**
 * The connector of a deployment that breaks its contract: of beneficiaries it forgets the first one of every call, about
 * agencies it throws.
 */
export function createNotificationConnector(settings: NotificationConnectorSettings): NotificationConnector {
  const novu = createNovu(settings);
  return {
    ...novu,
    async send(notifications, ctx) {
      const [first] = notifications;
      if (first?.type === 'AGENCY_NOTIFICATION') throw new Error('Nobody expected an agency.');
      if (first?.type !== 'BENEFICIARY_NOTIFICATION') return novu.send(notifications, ctx);
      const rest = await novu.send(notifications.slice(1), ctx);
      return [...rest, { notificationId: 'of-nobody', outcome: 'processed', response: '' }];
    },
  };
}
