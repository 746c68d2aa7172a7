import type { Stage } from '../runtime/stage.ts';
import { geoActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { geoNotifications } from './notification-details.ts';
import { notificationStage } from './notifications.ts';

/**
 * Stage 10: tells the agency of a geo record what it is to hand out, and to how many.
 *
 * Due when an attempt to tell the warehouse has ended. Those that wait are told with one call; whether it succeeds or not,
 * the beneficiaries are told next.
 */
export const agencyNotification = (context: StageContext): Stage =>
  notificationStage(context, {
    stage: 'agency_notification',
    actor: geoActor,
    type: 'AGENCY_NOTIFICATION',
    rowsOf: geoNotifications('agency'),
  });
