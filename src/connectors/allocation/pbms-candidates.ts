import { and, eq, sql } from 'drizzle-orm';
import type { CallContext } from '../call-context.ts';
import { asText, isOneOf } from '../id-list.ts';
import type { ServerTables } from '../pbms/tables.ts';
import type { ReadOnlyDatabase } from '../read-only-database.ts';
import type { AllocationRequest, Allocator, AllocatorSettings, Candidate } from './allocator.ts';

/** What the allocators of PBMS are created with besides. */
export interface PbmsAllocatorSettings extends AllocatorSettings {
  /** The PBMS database, shared with others; not the allocator's to close. */
  readonly pbms: ReadOnlyDatabase | null;
}

/**
 * An allocator that takes its candidates from PBMS: those who serve the program with the benefit code and are linked to
 * the zone. One query per call, whatever the number of zones.
 *
 * @param tables those of warehouses or of agencies
 * @throws TypeError when there is no PBMS database
 */
export function pbmsAllocator(
  tables: ServerTables,
  { pbms }: Pick<PbmsAllocatorSettings, 'pbms'>,
): Allocator {
  if (pbms === null) throw new TypeError('the allocator needs db_datasource_pbms');
  return {
    candidates: async (request, ctx) => {
      if (request.zones.length === 0) return new Map();
      const rows = await rowsOf(pbms, tables, request, ctx);
      const candidates = new Map<string, Candidate[]>();
      for (const { zoneId, ...candidate } of rows) {
        const ofZone = candidates.get(zoneId);
        if (ofZone) ofZone.push(candidate);
        else candidates.set(zoneId, [candidate]);
      }
      return candidates;
    },
  };
}

/** A row per zone and candidate. */
function rowsOf(
  pbms: ReadOnlyDatabase,
  { servers, programs, zones }: ServerTables,
  request: AllocationRequest,
  ctx: CallContext,
) {
  const zoneIds = request.zones.map((zone) => zone.id);
  return pbms.query(
    (orm) =>
      orm
        // Of several rows for one benefit the first one counts.
        .selectDistinctOn([zones.zone_id, servers.id], {
          zoneId: asText(zones.zone_id),
          id: asText(servers.id),
          mnemonic: sql<string>`coalesce(${servers.mnemonic}, ${programs.mnemonic}, ${servers.id}::text)`,
          name: servers.name,
          adminName: servers.admin_name,
          adminEmail: servers.admin_email,
          adminPhone: servers.admin_mobile,
          additionalAttributes: programs.additional_info,
        })
        .from(programs)
        .innerJoin(servers, eq(asText(servers.id), asText(programs.server_id)))
        .innerJoin(zones, eq(asText(zones.server_id), asText(servers.id)))
        .where(
          and(
            eq(asText(programs.program_id), request.programId),
            eq(asText(programs.benefit_code_id), request.benefitCodeId),
            isOneOf(zones.zone_id, zoneIds),
          ),
        )
        .orderBy(zones.zone_id, servers.id, programs.id),
    ctx,
  );
}
