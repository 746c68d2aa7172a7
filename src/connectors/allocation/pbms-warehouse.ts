import { warehouseTables } from '../pbms/tables.ts';
import type { Allocator, AllocatorSettings } from './allocator.ts';
import { pbmsAllocator } from './pbms-candidates.ts';

/**
 * The warehouses of large zones, as PBMS links them.
 *
 * @throws TypeError when there is no PBMS database
 */
export function createWarehouseAllocator(settings: AllocatorSettings): Allocator {
  return pbmsAllocator(warehouseTables, settings);
}
