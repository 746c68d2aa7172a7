import { stageSettings } from '../config.ts';
import type { Stage } from '../runtime/stage.ts';
import { batchActor } from './actors.ts';
import { allocateBatch } from './allocation.ts';
import type { StageContext } from './context.ts';
import { inKindOf } from './in-kind.ts';

/**
 * Stage 7: finds the warehouses that serve a batch.
 *
 * Due when the batch has been located. Each large zone of the batch gets, among the warehouses that serve it for the
 * program and benefit code, the one that has been given least of the envelope, see {@link allocateBatch}. The warehouse is
 * written to the geo records, what is known of its administrator beside them, and to the addresses. Where there is none
 * the attempt fails with NO_WAREHOUSE_FOUND.
 */
export function warehouseAllocation(context: StageContext): Stage {
  return {
    name: 'warehouse_allocation',
    actor: batchActor,
    region: 'warehouse_allocation',
    ...stageSettings(context.config, 'warehouse_allocation'),
    concurrency: context.config.worker_concurrency,
    perform: (work) =>
      allocateBatch(context, work, {
        kind: 'warehouse',
        zones: 'large',
        allocator: inKindOf(context, work.id).warehouses,
        notFound: 'NO_WAREHOUSE_FOUND',
      }),
  };
}
