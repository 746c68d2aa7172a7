import {
  bankConnectorSettings,
  type Config,
  faStrategies,
  geoResolverSettings,
  mapperConnectorSettings,
  notificationConnectorSettings,
  pbmsSettings,
  type SponsorBank,
  sponsorBankOf,
  sponsorBankOfAccount,
} from '../config.ts';
import type { Allocator } from '../connectors/allocation/allocator.ts';
import type { BankConnector } from '../connectors/bank/bank-connector.ts';
import type { GeoResolver } from '../connectors/geo/geo-resolver.ts';
import {
  loadAgencyAllocator,
  loadBankConnectors,
  loadGeoResolvers,
  loadMapperConnector,
  loadNotificationConnector,
  loadWarehouseAllocator,
} from '../connectors/load.ts';
import type { FaStrategies } from '../connectors/mapper/deconstruct-fa.ts';
import type { MapperConnector } from '../connectors/mapper/mapper-connector.ts';
import type { NotificationConnector } from '../connectors/notification/notification-connector.ts';
import { pbmsSponsorBanks } from '../connectors/pbms/sponsor-banks.ts';
import { openReadOnly, type ReadOnlyDatabase } from '../connectors/read-only-database.ts';

/** Which bank and account pay for a benefit. Whether the bank has a connector is for the caller to check. */
export interface SponsorBanks {
  /** The setting or the table that says so, as messages name it. */
  readonly source: string;
  /** What is to be done after the source has been corrected, as messages say it: `restart and retry`, `then retry`. */
  readonly remedy: string;
  /**
   * @returns undefined when nobody is named
   * @throws ConnectorError PBMS_UNAVAILABLE, PBMS_QUERY_FAILED
   */
  of(programId: string | number, benefitCodeId: string | number): Promise<SponsorBank | undefined>;
  /**
   * @returns undefined when the account pays for nothing
   * @throws ConnectorError PBMS_UNAVAILABLE, PBMS_QUERY_FAILED
   */
  ofAccount(accountNumber: string): Promise<SponsorBank | undefined>;
}

/** What goods, services and physical cash need besides. */
export interface InKind {
  /** By target registry, in small letters. */
  readonly geoResolvers: ReadonlyMap<string, GeoResolver>;
  readonly warehouses: Allocator;
  readonly agencies: Allocator;
}

/** Everything outside that the stages work with. */
export interface Connectors {
  /** Bank connectors by sponsor bank code. */
  readonly banks: ReadonlyMap<string, BankConnector>;
  readonly mapper: MapperConnector;
  readonly faStrategies: FaStrategies;
  readonly sponsorBanks: SponsorBanks;
  /** Null unless `in_kind_enabled`. */
  readonly inKind: InKind | null;
  /** Null unless `in_kind_enabled`. */
  readonly notifier: NotificationConnector | null;
  /** Closes all of them; called once, when no stage is at work. */
  close(): Promise<void>;
}

interface Closeable {
  close?(): Promise<void>;
}

/**
 * Makes everything outside that the configuration names. Nothing is contacted yet.
 *
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting
 */
export async function openConnectors(config: Config): Promise<Connectors> {
  const opened: Closeable[] = [];
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one.close?.();
  };
  try {
    return { ...(await open(config, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(config: Config, opened: Closeable[]): Promise<Omit<Connectors, 'close'>> {
  const banks = await loadBankConnectors(config.bank_connectors_impls, bankConnectorSettings(config));
  opened.push(...banks.values());
  const mapper = await loadMapperConnector(config.mapper_connector_impl, mapperConnectorSettings(config));
  opened.push(mapper);
  const cash = { banks, mapper, faStrategies: faStrategies(config) };
  if (!config.in_kind_enabled || config.db_datasource_pbms === null) {
    return { ...cash, sponsorBanks: configuredSponsorBanks(config), inKind: null, notifier: null };
  }
  const pbms = openReadOnly(pbmsSettings(config, config.db_datasource_pbms));
  opened.push(pbms);
  const inKind = await openInKind(config, pbms, opened);
  const notifier = await loadNotificationConnector(
    config.notification_connector_impl,
    notificationConnectorSettings(config),
  );
  opened.push(notifier);
  return { ...cash, sponsorBanks: sponsorBanksOfPbms(pbms), inKind, notifier };
}

async function openInKind(config: Config, pbms: ReadOnlyDatabase, opened: Closeable[]): Promise<InKind> {
  const geoResolvers = await loadGeoResolvers(config.geo_resolvers_impls, geoResolverSettings(config));
  opened.push(...geoResolvers.values());
  const settings = { pbmsUrl: config.db_datasource_pbms, pbms, options: {} };
  const warehouses = await loadWarehouseAllocator(config.warehouse_allocator_impl, settings);
  opened.push(warehouses);
  const agencies = await loadAgencyAllocator(config.agency_allocator_impl, settings);
  opened.push(agencies);
  return { geoResolvers, warehouses, agencies };
}

function configuredSponsorBanks({ sponsor_bank_configurations: configured }: Config): SponsorBanks {
  return {
    source: 'sponsor_bank_configurations',
    remedy: 'restart and retry',
    of: async (programId, benefitCodeId) => sponsorBankOf(configured, programId, benefitCodeId),
    ofAccount: async (accountNumber) => sponsorBankOfAccount(configured, accountNumber),
  };
}

function sponsorBanksOfPbms(pbms: ReadOnlyDatabase): SponsorBanks {
  const banks = pbmsSponsorBanks(pbms);
  return {
    source: 'g2p_warehouse_program_benefit_codes of PBMS',
    remedy: 'then retry',
    of: (programId, benefitCodeId) => banks.of(String(programId), String(benefitCodeId)),
    ofAccount: (accountNumber) => banks.ofAccount(accountNumber),
  };
}
