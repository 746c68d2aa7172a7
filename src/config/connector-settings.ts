import type { BankConnectorSettings } from '../connectors/bank/bank-connector.ts';
import type { FaStrategies } from '../connectors/mapper/deconstruct-fa.ts';
import type { MapperConnectorSettings } from '../connectors/mapper/mapper-connector.ts';
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

/** The compiled patterns by the type of address they take apart. */
export function faStrategies(settings: Settings): FaStrategies {
  return {
    BANK_ACCOUNT: settings.bank_fa_deconstruct_strategy,
    MOBILE_WALLET: settings.mobile_wallet_deconstruct_strategy,
    EMAIL_WALLET: settings.email_wallet_deconstruct_strategy,
  };
}
