import type { Stage } from '../runtime/stage.ts';
import { agencyAllocation } from './agency-allocation.ts';
import { agencyNotification } from './agency-notification.ts';
import { beneficiaryNotification } from './beneficiary-notification.ts';
import { blockFundsWithBank } from './block-funds-with-bank.ts';
import { checkFundsWithBank } from './check-funds-with-bank.ts';
import type { StageContext } from './context.ts';
import { disburseFundsFromBank } from './disburse-funds-from-bank.ts';
import { geoResolution } from './geo-resolution.ts';
import { mapperResolution } from './mapper-resolution.ts';
import { mt940Processor } from './mt940-processor.ts';
import { releaseFundsWithBank } from './release-funds-with-bank.ts';
import { warehouseAllocation } from './warehouse-allocation.ts';
import { warehouseNotification } from './warehouse-notification.ts';

/** The stages of the pipeline, in its order. */
export function createStages(context: StageContext): Stage[] {
  return [
    mapperResolution(context),
    checkFundsWithBank(context),
    blockFundsWithBank(context),
    disburseFundsFromBank(context),
    mt940Processor(context),
    geoResolution(context),
    warehouseAllocation(context),
    agencyAllocation(context),
    warehouseNotification(context),
    agencyNotification(context),
    beneficiaryNotification(context),
    releaseFundsWithBank(context),
  ];
}
