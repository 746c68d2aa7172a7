import {
  bankConnectorSettings,
  type Config,
  circuitSettings,
  faStrategies,
  geoResolverSettings,
  mapperConnectorSettings,
  notificationConnectorSettings,
  pbmsSettings,
  type SponsorBank,
  sponsorBankOf,
  sponsorBankOfAccount,
  trustSettings,
} from '../config.ts';
import type { Allocator } from '../connectors/allocation/allocator.ts';
import type { BankConnector } from '../connectors/bank/bank-connector.ts';
import { Circuits } from '../connectors/circuit/circuits.ts';
import { guardBank } from '../connectors/circuit/guard-bank.ts';
import { guardNotifier, type PausingNotifier } from '../connectors/circuit/guard-notifier.ts';
import {
  guardAllocator,
  guardDatabase,
  guardGeoResolver,
  guardMapper,
} from '../connectors/circuit/guards.ts';
import { bankSystem, MAPPER, NOTIFICATION, PBMS, registrySystem } from '../connectors/circuit/systems.ts';
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
import { openTrust } from '../connectors/mapper/trust/open.ts';
import { pbmsSponsorBanks } from '../connectors/pbms/sponsor-banks.ts';
import { openReadOnly, type ReadOnlyDatabase } from '../connectors/read-only-database.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';

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
  readonly notifier: PausingNotifier | null;
  /** The circuits that all of them are called through. */
  readonly circuits: Circuits;
  /** Closes all of them; called once, when no stage is at work. */
  close(): Promise<void>;
}

interface Closeable {
  close?(): Promise<void>;
}

/**
 * Makes everything outside that the configuration names. Nothing is contacted yet.
 *
 * @param clock what pauses of calls are measured by, since work is postponed to their ends
 * @throws ConnectorError CONNECTOR_NOT_LOADED, SIGNING_KEY_UNUSABLE in one line that names the setting
 */
export async function openConnectors(config: Config, clock: Clock = systemClock): Promise<Connectors> {
  const opened: Closeable[] = [];
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one.close?.();
  };
  try {
    return { ...(await open(config, clock, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(config: Config, clock: Clock, opened: Closeable[]): Promise<Omit<Connectors, 'close'>> {
  const circuits = new Circuits(circuitSettings(config), () => clock.now().getTime());
  const banks = await loadBankConnectors(config.bank_connectors_impls, bankConnectorSettings(config));
  opened.push(...banks.values());
  const trust = await openTrust(trustSettings(config));
  opened.push(trust);
  const mapper = await loadMapperConnector(config.mapper_connector_impl, {
    ...mapperConnectorSettings(config),
    ...trust.settings,
  });
  opened.push(mapper);
  const cash = {
    banks: mapValues(banks, (bank, code) => guardBank(bank, circuits.of(bankSystem(code)))),
    mapper: guardMapper(mapper, circuits.of(MAPPER)),
    faStrategies: faStrategies(config),
    circuits,
  };
  if (!config.in_kind_enabled || config.db_datasource_pbms === null) {
    return { ...cash, sponsorBanks: configuredSponsorBanks(config), inKind: null, notifier: null };
  }
  const pbms = openReadOnly(pbmsSettings(config, config.db_datasource_pbms));
  opened.push(pbms);
  const inKind = await openInKind(config, pbms, circuits, opened);
  const notifier = await loadNotificationConnector(
    config.notification_connector_impl,
    notificationConnectorSettings(config),
  );
  opened.push(notifier);
  return {
    ...cash,
    sponsorBanks: sponsorBanksOfPbms(guardDatabase(pbms, circuits.of(PBMS))),
    inKind,
    notifier: guardNotifier(notifier, circuits.of(NOTIFICATION)),
  };
}

async function openInKind(
  config: Config,
  pbms: ReadOnlyDatabase,
  circuits: Circuits,
  opened: Closeable[],
): Promise<InKind> {
  const geoResolvers = await loadGeoResolvers(config.geo_resolvers_impls, geoResolverSettings(config));
  opened.push(...geoResolvers.values());
  const settings = { pbmsUrl: config.db_datasource_pbms, pbms, options: {} };
  const warehouses = await loadWarehouseAllocator(config.warehouse_allocator_impl, settings);
  opened.push(warehouses);
  const agencies = await loadAgencyAllocator(config.agency_allocator_impl, settings);
  opened.push(agencies);
  return {
    geoResolvers: mapValues(geoResolvers, (one, registry) =>
      guardGeoResolver(one, circuits.of(registrySystem(registry))),
    ),
    warehouses: guardAllocator(warehouses, circuits.of(PBMS)),
    agencies: guardAllocator(agencies, circuits.of(PBMS)),
  };
}

const mapValues = <T>(map: ReadonlyMap<string, T>, change: (value: T, key: string) => T): Map<string, T> =>
  new Map([...map].map(([key, value]) => [key, change(value, key)]));

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
