import type { Stage } from '../runtime/stage.ts';
import { geoActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { geoNotifications } from './notification-details.ts';
import { notificationStage } from './notifications.ts';

/**
 * Stage 9: tells the warehouse of a geo record what it is to deliver.
 *
 * Due when the batch has its agencies. Those that wait are told with one call; whether it succeeds or not, the agency is
 * told next.
 */
export const warehouseNotification = (context: StageContext): Stage =>
  notificationStage(context, {
    stage: 'warehouse_notification',
    actor: geoActor,
    type: 'WAREHOUSE_NOTIFICATION',
    rowsOf: geoNotifications('warehouse'),
  });
