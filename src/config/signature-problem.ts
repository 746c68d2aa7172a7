import { envName } from './names.ts';
import type { SettingName, Settings } from './settings.ts';

/** Why the signatures of partners cannot be checked as the settings say; null when they can. */
export function signatureProblem(
  settings: Settings,
): { readonly setting: SettingName; readonly problem: string } | null {
  if (settings.partner_key_hard_ttl_seconds < settings.partner_key_cache_ttl_seconds) {
    const problem = `must not be less than ${envName('partner_key_cache_ttl_seconds')}.`;
    return { setting: 'partner_key_hard_ttl_seconds', problem };
  }
  if (!settings.signature_validation_enabled) return null;
  const hasFile = settings.partner_jwks_file !== '';
  const hasService = settings.partner_mgmt_api_url !== null;
  if (hasFile !== hasService) return null;
  if (hasFile) {
    const problem = `and ${envName('partner_mgmt_api_url')} exclude each other: keys come from one of them.`;
    return { setting: 'partner_jwks_file', problem };
  }
  const problem = `needs ${envName('partner_mgmt_api_url')} or ${envName('partner_jwks_file')}.`;
  return { setting: 'signature_validation_enabled', problem };
}
