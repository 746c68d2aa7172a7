import { stageSettings } from '../config.ts';
import type { Stage } from '../runtime/stage.ts';
import { beneficiaryActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { beneficiaryNotifications } from './notification-details.ts';
import { notifyAbout } from './notifications.ts';

/**
 * Stage 11: tells a beneficiary what they get, where and from whom.
 *
 * Due when an attempt to tell the agency has ended. Those that wait are told in bulk, with one call for up to
 * `notification_bulk_size` of them.
 */
export function beneficiaryNotification(context: StageContext): Stage {
  return {
    name: 'beneficiary_notification',
    actor: beneficiaryActor,
    region: 'beneficiary_notification',
    ...stageSettings(context.config, 'beneficiary_notification'),
    concurrency: context.config.notification_concurrency,
    setSize: context.notifier?.bulkMax ?? 1,
    performSet: (set) => notifyAbout(context, 'BENEFICIARY_NOTIFICATION', beneficiaryNotifications, set),
  };
}
