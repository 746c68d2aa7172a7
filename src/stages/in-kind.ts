import { type InKind, type StageContext, StageError } from './context.ts';

/**
 * What locates beneficiaries and finds who serves them.
 *
 * @throws StageError IN_KIND_NOT_ENABLED in a deployment that pays digital cash only
 */
export function inKindOf(context: StageContext, batchId: string): InKind {
  if (context.inKind) return context.inKind;
  throw new StageError(
    'IN_KIND_NOT_ENABLED',
    `Batch ${batchId} is of goods, services or physical cash, which this system is not set up for; set in_kind_enabled ` +
      'with db_datasource_pbms and db_datasource_registry, restart and retry.',
    false,
  );
}
