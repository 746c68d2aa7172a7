import type { BankConnectorSettings } from '../connectors/bank/bank-connector.ts';
import type { CircuitSettings } from '../connectors/circuit/circuit.ts';
import type { GeoResolverSettings } from '../connectors/geo/geo-resolver.ts';
import type { FaStrategies } from '../connectors/mapper/deconstruct-fa.ts';
import type { MapperConnectorSettings } from '../connectors/mapper/mapper-connector.ts';
import type { TrustSettings } from '../connectors/mapper/trust/open.ts';
import type { NotificationConnectorSettings } from '../connectors/notification/notification-connector.ts';
import type { ReadOnlySettings } from '../connectors/read-only-database.ts';
import type { Settings } from './settings.ts';

/** When calls to a system outside pause, and for how long. */
export function circuitSettings(settings: Settings): CircuitSettings {
  return {
    failureThreshold: settings.circuit_failure_threshold,
    pauseMs: settings.circuit_pause_seconds * 1000,
    pauseMaxMs: settings.circuit_pause_max_seconds * 1000,
  };
}

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

/**
 * By what the mapper knows that requests are ours. What is neither switched on nor off is on when it is configured.
 *
 * @returns what signs and where tokens come from; null where nothing does
 */
export function trustSettings(settings: Settings): TrustSettings {
  return { signing: signingSettings(settings), oauth: oauthSettings(settings) };
}

function signingSettings(settings: Settings): TrustSettings['signing'] {
  const { crypto_signing_key_path: path, keymanager_api_base_url: apiUrl } = settings;
  if (settings.mapper_request_jwt_enabled === false) return null;
  if (path !== '') {
    const { crypto_signing_key_password: password, crypto_signing_key_kid: kid } = settings;
    return { kind: 'key_file', file: { path, password, kid } };
  }
  if (apiUrl === null) return null;
  const keyManager = {
    apiUrl,
    applicationId: settings.sign_key_keymanager_app_id,
    referenceId: settings.sign_key_keymanager_ref_id,
    connectTimeoutMs: settings.mapper_connect_timeout_ms,
    requestTimeoutMs: settings.keymanager_api_timeout * 1_000,
    connectionsMax: settings.mapper_connections_max,
  };
  return { kind: 'key_manager', keyManager };
}

function oauthSettings(settings: Settings): TrustSettings['oauth'] {
  if (settings.oauth_enabled === false || settings.oauth_url === null) return null;
  return {
    tokenUrl: settings.oauth_url,
    clientId: settings.oauth_client_id,
    clientSecret: settings.oauth_client_secret,
    connectTimeoutMs: settings.mapper_connect_timeout_ms,
    requestTimeoutMs: settings.keymanager_api_timeout * 1_000,
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
