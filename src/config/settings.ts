import { sponsorBanksSchema } from './bank-settings.ts';
import {
  BANK_CONNECTORS_DEFAULT,
  bankConnectorsSchema,
  GEO_RESOLVERS_DEFAULT,
  geoResolversSchema,
} from './impl-settings.ts';
import { roleNamesSchema } from './role-names.ts';
import {
  asciiText,
  faStrategy,
  flag,
  httpUrl,
  issuerUrl,
  json,
  list,
  networks,
  oneOf,
  optional,
  origins,
  postgresUrl,
  rootPath,
  someOf,
  someText,
  text,
  type ValueType,
  whole,
} from './values.ts';

/** Algorithms that partners may sign with. Neither `none` nor HMAC can ever be among them. */
const SIGNATURE_ALGORITHMS = ['RS256', 'ES256'] as const;

/** One setting: how its text is read, and the text that stands for it when there is none. */
export interface Setting<T> {
  readonly type: ValueType<T>;
  readonly defaultText: string;
  /** False when the setting is accepted, so that an existing environment starts, but changes nothing. */
  readonly hasEffect: boolean;
  /** Whether the value must never be shown. */
  readonly isSecret: boolean;
}

const HOUR_SECONDS = '3600';
const ATTEMPTS = '3';

/** Seconds between two ticks: from one second to a month. */
const seconds = whole(1, 31 * 86_400);
const attempts = whole(1, 1_000);
const milliseconds = whole(1, 3_600_000);
const connections = whole(1, 1_000);

/** A year: no delay of the pipeline is longer. */
const YEAR_SECONDS = 366 * 86_400;
const GIGABYTE = 1_073_741_824;
/** Novu takes no more events in one request. */
const NOVU_BULK_MAX = 100;

/**
 * Every setting by its name, which in the environment is in capitals behind `G2P_BRIDGE_`. Names and defaults are those
 * of the Celery modules where they had one. `.env.example` says what each is for.
 */
export const SETTINGS = {
  // The process
  role: setting(oneOf('all', 'api', 'worker'), 'all'),
  host: setting(someText, '127.0.0.1'),
  port: setting(whole(0, 65_535), '8000'),
  root_path: setting(rootPath, ''),
  log_level: setting(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'info'),
  shutdown_grace_seconds: setting(whole(0, 3_600), '30'),
  request_body_bytes_max: setting(whole(1_024, GIGABYTE), '16777216'),
  statement_bytes_max: setting(whole(1_024, GIGABYTE), '67108864'),
  known_program_mnemonics: setting(list, ''),
  request_replay_window_seconds: setting(whole(1, YEAR_SECONDS), '86400'),

  // Whose requests are taken
  signature_validation_enabled: setting(flag, 'false'),
  crypto_allowed_algorithms: setting(someOf(...SIGNATURE_ALGORITHMS), 'RS256,ES256'),
  partner_mgmt_api_url: setting(optional(httpUrl), ''),
  partner_key_cache_ttl_seconds: setting(whole(1, 86_400), '300'),
  partner_key_hard_ttl_seconds: setting(whole(1, YEAR_SECONDS), '21600'),
  partner_key_negative_ttl_seconds: setting(whole(1, 86_400), '30'),
  partner_key_refresh_cooldown_seconds: setting(whole(1, 3_600), '10'),
  partner_key_fetch_timeout_seconds: setting(whole(1, 60), '3'),
  partner_jwks_file: setting(text, ''),
  partner_requests_per_minute: setting(whole(0, 1_000_000), '6000'),
  trusted_proxies: setting(networks, ''),
  mt940_upload_token: setting(asciiText, '').keptSecret(),
  feed_clients_max: setting(whole(1, 100_000), '1000'),

  // Operators
  operator_access: setting(oneOf('token', 'loopback'), 'token'),
  operator_origins: setting(origins, ''),
  operator_oidc_issuer: setting(optional(issuerUrl), ''),
  operator_oidc_jwks_url: setting(optional(httpUrl), ''),
  operator_oidc_audience: setting(list, ''),
  operator_oidc_client_id: setting(text, ''),
  operator_oidc_connect_origins: setting(origins, ''),
  operator_oidc_scope: setting(someText, 'openid profile'),
  operator_role_claim: setting(someText, 'roles'),
  operator_role_names: setting(json(roleNamesSchema), '{}'),

  // Databases
  db_datasource_bridge: setting(optional(postgresUrl), ''),
  db_datasource_pbms: setting(optional(postgresUrl), ''),
  db_datasource_registry: setting(optional(postgresUrl), ''),
  db_pool_max: setting(connections, '10'),
  data_dir: setting(someText, './data'),
  embedded_postgres_port: setting(whole(1, 65_535), '54329'),

  // Dispatching work
  dispatch_mode: setting(oneOf('event', 'tick'), 'event'),
  no_of_tasks_to_process: setting(whole(1, 10_000), '2'),
  task_stale_threshold_minutes: setting(whole(1, 525_600), '60'),
  process_future_disbursement_schedules: setting(flag, 'false'),
  worker_concurrency: setting(whole(1, 1_000), '4'),
  retry_backoff_base_seconds: setting(whole(1, YEAR_SECONDS), '30'),
  retry_backoff_max_seconds: setting(whole(1, YEAR_SECONDS), '3600'),
  journal_retention_days: setting(whole(0, 36_600), '400'),
  circuit_failure_threshold: setting(whole(0, 1_000), '3'),
  circuit_pause_seconds: setting(whole(1, 3_600), '10'),
  circuit_pause_max_seconds: setting(whole(1, 3_600), '300'),

  // Seconds between the ticks of each stage
  mapper_resolve_frequency: setting(seconds, HOUR_SECONDS),
  funds_available_check_frequency: setting(seconds, HOUR_SECONDS),
  funds_blocked_frequency: setting(seconds, HOUR_SECONDS),
  funds_disbursement_frequency: setting(seconds, HOUR_SECONDS),
  mt940_processor_frequency: setting(seconds, HOUR_SECONDS),
  geo_resolution_frequency: setting(seconds, HOUR_SECONDS),
  warehouse_allocation_frequency: setting(seconds, HOUR_SECONDS),
  agency_allocation_frequency: setting(seconds, HOUR_SECONDS),
  warehouse_notification_frequency: setting(seconds, HOUR_SECONDS),
  agency_notification_frequency: setting(seconds, HOUR_SECONDS),
  beneficiary_notification_frequency: setting(seconds, HOUR_SECONDS),
  funds_release_frequency: setting(seconds, HOUR_SECONDS),

  // Attempts of each stage before it stops in ERROR
  mapper_resolution_max_attempts: setting(attempts, ATTEMPTS),
  check_funds_with_bank_max_attempts: setting(attempts, ATTEMPTS),
  block_funds_with_bank_max_attempts: setting(attempts, ATTEMPTS),
  disburse_funds_with_bank_max_attempts: setting(attempts, ATTEMPTS),
  mt940_processor_max_attempts: setting(attempts, ATTEMPTS),
  geo_resolution_max_attempts: setting(attempts, ATTEMPTS),
  warehouse_allocation_max_attempts: setting(attempts, ATTEMPTS),
  agency_allocation_max_attempts: setting(attempts, ATTEMPTS),
  warehouse_notification_max_attempts: setting(attempts, ATTEMPTS),
  agency_notification_max_attempts: setting(attempts, ATTEMPTS),
  beneficiary_notification_max_attempts: setting(attempts, ATTEMPTS),
  release_funds_with_bank_max_attempts: setting(attempts, ATTEMPTS),

  // Sponsor banks
  sponsor_bank_configurations: setting(json(sponsorBanksSchema), '{}'),
  bank_connectors_impls: setting(json(bankConnectorsSchema), BANK_CONNECTORS_DEFAULT),
  example_bank_api_url: setting(httpUrl, 'http://127.0.0.1:8001'),
  bank_connect_timeout_ms: setting(milliseconds, '5000'),
  bank_request_timeout_ms: setting(milliseconds, '60000'),
  bank_response_bytes_max: setting(whole(1_024, GIGABYTE), '16777216'),
  bank_connections_max: setting(connections, '8'),
  reconciliation_overdue_days: setting(whole(0, 3_660), '3'),

  // Benefits in kind and physical cash
  in_kind_enabled: setting(flag, 'false'),
  pbms_connections_max: setting(connections, '4'),
  pbms_connect_timeout_ms: setting(milliseconds, '5000'),
  pbms_query_timeout_ms: setting(milliseconds, '60000'),
  geo_resolvers_impls: setting(json(geoResolversSchema), GEO_RESOLVERS_DEFAULT),
  registry_chunk_size: setting(whole(1, 100_000), '5000'),
  registry_connections_max: setting(connections, '4'),
  registry_connect_timeout_ms: setting(milliseconds, '5000'),
  registry_query_timeout_ms: setting(milliseconds, '60000'),
  warehouse_allocator_impl: setting(someText, 'pbms'),
  agency_allocator_impl: setting(someText, 'pbms'),

  // ID mapper
  mapper_connector_impl: setting(someText, 'spar'),
  mapper_api_url: setting(httpUrl, 'http://127.0.0.1:8002'),
  mapper_chunk_size: setting(whole(1, 10_000), '500'),
  mapper_concurrency: setting(whole(1, 100), '4'),
  mapper_connect_timeout_ms: setting(milliseconds, '5000'),
  mapper_request_timeout_ms: setting(milliseconds, '30000'),
  mapper_response_bytes_max: setting(whole(1_024, GIGABYTE), '16777216'),
  mapper_connections_max: setting(connections, '8'),
  mapper_request_sender_id: setting(someText, 'openg2p-g2p-bridge'),
  bank_fa_deconstruct_strategy: setting(
    faStrategy('BANK_ACCOUNT'),
    '^account_number:(?<account_number>.*)\\.branch_code:(?<branch_code>.*)\\.bank_code:(?<bank_code>.*)' +
      '\\.mobile_number:(?<mobile_number>.*)\\.email_address:(?<email_address>.*)\\.fa_type:(?<fa_type>.*)$',
  ),
  mobile_wallet_deconstruct_strategy: setting(
    faStrategy('MOBILE_WALLET'),
    '^mobile_number:(?<mobile_number>.*)\\.wallet_provider_name:(?<wallet_provider_name>.*)' +
      '\\.wallet_provider_code:(?<wallet_provider_code>.*)\\.fa_type:(?<fa_type>.*)$',
  ),
  email_wallet_deconstruct_strategy: setting(
    faStrategy('EMAIL_WALLET'),
    '^email_address:(?<email_address>.*)\\.wallet_provider_name:(?<wallet_provider_name>.*)' +
      '\\.wallet_provider_code:(?<wallet_provider_code>.*)\\.fa_type:(?<fa_type>.*)$',
  ),

  // Signing and authorizing requests to the mapper
  mapper_request_jwt_enabled: setting(optional(flag), ''),
  crypto_signing_key_path: setting(text, ''),
  crypto_signing_key_password: setting(asciiText, '').keptSecret(),
  crypto_signing_key_kid: setting(text, ''),
  sign_key_keymanager_app_id: setting(text, 'G2PBRIDGE'),
  sign_key_keymanager_ref_id: setting(text, ''),
  keymanager_api_base_url: setting(optional(httpUrl), ''),
  keymanager_api_timeout: setting(whole(1, 3_600), '10'),
  oauth_enabled: setting(optional(flag), ''),
  oauth_url: setting(optional(httpUrl), ''),
  oauth_client_id: setting(someText, 'openg2p-g2p-bridge'),
  oauth_client_secret: setting(text, '').keptSecret(),

  // Notifications
  suppress_notifications: setting(flag, 'false'),
  notification_connector_impl: setting(someText, 'novu'),
  novu_api_url: setting(httpUrl, 'http://127.0.0.1:8003'),
  novu_api_key: setting(text, '').keptSecret(),
  novu_warehouse_workflow_id: setting(someText, 'warehouse-notification'),
  novu_agency_workflow_id: setting(someText, 'agency-notification'),
  novu_beneficiary_workflow_id: setting(someText, 'beneficiary-notification'),
  notification_bulk_size: setting(whole(1, NOVU_BULK_MAX), '100'),
  notification_concurrency: setting(whole(1, 100), '4'),
  notification_connect_timeout_ms: setting(milliseconds, '5000'),
  notification_request_timeout_ms: setting(milliseconds, '30000'),
  notification_response_bytes_max: setting(whole(1_024, GIGABYTE), '16777216'),
  notification_connections_max: setting(connections, '8'),

  // Beneficiary portal
  portal_enabled: setting(flag, 'false'),
  portal_oidc_issuer: setting(optional(issuerUrl), ''),
  portal_oidc_jwks_url: setting(optional(httpUrl), ''),
  portal_oidc_audience: setting(list, ''),
  portal_beneficiary_id_claim: setting(someText, 'sub'),

  // Operators
  inspector_url: setting(httpUrl, 'https://stately.ai/inspect'),

  // Redis, which has no part in this system
  celery_broker_url: setting(text, 'redis://localhost:6379/0').withoutEffect().keptSecret(),
  celery_backend_url: setting(text, 'redis://localhost:6379/0').withoutEffect().keptSecret(),
} as const;

/** Name of a setting, as in the seed's configuration. */
export type SettingName = keyof typeof SETTINGS;

/** The values of all settings. */
export type Settings = {
  readonly [N in SettingName]: (typeof SETTINGS)[N] extends Setting<infer T> ? T : never;
};

/** All names, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** A setting that may still be described further; each method gives a changed copy. */
interface SettingBuilder<T> extends Setting<T> {
  withoutEffect(): SettingBuilder<T>;
  keptSecret(): SettingBuilder<T>;
}

function setting<T>(type: ValueType<T>, defaultText: string): SettingBuilder<T> {
  return build({ type, defaultText, hasEffect: true, isSecret: false });
}

function build<T>(made: Setting<T>): SettingBuilder<T> {
  return {
    ...made,
    withoutEffect: () => build({ ...made, hasEffect: false }),
    keptSecret: () => build({ ...made, isSecret: true }),
  };
}
