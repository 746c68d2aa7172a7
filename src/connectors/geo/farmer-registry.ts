import { and, isNotNull, sql } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import type { CallContext } from '../call-context.ts';
import { asText, isOneOf } from '../id-list.ts';
import { openReadOnly, type ReadOnlyDatabase } from '../read-only-database.ts';
import type { GeoResolver, GeoResolverSettings, Located } from './geo-resolver.ts';

/** The farmers of OpenG2P's farmer registry with the areas they live in; ids may be integers as well. */
const farmers = pgTable('g2p_farmer_registry', {
  id: text(),
  link_registry_id: text(),
  name: text(),
  large_area_id: text(),
  large_area_code: text(),
  small_area_id: text(),
  small_area_code: text(),
});

/**
 * The resolver for the farmer registry, and the model for others: one query of the registry's database per call. The
 * registry has no telephone numbers and no e-mail addresses.
 *
 * @throws TypeError when there is no database URL
 */
export function createGeoResolver(settings: GeoResolverSettings): GeoResolver {
  const { databaseUrl: url, connectionsMax, connectTimeoutMs, queryTimeoutMs } = settings;
  if (url === null) throw new TypeError('the farmer registry needs db_datasource_registry');
  const limits = { connectionsMax, connectTimeoutMs, queryTimeoutMs };
  const registry = openReadOnly({ name: 'REGISTRY', url, ...limits });
  return {
    resolve: (beneficiaryIds, ctx) => resolve(registry, beneficiaryIds, ctx),
    close: () => registry.close(),
  };
}

async function resolve(
  registry: ReadOnlyDatabase,
  beneficiaryIds: readonly string[],
  ctx: CallContext,
): Promise<readonly Located[]> {
  if (beneficiaryIds.length === 0) return [];
  const rows = await registry.query(
    (orm) =>
      orm
        // A beneficiary who was entered twice lives where the first entry says.
        .selectDistinctOn([farmers.link_registry_id], {
          beneficiaryId: asText(farmers.link_registry_id),
          name: farmers.name,
          largeId: asText(farmers.large_area_id),
          largeCode: sql<string>`coalesce(${farmers.large_area_code}::text, ${farmers.large_area_id}::text)`,
          smallId: asText(farmers.small_area_id),
          smallCode: sql<string>`coalesce(${farmers.small_area_code}::text, ${farmers.small_area_id}::text)`,
        })
        .from(farmers)
        .where(
          and(
            isOneOf(farmers.link_registry_id, beneficiaryIds),
            isNotNull(farmers.large_area_id),
            isNotNull(farmers.small_area_id),
          ),
        )
        .orderBy(farmers.link_registry_id, farmers.id),
    ctx,
  );
  return rows.map(({ beneficiaryId, name, largeId, largeCode, smallId, smallCode }) => ({
    beneficiaryId,
    largeZone: { id: largeId, mnemonic: largeCode },
    smallZone: { id: smallId, mnemonic: smallCode },
    name,
    phone: null,
    email: null,
  }));
}
