import type { ConnectorImpls } from './impl-settings.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type Settings } from './settings.ts';

const MASK = '********';

/**
 * All settings as text for people: secrets and passwords in URLs are masked, of account numbers the last four digits
 * are left.
 *
 * @returns text by the setting's name, in the order of the table; empty text for what is not set
 */
export function maskedConfig(settings: Settings): Readonly<Record<SettingName, string>> {
  const shown = SETTING_NAMES.map((name) => [name, masked(name, settings)] as const);
  return Object.fromEntries(shown) as Record<SettingName, string>;
}

function masked(name: SettingName, settings: Settings): string {
  const value = settings[name];
  if (SETTINGS[name].isSecret) return value === '' ? '' : MASK;
  if (value === null) return '';
  if (name === 'sponsor_bank_configurations') return maskedAccounts(settings[name]);
  if (name === 'bank_connectors_impls' || name === 'geo_resolvers_impls')
    return maskedOptions(settings[name]);
  if (typeof value === 'object' && 'pattern' in value) return String(value.pattern);
  if (name === 'operator_role_names') return JSON.stringify(value);
  if (typeof value === 'string') return maskedUrl(value);
  return Array.isArray(value) ? value.join(',') : String(value);
}

/**
 * A password stands between the user and the host, or is a parameter. The mask goes as far as the last `@`: a password
 * that should have been percent-encoded and was not is hidden as well. Other text is left as it is.
 */
function maskedUrl(text: string): string {
  return text
    .replace(/^([a-z]+:\/\/[^:]*):.*@/i, `$1:${MASK}@`)
    .replace(/([?&](?:password|sslpassword|passfile)=)[^&]*/gi, `$1${MASK}`);
}

function maskedAccounts(banks: Settings['sponsor_bank_configurations']): string {
  const shown = Object.entries(banks).map(([key, bank]) => {
    const account = bank.program_account_number;
    return [key, { ...bank, program_account_number: account.length > 8 ? `…${account.slice(-4)}` : MASK }];
  });
  return JSON.stringify(Object.fromEntries(shown));
}

/** Options of a connector may be credentials. */
function maskedOptions(impls: ConnectorImpls): string {
  const shown = Object.entries(impls).map(([served, { module, options }]) => {
    const names = Object.keys(options);
    return [
      served,
      names.length === 0 ? module : { module, options: Object.fromEntries(names.map((n) => [n, MASK])) },
    ];
  });
  return JSON.stringify(Object.fromEntries(shown));
}
