import { describe, expect, it } from 'vitest';
import { openSignatureCheck } from '../../src/api/partner/signature/open.ts';
import { ConfigError, loadConfig, maskedConfig } from '../../src/config.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const ENABLED = 'G2P_BRIDGE_SIGNATURE_VALIDATION_ENABLED';
const SERVICE = 'G2P_BRIDGE_PARTNER_MGMT_API_URL';
const FILE = 'G2P_BRIDGE_PARTNER_JWKS_FILE';

/** The one line that a start with these settings ends with. */
function refusal(env: Readonly<Record<string, string>>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('settings of whose requests are taken', () => {
  it('are off unless switched on', async () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      signature_validation_enabled: false,
      crypto_allowed_algorithms: ['RS256', 'ES256'],
      mt940_upload_token: '',
      trusted_proxies: [],
    });
    expect(await openSignatureCheck(config, systemClock, () => {})).toBeNull();
  });

  it.each<[Record<string, string>, string]>([
    [{ [ENABLED]: 'true' }, `${ENABLED} needs ${SERVICE} or ${FILE}.`],
    [
      { [ENABLED]: 'true', [SERVICE]: 'http://keys', [FILE]: './keys.json' },
      `${FILE} and ${SERVICE} exclude each other: keys come from one of them.`,
    ],
    [
      { G2P_BRIDGE_PARTNER_KEY_CACHE_TTL_SECONDS: '60', G2P_BRIDGE_PARTNER_KEY_HARD_TTL_SECONDS: '30' },
      'G2P_BRIDGE_PARTNER_KEY_HARD_TTL_SECONDS must not be less than G2P_BRIDGE_PARTNER_KEY_CACHE_TTL_SECONDS.',
    ],
    ...['none', 'HS256', 'RS256,HS256', 'RS256,', 'rs256', 'EdDSA', ' '].map(
      (algorithms): [Record<string, string>, string] => [
        { G2P_BRIDGE_CRYPTO_ALLOWED_ALGORITHMS: algorithms },
        'G2P_BRIDGE_CRYPTO_ALLOWED_ALGORITHMS must be a list of RS256, ES256.',
      ],
    ),
    ...['proxy.example', '10.0.0.0/33', '10.0.0.0/8/8', 'fd00::/129', '10.0.0.1/-1'].map(
      (proxies): [Record<string, string>, string] => [
        { G2P_BRIDGE_TRUSTED_PROXIES: proxies },
        'G2P_BRIDGE_TRUSTED_PROXIES must be a list of IP addresses and networks such as 10.0.0.0/8.',
      ],
    ),
  ])('stop the start when they are wrong: %j', (env, line) => {
    expect(refusal(env)).toBe(line);
  });

  it('are read', () => {
    const config = loadConfig({
      [ENABLED]: 'True',
      [SERVICE]: 'http://keys/',
      G2P_BRIDGE_CRYPTO_ALLOWED_ALGORITHMS: 'ES256, ES256',
      G2P_BRIDGE_TRUSTED_PROXIES: '10.0.0.0/8, ::1,fd00::/8',
      G2P_BRIDGE_MT940_UPLOAD_TOKEN: 'hush',
    });
    expect(config).toMatchObject({
      signature_validation_enabled: true,
      partner_mgmt_api_url: 'http://keys',
      crypto_allowed_algorithms: ['ES256'],
      trusted_proxies: ['10.0.0.0/8', '::1', 'fd00::/8'],
      mt940_upload_token: 'hush',
    });
    expect(JSON.stringify(maskedConfig(config))).not.toContain('hush');
  });

  it('that name a file of keys that is not there stop the start', async () => {
    const config = loadConfig({ [ENABLED]: 'true', [FILE]: '/nowhere/keys.json' });
    await expect(openSignatureCheck(config, systemClock, () => {})).rejects.toThrow(
      /^G2P_BRIDGE_PARTNER_JWKS_FILE names a file that cannot be read: ENOENT[^\n]*\.$/,
    );
  });
});
