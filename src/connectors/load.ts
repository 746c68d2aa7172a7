import type { Allocator } from './allocation/allocator.ts';
import type { PbmsAllocatorSettings } from './allocation/pbms-candidates.ts';
import type { BankConnector, BankConnectorSettings } from './bank/bank-connector.ts';
import type { GeoResolver, GeoResolverSettings } from './geo/geo-resolver.ts';
import { create, notLoaded } from './load/module.ts';
import type { MapperConnector, MapperConnectorSettings } from './mapper/mapper-connector.ts';
import type {
  NotificationConnector,
  NotificationConnectorSettings,
} from './notification/notification-connector.ts';

/** A connector named in the configuration, with options. */
export interface ConnectorImpl {
  /** A built-in name, a package name or a path; see {@link loadBankConnectors}. */
  readonly module: string;
  /** Passed to the connector unchecked. */
  readonly options: Readonly<Record<string, unknown>>;
}

const BANK = {
  methods: ['checkFunds', 'blockFunds', 'initiatePayment', 'reconciliationId', 'reversalReason'],
  optional: ['inquirePayment', 'releaseBlock', 'close'],
};
const MAPPER = { methods: ['resolve'], optional: ['close'] };
const GEO_RESOLVER = { methods: ['resolve'], optional: ['close'] };
const ALLOCATOR = { methods: ['candidates'], optional: ['choose', 'close'] };
const NOTIFICATION = { methods: ['send'], optional: ['close'] };

/**
 * Loads a connector for every sponsor bank code.
 *
 * A module is named `example-bank`, by the name of an installed package, or by a path. Packages and relative paths are
 * looked up from `folder`, so a deployment adds its own without touching the product. The module exports
 * `createBankConnector(settings: BankConnectorSettings)`, which returns a {@link BankConnector} or a promise of one.
 *
 * @param impls which module serves which bank code
 * @param settings what all of them are created with
 * @param folder where to look from; the working directory unless told otherwise
 * @returns the connectors by bank code
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadBankConnectors(
  impls: Readonly<Record<string, ConnectorImpl>>,
  settings: Omit<BankConnectorSettings, 'bankCode' | 'options'>,
  folder: string = process.cwd(),
): Promise<ReadonlyMap<string, BankConnector>> {
  const connectors = new Map<string, BankConnector>();
  for (const [bankCode, { module: specifier, options }] of Object.entries(impls)) {
    const source = { setting: `G2P_BRIDGE_BANK_CONNECTORS_IMPLS (${bankCode})`, specifier, folder };
    const connector = await create(source, 'createBankConnector', { ...settings, bankCode, options }, BANK);
    if (typeof connector.blockIsIdempotent !== 'boolean') {
      throw notLoaded(source, 'made a connector whose blockIsIdempotent is not true or false');
    }
    connectors.set(bankCode, connector as unknown as BankConnector);
  }
  return connectors;
}

/**
 * Loads the mapper connector, named `spar`, by package name or by path like {@link loadBankConnectors}. The module
 * exports `createMapperConnector(settings: MapperConnectorSettings)`.
 *
 * @param specifier the module
 * @param settings what it is created with
 * @param folder where to look from; the working directory unless told otherwise
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadMapperConnector(
  specifier: string,
  settings: MapperConnectorSettings,
  folder: string = process.cwd(),
): Promise<MapperConnector> {
  const source = { setting: 'G2P_BRIDGE_MAPPER_CONNECTOR_IMPL', specifier, folder };
  const connector = await create(source, 'createMapperConnector', settings, MAPPER);
  return connector as unknown as MapperConnector;
}

/**
 * Loads a resolver for every target registry, named `farmer-registry`, by package name or by path like
 * {@link loadBankConnectors}. The module exports `createGeoResolver(settings: GeoResolverSettings)`.
 *
 * @param impls which module serves which target registry; names that differ in case only are one registry
 * @param settings what all of them are created with
 * @param folder where to look from; the working directory unless told otherwise
 * @returns the resolvers by target registry, in small letters
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadGeoResolvers(
  impls: Readonly<Record<string, ConnectorImpl>>,
  settings: Omit<GeoResolverSettings, 'targetRegistry' | 'options'>,
  folder: string = process.cwd(),
): Promise<ReadonlyMap<string, GeoResolver>> {
  const resolvers = new Map<string, GeoResolver>();
  for (const [registry, { module: specifier, options }] of Object.entries(impls)) {
    const source = { setting: `G2P_BRIDGE_GEO_RESOLVERS_IMPLS (${registry})`, specifier, folder };
    const targetRegistry = registry.toLowerCase();
    const all = { ...settings, targetRegistry, options };
    const resolver = await create(source, 'createGeoResolver', all, GEO_RESOLVER);
    resolvers.set(targetRegistry, resolver as unknown as GeoResolver);
  }
  return resolvers;
}

/**
 * Loads the allocator of warehouses, named `pbms`, by package name or by path like {@link loadBankConnectors}. The
 * module exports `createWarehouseAllocator(settings: AllocatorSettings)`.
 *
 * @param specifier the module
 * @param settings what it is created with
 * @param folder where to look from; the working directory unless told otherwise
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadWarehouseAllocator(
  specifier: string,
  settings: PbmsAllocatorSettings,
  folder: string = process.cwd(),
): Promise<Allocator> {
  const source = { setting: 'G2P_BRIDGE_WAREHOUSE_ALLOCATOR_IMPL', specifier, folder };
  const allocator = await create(source, 'createWarehouseAllocator', settings, ALLOCATOR);
  return allocator as unknown as Allocator;
}

/**
 * Loads the allocator of agencies like {@link loadWarehouseAllocator}. The module exports
 * `createAgencyAllocator(settings: AllocatorSettings)`.
 *
 * @param specifier the module
 * @param settings what it is created with
 * @param folder where to look from; the working directory unless told otherwise
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadAgencyAllocator(
  specifier: string,
  settings: PbmsAllocatorSettings,
  folder: string = process.cwd(),
): Promise<Allocator> {
  const source = { setting: 'G2P_BRIDGE_AGENCY_ALLOCATOR_IMPL', specifier, folder };
  const allocator = await create(source, 'createAgencyAllocator', settings, ALLOCATOR);
  return allocator as unknown as Allocator;
}

/**
 * Loads the notification connector, named `novu`, by package name or by path like {@link loadBankConnectors}. The
 * module exports `createNotificationConnector(settings: NotificationConnectorSettings)`.
 *
 * @param specifier the module
 * @param settings what it is created with
 * @param folder where to look from; the working directory unless told otherwise
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadNotificationConnector(
  specifier: string,
  settings: NotificationConnectorSettings,
  folder: string = process.cwd(),
): Promise<NotificationConnector> {
  const source = { setting: 'G2P_BRIDGE_NOTIFICATION_CONNECTOR_IMPL', specifier, folder };
  const connector = await create(source, 'createNotificationConnector', settings, NOTIFICATION);
  const { bulkMax } = connector;
  if (typeof bulkMax !== 'number' || !Number.isInteger(bulkMax) || bulkMax < 1) {
    throw notLoaded(source, 'made a connector whose bulkMax is not a whole number from 1');
  }
  return connector as unknown as NotificationConnector;
}
