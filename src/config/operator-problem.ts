import { envName } from './names.ts';
import type { SettingName, Settings } from './settings.ts';

/** A setting that cannot be followed, and the rest of the sentence that begins with its name. */
interface Problem {
  readonly setting: SettingName;
  readonly problem: string;
}

/** What is missing, or too much, to know operators as the settings say; null: nothing. */
export function operatorProblem(settings: Settings): Problem | null {
  if (settings.operator_oidc_issuer === null) return null;
  if (settings.operator_access === 'loopback') {
    const problem = `and ${envName('operator_access')}=loopback exclude each other: one of them lets operators in.`;
    return { setting: 'operator_oidc_issuer', problem };
  }
  if (settings.operator_oidc_client_id === '') {
    return { setting: 'operator_oidc_issuer', problem: `needs ${envName('operator_oidc_client_id')}.` };
  }
  // Tokens that people got for other purposes must not let money go.
  if (settings.operator_oidc_audience.length > 0) return null;
  return { setting: 'operator_oidc_issuer', problem: `needs ${envName('operator_oidc_audience')}.` };
}
