import { agencyTables } from '../pbms/tables.ts';
import type { Allocator, AllocatorSettings } from './allocator.ts';
import { pbmsAllocator } from './pbms-candidates.ts';

/**
 * The agencies of small zones, as PBMS links them.
 *
 * @throws TypeError when there is no PBMS database
 */
export function createAgencyAllocator(settings: AllocatorSettings): Allocator {
  return pbmsAllocator(agencyTables, settings);
}
