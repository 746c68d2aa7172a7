import { envName } from './names.ts';
import type { SettingName, Settings } from './settings.ts';

/** A setting that cannot be followed, and the rest of the sentence that begins with its name. */
interface Problem {
  readonly setting: SettingName;
  readonly problem: string;
}

/** What is missing, or too much, to sign and authorize requests to the mapper as the settings say; null: nothing. */
export function trustProblem(settings: Settings): Problem | null {
  return signingProblem(settings) ?? oauthProblem(settings);
}

function signingProblem(settings: Settings): Problem | null {
  const { mapper_request_jwt_enabled: enabled } = settings;
  const hasFile = settings.crypto_signing_key_path !== '';
  const hasKeyManager = settings.keymanager_api_base_url !== null;
  if (enabled === true && !hasFile && !hasKeyManager) {
    const needed = `${envName('crypto_signing_key_path')} or ${envName('keymanager_api_base_url')}`;
    return { setting: 'mapper_request_jwt_enabled', problem: `needs ${needed}.` };
  }
  if (enabled === false || !hasFile || !hasKeyManager) return null;
  const problem = `and ${envName('keymanager_api_base_url')} exclude each other: one of them signs.`;
  return { setting: 'crypto_signing_key_path', problem };
}

function oauthProblem(settings: Settings): Problem | null {
  const { oauth_enabled: enabled } = settings;
  if (enabled === true && settings.oauth_url === null) {
    return { setting: 'oauth_enabled', problem: `needs ${envName('oauth_url')}.` };
  }
  if (enabled === false || settings.oauth_url === null || settings.oauth_client_secret !== '') return null;
  return { setting: 'oauth_url', problem: `needs ${envName('oauth_client_secret')}.` };
}
