import { closest } from 'fastest-levenshtein';
import { ConfigError } from './config-error.ts';
import { SETTING_NAMES, type SettingName } from './settings.ts';

/** What the name of every setting begins with in the environment. */
export const PREFIX = 'G2P_BRIDGE_';

/** The prefixes of the Celery modules, whose names stay the same behind the new prefix. */
const OLD_PREFIXES = ['G2P_BRIDGE_CELERY_BEAT_', 'G2P_BRIDGE_CELERY_WORKERS_'];

/** Other names that the Celery modules have for a setting. */
const OTHER_NAMES: ReadonlyMap<string, SettingName> = new Map([
  // The beat producers know one database only and call it so.
  [`${PREFIX}DB_DATASOURCE`, 'db_datasource_bridge'],
]);

/** What commands read by themselves, and what a server that shares their environment has no use for. */
export const OPERATOR_TOKEN_VARIABLE = `${PREFIX}OPERATOR_TOKEN`;

const SETTING_OF: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.map((name) => [envName(name), name]),
);

/** Name of a setting as it stands in the environment. */
export function envName(name: SettingName): string {
  return `${PREFIX}${name.toUpperCase()}`;
}

/** What a variable of the environment is to us. */
export type Recognised =
  | { readonly kind: 'setting'; readonly name: SettingName }
  /** It begins with our prefix, but the platform made it, or it is for commands. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'other' };

/**
 * Decides whether a variable of the environment is a setting.
 *
 * @throws ConfigError when it is meant as one but there is none of that name
 */
export function recognise(variable: string, value: string): Recognised {
  const capitals = variable.toUpperCase();
  if (!capitals.startsWith(PREFIX)) return { kind: 'other' };
  if (variable === OPERATOR_TOKEN_VARIABLE || isServiceLink(variable, value)) return { kind: 'foreign' };
  const name = SETTING_OF.get(variable) ?? OTHER_NAMES.get(variable);
  if (name !== undefined) return { kind: 'setting', name };
  throw misnamed(variable, capitals);
}

function misnamed(variable: string, capitals: string): ConfigError {
  const oldPrefix = OLD_PREFIXES.find((prefix) => capitals.startsWith(prefix));
  const current = oldPrefix === undefined ? capitals : PREFIX + capitals.slice(oldPrefix.length);
  const name = SETTING_OF.get(current) ?? OTHER_NAMES.get(current);
  if (oldPrefix !== undefined && name !== undefined) {
    return new ConfigError('CONFIG_OLD_NAME', variable, `is called ${envName(name)} in this system.`);
  }
  const nearest = closest(current, [...SETTING_OF.keys()]);
  return new ConfigError(
    'CONFIG_UNKNOWN_SETTING',
    variable,
    `is not a setting; the nearest known is ${nearest}.`,
  );
}

/**
 * Kubernetes describes every service of a namespace in the environment of every container: a service called
 * `g2p-bridge` or `g2p-bridge-api` gives `G2P_BRIDGE_SERVICE_HOST`, `G2P_BRIDGE_PORT=tcp://…` and the like.
 */
function isServiceLink(variable: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(variable)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable)) return true;
  return variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}
