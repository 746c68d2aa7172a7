import { stageSettings } from '../config.ts';
import type { Stage } from '../runtime/stage.ts';
import { batchActor } from './actors.ts';
import { allocateBatch } from './allocation.ts';
import type { StageContext } from './context.ts';
import { inKindOf } from './in-kind.ts';

/**
 * Stage 8: finds the agencies that deliver a batch.
 *
 * Due when the batch has its warehouses. Each small zone of the batch gets, among the agencies that serve it for the
 * program and benefit code, the one that has been given least of the envelope, see {@link allocateBatch}. Then warehouses,
 * agencies and beneficiaries are notified, unless `suppress_notifications`, and physical cash is ready to be paid to the
 * agencies. Where there is none the attempt fails with NO_AGENCY_FOUND.
 */
export function agencyAllocation(context: StageContext): Stage {
  return {
    name: 'agency_allocation',
    actor: batchActor,
    region: 'agency_allocation',
    ...stageSettings(context.config, 'agency_allocation'),
    concurrency: context.config.worker_concurrency,
    perform: (work) =>
      allocateBatch(context, work, {
        kind: 'agency',
        zones: 'small',
        allocator: inKindOf(context, work.id).agencies,
        notFound: 'NO_AGENCY_FOUND',
        event: { notify: !context.config.suppress_notifications },
      }),
  };
}
