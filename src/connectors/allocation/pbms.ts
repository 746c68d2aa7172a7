/** The built-in allocators of warehouses and of agencies, which share a name in the settings. */
export { createAgencyAllocator } from './pbms-agency.ts';
export { createWarehouseAllocator } from './pbms-warehouse.ts';
