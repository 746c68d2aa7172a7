import { sponsorBanksProblem } from './config/bank-settings.ts';
import { ConfigError } from './config/config-error.ts';
import { envName, recognise } from './config/names.ts';
import { operatorProblem } from './config/operator-problem.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './config/settings.ts';
import { signatureProblem } from './config/signature-problem.ts';
import { trustProblem } from './config/trust-problem.ts';

export type { SponsorBank, SponsorBanks } from './config/bank-settings.ts';
export { sponsorBankOf, sponsorBankOfAccount } from './config/bank-settings.ts';
export { ConfigError, type ConfigErrorCode } from './config/config-error.ts';
export {
  bankConnectorSettings,
  circuitSettings,
  faStrategies,
  geoResolverSettings,
  mapperConnectorSettings,
  notificationConnectorSettings,
  pbmsSettings,
  trustSettings,
} from './config/connector-settings.ts';
export { isDefault } from './config/defaults.ts';
export { maskedConfig } from './config/masked.ts';
export type { SettingName, Settings } from './config/settings.ts';
export { STAGE_NAMES, type StageName, stageSettings } from './config/stage-settings.ts';

/** The configuration of a process: every setting under its own name, so that a search for the name finds its uses. */
export interface Config extends Settings {
  /** Variables of the environment that were accepted and change nothing, in alphabetical order. */
  readonly ignored: readonly string[];
}

/** The environment, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration from the environment: `G2P_BRIDGE_` and the name of the setting in capitals. A variable that
 * is empty counts as not set. `DATABASE_URL` stands in for `G2P_BRIDGE_DB_DATASOURCE_BRIDGE`.
 *
 * @throws ConfigError on the first variable, in alphabetical order, that has our prefix but is no setting, whose value
 *   is wrong, or that contradicts another
 */
export function loadConfig(env: Environment): Config {
  const { given, ignored } = collect(env);
  const values = SETTING_NAMES.map((name) => [name, read(name, given.get(name))]);
  const config = { ...(Object.fromEntries(values) as Settings), ignored };
  requireConsistent(config);
  return config;
}

/** A variable that sets something. */
interface Given {
  readonly variable: string;
  readonly text: string;
}

function collect(env: Environment): { given: ReadonlyMap<SettingName, Given>; ignored: readonly string[] } {
  const given = new Map<SettingName, Given>();
  const ignored: string[] = [];
  for (const variable of Object.keys(env).sort()) {
    const text = env[variable] ?? '';
    const recognised = recognise(variable, text);
    if (recognised.kind === 'foreign') ignored.push(variable);
    if (recognised.kind !== 'setting' || text === '') continue;
    const { name } = recognised;
    const earlier = given.get(name);
    if (earlier !== undefined && earlier.text !== text) {
      throw new ConfigError('CONFIG_INCONSISTENT', variable, `and ${earlier.variable} say different things.`);
    }
    given.set(name, { variable, text });
    if (!SETTINGS[name].hasEffect) ignored.push(variable);
  }
  const fallback = env.DATABASE_URL ?? '';
  if (fallback !== '' && !given.has('db_datasource_bridge')) {
    given.set('db_datasource_bridge', { variable: 'DATABASE_URL', text: fallback });
  }
  return { given, ignored };
}

function read(name: SettingName, given: Given | undefined): unknown {
  const { type, defaultText } = SETTINGS[name];
  const parsed = type.safeParse(given?.text ?? defaultText);
  if (parsed.success) return parsed.data;
  const expected = parsed.error.issues[0]?.message ?? 'something else';
  throw new ConfigError('CONFIG_BAD_VALUE', given?.variable ?? envName(name), `must be ${expected}.`);
}

/** @throws ConfigError when settings contradict each other */
function requireConsistent(config: Config): void {
  if (config.retry_backoff_max_seconds < config.retry_backoff_base_seconds) {
    const problem = `must not be less than ${envName('retry_backoff_base_seconds')}.`;
    throw new ConfigError('CONFIG_INCONSISTENT', envName('retry_backoff_max_seconds'), problem);
  }
  if (config.circuit_pause_max_seconds < config.circuit_pause_seconds) {
    const problem = `must not be less than ${envName('circuit_pause_seconds')}.`;
    throw new ConfigError('CONFIG_INCONSISTENT', envName('circuit_pause_max_seconds'), problem);
  }
  for (const database of ['db_datasource_pbms', 'db_datasource_registry'] as const) {
    if (!config.in_kind_enabled || config[database] !== null) continue;
    const problem = `needs ${envName(database)}.`;
    throw new ConfigError('CONFIG_INCONSISTENT', envName('in_kind_enabled'), problem);
  }
  const signature = signatureProblem(config);
  if (signature !== null) {
    throw new ConfigError('CONFIG_INCONSISTENT', envName(signature.setting), signature.problem);
  }
  const trust = trustProblem(config);
  if (trust !== null) throw new ConfigError('CONFIG_INCONSISTENT', envName(trust.setting), trust.problem);
  if (config.portal_enabled && config.portal_oidc_issuer === null) {
    const problem = `needs ${envName('portal_oidc_issuer')}.`;
    throw new ConfigError('CONFIG_INCONSISTENT', envName('portal_enabled'), problem);
  }
  const operator = operatorProblem(config);
  if (operator !== null) {
    throw new ConfigError('CONFIG_INCONSISTENT', envName(operator.setting), operator.problem);
  }
  const problem = sponsorBanksProblem(config.sponsor_bank_configurations, config.bank_connectors_impls);
  if (problem !== null) {
    throw new ConfigError('CONFIG_INCONSISTENT', envName('sponsor_bank_configurations'), `${problem}.`);
  }
}
