import { warehouseTables } from '../pbms/tables.ts';
import type { Allocator } from './allocator.ts';
import { type PbmsAllocatorSettings, pbmsAllocator } from './pbms-candidates.ts';

/**
 * The warehouses of large zones, as PBMS links them.
 *
 * @throws TypeError when there is no PBMS database
 */
export function createWarehouseAllocator(settings: PbmsAllocatorSettings): Allocator {
  return pbmsAllocator(warehouseTables, settings);
}
