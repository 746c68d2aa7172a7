import { agencyTables } from '../pbms/tables.ts';
import type { Allocator } from './allocator.ts';
import { type PbmsAllocatorSettings, pbmsAllocator } from './pbms-candidates.ts';

/**
 * The agencies of small zones, as PBMS links them.
 *
 * @throws TypeError when there is no PBMS database
 */
export function createAgencyAllocator(settings: PbmsAllocatorSettings): Allocator {
  return pbmsAllocator(agencyTables, settings);
}
