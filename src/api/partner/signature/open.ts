import { ConfigError } from '../../../config/config-error.ts';
import { envName } from '../../../config/names.ts';
import type { Settings } from '../../../config/settings.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { createSignatureCheck, type SignatureCheck } from './check.ts';
import { KeyFile, KeyFileError } from './key-file.ts';
import { KeyService } from './key-service.ts';
import type { KeySource, Warn } from './key-source.ts';

/**
 * The check of signatures that the settings ask for; null when it is switched off.
 *
 * @param warn is told when keys cannot be had or used
 * @throws ConfigError when the file of keys cannot be used
 */
export async function openSignatureCheck(
  settings: Settings,
  clock: Clock,
  warn: Warn,
): Promise<SignatureCheck | null> {
  if (!settings.signature_validation_enabled) return null;
  const source = await openSource(settings, clock, warn);
  return createSignatureCheck({ source, algorithms: settings.crypto_allowed_algorithms, clock });
}

async function openSource(settings: Settings, clock: Clock, warn: Warn): Promise<KeySource> {
  const { partner_jwks_file: path, partner_mgmt_api_url: apiUrl } = settings;
  if (apiUrl === null) return openFile(path, warn);
  return new KeyService({
    apiUrl,
    requestTimeoutMs: settings.partner_key_fetch_timeout_seconds * 1000,
    freshMs: settings.partner_key_cache_ttl_seconds * 1000,
    staleMs: settings.partner_key_hard_ttl_seconds * 1000,
    missingMs: settings.partner_key_negative_ttl_seconds * 1000,
    cooldownMs: settings.partner_key_refresh_cooldown_seconds * 1000,
    clock,
    warn,
  });
}

async function openFile(path: string, warn: Warn): Promise<KeySource> {
  try {
    return await KeyFile.open(path, warn);
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    throw new ConfigError(
      'CONFIG_BAD_VALUE',
      envName('partner_jwks_file'),
      `names a file that ${error.message}.`,
    );
  }
}
