import type { BridgeProcess, Upstream } from './schedule.ts';

/** Where one process of the bridge finds everything, as it sees it: through its own proxies. */
export interface Surroundings {
  readonly databaseUrl: string;
  readonly pbmsUrl: string;
  readonly registryUrl: string;
  readonly urlOf: (upstream: Exclude<Upstream, 'postgres'>) => string;
  readonly novuApiKey: string;
  readonly port: number;
}

const STAGES = [
  'CHECK_FUNDS_WITH_BANK',
  'BLOCK_FUNDS_WITH_BANK',
  'DISBURSE_FUNDS_WITH_BANK',
  'RELEASE_FUNDS_WITH_BANK',
  'MAPPER_RESOLUTION',
  'MT940_PROCESSOR',
  'GEO_RESOLUTION',
  'WAREHOUSE_ALLOCATION',
  'AGENCY_ALLOCATION',
  'WAREHOUSE_NOTIFICATION',
  'AGENCY_NOTIFICATION',
  'BENEFICIARY_NOTIFICATION',
];
const FREQUENCIES = [
  'MAPPER_RESOLVE',
  'FUNDS_AVAILABLE_CHECK',
  'FUNDS_BLOCKED',
  'FUNDS_DISBURSEMENT',
  'MT940_PROCESSOR',
  'GEO_RESOLUTION',
  'WAREHOUSE_ALLOCATION',
  'AGENCY_ALLOCATION',
  'WAREHOUSE_NOTIFICATION',
  'AGENCY_NOTIFICATION',
  'BENEFICIARY_NOTIFICATION',
  'FUNDS_RELEASE',
];
/** No outage of a run uses them up: what stops in ERROR has another cause. */
const ATTEMPTS = '1000';
const FREQUENCY_SECONDS = '5';

/** Time-outs of the outside; a delay past them is among the faults. */
export const REQUEST_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 1_000;

/**
 * Settings under which what takes minutes and hours in production takes seconds: time-outs, ticks, retries and pauses
 * are short; attempts are many. What decides about correctness is as by default.
 */
export function bridgeSettings(name: BridgeProcess, at: Surroundings): Record<string, string> {
  const outside = (system: string, timeoutName = 'REQUEST_TIMEOUT_MS') => ({
    [`${system}_CONNECT_TIMEOUT_MS`]: String(CONNECT_TIMEOUT_MS),
    [`${system}_${timeoutName}`]: String(REQUEST_TIMEOUT_MS),
  });
  const settings = {
    ROLE: name === 'api' ? 'api' : 'worker',
    HOST: '127.0.0.1',
    PORT: String(at.port),
    LOG_LEVEL: 'info',
    SHUTDOWN_GRACE_SECONDS: '5',
    DB_DATASOURCE_BRIDGE: at.databaseUrl,
    DB_DATASOURCE_PBMS: at.pbmsUrl,
    DB_DATASOURCE_REGISTRY: at.registryUrl,
    // Whatever the environment has: the partners and the bank of a run prove nothing.
    SIGNATURE_VALIDATION_ENABLED: 'false',
    MT940_UPLOAD_TOKEN: '',
    PARTNER_REQUESTS_PER_MINUTE: '0',
    OPERATOR_ACCESS: 'token',
    OPERATOR_OIDC_ISSUER: '',
    IN_KIND_ENABLED: 'true',
    SUPPRESS_NOTIFICATIONS: 'false',
    EXAMPLE_BANK_API_URL: at.urlOf('bank'),
    MAPPER_API_URL: at.urlOf('spar'),
    NOVU_API_URL: at.urlOf('novu'),
    NOVU_API_KEY: at.novuApiKey,
    // A tick dispatches as much as there is, since what is left over waits for the next one.
    NO_OF_TASKS_TO_PROCESS: '500',
    TASK_STALE_THRESHOLD_MINUTES: '1',
    // Clocks jump across midnight: envelopes are for tomorrow, and paid today.
    PROCESS_FUTURE_DISBURSEMENT_SCHEDULES: 'true',
    RETRY_BACKOFF_BASE_SECONDS: '1',
    RETRY_BACKOFF_MAX_SECONDS: '2',
    CIRCUIT_PAUSE_SECONDS: '1',
    CIRCUIT_PAUSE_MAX_SECONDS: '2',
    ...outside('BANK'),
    ...outside('MAPPER'),
    ...outside('NOTIFICATION'),
    ...outside('PBMS', 'QUERY_TIMEOUT_MS'),
    ...outside('REGISTRY', 'QUERY_TIMEOUT_MS'),
    ...Object.fromEntries(STAGES.map((stage) => [`${stage}_MAX_ATTEMPTS`, ATTEMPTS])),
    ...Object.fromEntries(FREQUENCIES.map((stage) => [`${stage}_FREQUENCY`, FREQUENCY_SECONDS])),
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`G2P_BRIDGE_${key}`, value]));
}
