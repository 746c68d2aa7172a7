import { stageSettings } from '../config.ts';
import type { Stage } from '../runtime/stage.ts';
import { geoActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { geoNotifications } from './notification-details.ts';
import { notifyAbout } from './notifications.ts';

/**
 * Stage 10: tells the agency of a geo record what it is to hand out, and to how many.
 *
 * Due when an attempt to tell the warehouse has ended. Those that wait are told with one call; whether it succeeds or not,
 * the beneficiaries are told next.
 */
export function agencyNotification(context: StageContext): Stage {
  return {
    name: 'agency_notification',
    actor: geoActor,
    region: 'agency_notification',
    ...stageSettings(context.config, 'agency_notification'),
    concurrency: context.config.notification_concurrency,
    setSize: context.notifier?.bulkMax ?? 1,
    performSet: (set) => notifyAbout(context, 'AGENCY_NOTIFICATION', geoNotifications('agency'), set),
  };
}
