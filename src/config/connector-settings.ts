import type { BankConnectorSettings } from '../connectors/bank/bank-connector.ts';
import type { GeoResolverSettings } from '../connectors/geo/geo-resolver.ts';
import type { FaStrategies } from '../connectors/mapper/deconstruct-fa.ts';
import type { MapperConnectorSettings } from '../connectors/mapper/mapper-connector.ts';
import type { NotificationConnectorSettings } from '../connectors/notification/notification-connector.ts';
import type { ReadOnlySettings } from '../connectors/read-only-database.ts';
import type { Settings } from './settings.ts';

/** What bank connectors are created with, as the loader takes it. */
export function bankConnectorSettings(
  settings: Settings,
): Omit<BankConnectorSettings, 'bankCode' | 'options'> {
  return {
    apiUrl: settings.example_bank_api_url,
    connectTimeoutMs: settings.bank_connect_timeout_ms,
    requestTimeoutMs: settings.bank_request_timeout_ms,
    responseBytesMax: settings.bank_response_bytes_max,
    connectionsMax: settings.bank_connections_max,
  };
}

/** What the mapper connector is created with, as the loader takes it. */
export function mapperConnectorSettings(settings: Settings): MapperConnectorSettings {
  return {
    apiUrl: settings.mapper_api_url,
    senderId: settings.mapper_request_sender_id,
    connectTimeoutMs: settings.mapper_connect_timeout_ms,
    requestTimeoutMs: settings.mapper_request_timeout_ms,
    responseBytesMax: settings.mapper_response_bytes_max,
    connectionsMax: settings.mapper_connections_max,
  };
}

/** What the PBMS database is opened with. */
export function pbmsSettings(settings: Settings, url: string): ReadOnlySettings {
  return {
    name: 'PBMS',
    url,
    connectionsMax: settings.pbms_connections_max,
    connectTimeoutMs: settings.pbms_connect_timeout_ms,
    queryTimeoutMs: settings.pbms_query_timeout_ms,
  };
}

/** What geo resolvers are created with, as the loader takes it. */
export function geoResolverSettings(
  settings: Settings,
): Omit<GeoResolverSettings, 'targetRegistry' | 'options'> {
  return {
    databaseUrl: settings.db_datasource_registry,
    connectionsMax: settings.registry_connections_max,
    connectTimeoutMs: settings.registry_connect_timeout_ms,
    queryTimeoutMs: settings.registry_query_timeout_ms,
  };
}

/** What the notification connector is created with, as the loader takes it. */
export function notificationConnectorSettings(settings: Settings): NotificationConnectorSettings {
  return {
    apiUrl: settings.novu_api_url,
    apiKey: settings.novu_api_key,
    workflowIds: {
      WAREHOUSE_NOTIFICATION: settings.novu_warehouse_workflow_id,
      AGENCY_NOTIFICATION: settings.novu_agency_workflow_id,
      BENEFICIARY_NOTIFICATION: settings.novu_beneficiary_workflow_id,
    },
    connectTimeoutMs: settings.notification_connect_timeout_ms,
    requestTimeoutMs: settings.notification_request_timeout_ms,
    responseBytesMax: settings.notification_response_bytes_max,
    connectionsMax: settings.notification_connections_max,
    bulkMax: settings.notification_bulk_size,
    options: {},
  };
}

/** The compiled patterns by the type of address they take apart. */
export function faStrategies(settings: Settings): FaStrategies {
  return {
    BANK_ACCOUNT: settings.bank_fa_deconstruct_strategy,
    MOBILE_WALLET: settings.mobile_wallet_deconstruct_strategy,
    EMAIL_WALLET: settings.email_wallet_deconstruct_strategy,
  };
}
