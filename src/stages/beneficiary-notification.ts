import type { Stage } from '../runtime/stage.ts';
import { beneficiaryActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { beneficiaryNotifications } from './notification-details.ts';
import { notificationStage } from './notifications.ts';

/**
 * Stage 11: tells a beneficiary what they get, where and from whom.
 *
 * Due when an attempt to tell the agency has ended. Those that wait are told in bulk, with one call for up to
 * `notification_bulk_size` of them.
 */
export const beneficiaryNotification = (context: StageContext): Stage =>
  notificationStage(context, {
    stage: 'beneficiary_notification',
    actor: beneficiaryActor,
    type: 'BENEFICIARY_NOTIFICATION',
    rowsOf: beneficiaryNotifications,
  });
