import { stageSettings } from '../config.ts';
import type { Stage } from '../runtime/stage.ts';
import { geoActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { geoNotifications } from './notification-details.ts';
import { notifyAbout } from './notifications.ts';

/**
 * Stage 9: tells the warehouse of a geo record what it is to deliver.
 *
 * Due when the batch has its agencies. Those that wait are told with one call; whether it succeeds or not, the agency is
 * told next.
 */
export function warehouseNotification(context: StageContext): Stage {
  return {
    name: 'warehouse_notification',
    actor: geoActor,
    region: 'warehouse_notification',
    ...stageSettings(context.config, 'warehouse_notification'),
    concurrency: context.config.notification_concurrency,
    setSize: context.notifier?.bulkMax ?? 1,
    performSet: (set) => notifyAbout(context, 'WAREHOUSE_NOTIFICATION', geoNotifications('warehouse'), set),
  };
}
