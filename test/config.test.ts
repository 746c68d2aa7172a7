import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SETTING_NAMES, SETTINGS } from '../src/config/settings.ts';
import {
  ConfigError,
  type Environment,
  faStrategies,
  geoResolverSettings,
  loadConfig,
  maskedConfig,
  notificationConnectorSettings,
  pbmsSettings,
  STAGE_NAMES,
  sponsorBankOf,
  sponsorBankOfAccount,
  stageSettings,
  trustSettings,
} from '../src/config.ts';

const EXAMPLE = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
const BANK = { sponsor_bank_code: 'EXAMPLE-BANK', program_account_number: '4021337001' };

function refusal(env: Environment): ConfigError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('an empty environment', () => {
  test('gives the defaults of the specification', () => {
    expect(loadConfig({})).toMatchObject({
      no_of_tasks_to_process: 2,
      task_stale_threshold_minutes: 60,
      process_future_disbursement_schedules: false,
      suppress_notifications: false,
      mapper_request_sender_id: 'openg2p-g2p-bridge',
      keymanager_api_timeout: 10,
      dispatch_mode: 'event',
      role: 'all',
      host: '127.0.0.1',
      data_dir: './data',
      db_datasource_bridge: null,
      reconciliation_overdue_days: 3,
      in_kind_enabled: false,
      registry_chunk_size: 5000,
      notification_bulk_size: 100,
      notification_concurrency: 4,
      ignored: [],
    });
  });

  test.each(STAGE_NAMES)('lets %s tick every hour and try three times', (stage) => {
    expect(stageSettings(loadConfig({}), stage)).toEqual({ frequencySeconds: 3600, maxAttempts: 3 });
  });

  test('has the eleven task pairs of the specification, and one more that gives blocked funds back', () => {
    expect(STAGE_NAMES).toHaveLength(12);
  });
});

describe('.env.example', () => {
  test('lists every setting once, in the order of the table, with its default', () => {
    const names = EXAMPLE.match(/^G2P_BRIDGE_[A-Z0-9_]+(?==)/gm);
    expect(names).toEqual(SETTING_NAMES.map((name) => `G2P_BRIDGE_${name.toUpperCase()}`));
    const values = parseEnv(EXAMPLE);
    for (const name of SETTING_NAMES) {
      expect([name, values[`G2P_BRIDGE_${name.toUpperCase()}`]]).toEqual([name, SETTINGS[name].defaultText]);
    }
  });

  test('explains every setting in the line above it, and says which ones change nothing', () => {
    const lines = EXAMPLE.split('\n');
    for (const name of SETTING_NAMES) {
      const at = lines.findIndex((line) => line.startsWith(`G2P_BRIDGE_${name.toUpperCase()}=`));
      expect(lines[at - 1]).toMatch(/^# [A-Z].*\.$/i);
      expect([name, /no effect yet|Ignored/.test(lines[at - 1] ?? '')]).toEqual([
        name,
        !SETTINGS[name].hasEffect,
      ]);
    }
  });

  test('is itself a configuration that starts', () => {
    const { ignored: _, ...fromExample } = loadConfig(parseEnv(EXAMPLE));
    const { ignored: __, ...fromNothing } = loadConfig({});
    expect(JSON.stringify(fromExample)).toBe(JSON.stringify(fromNothing));
  });
});

describe('a value', () => {
  test('that is empty counts as not set', () => {
    expect(loadConfig({ G2P_BRIDGE_PORT: '', G2P_BRIDGE_HOST: '' })).toMatchObject({
      port: 8000,
      host: '127.0.0.1',
    });
  });

  test.each([
    ['true', true],
    ['True', true],
    ['1', true],
    ['on', true],
    ['no', false],
    ['F', false],
    ['0', false],
  ])('of yes and no may be written %s, as in the Python system', (text, value) => {
    const name = 'G2P_BRIDGE_PROCESS_FUTURE_DISBURSEMENT_SCHEDULES';
    expect(loadConfig({ [name]: text }).process_future_disbursement_schedules).toBe(value);
  });

  test.each([
    ['postgresql+asyncpg://u:p@h:5432/d', 'postgresql://u:p@h:5432/d'],
    ['postgres://h/d?sslmode=require', 'postgresql://h/d?sslmode=require'],
  ])('of a database may be %s', (text, url) => {
    expect(loadConfig({ G2P_BRIDGE_DB_DATASOURCE_BRIDGE: text }).db_datasource_bridge).toBe(url);
  });

  test('of the bridge database is taken from DATABASE_URL when there is none', () => {
    const DATABASE_URL = 'postgresql://h/from-platform';
    expect(loadConfig({ DATABASE_URL }).db_datasource_bridge).toBe(DATABASE_URL);
    const both = { DATABASE_URL, G2P_BRIDGE_DB_DATASOURCE_BRIDGE: 'postgresql://h/ours' };
    expect(loadConfig(both).db_datasource_bridge).toBe('postgresql://h/ours');
    expect(refusal({ DATABASE_URL: 'mysql://h/d' }).setting).toBe('DATABASE_URL');
  });

  test('of a URL loses its trailing slash, of a list the spaces', () => {
    const config = loadConfig({
      G2P_BRIDGE_MAPPER_API_URL: 'http://spar:80/v1/',
      G2P_BRIDGE_KNOWN_PROGRAM_MNEMONICS: ' A, B ,,C',
      G2P_BRIDGE_ROOT_PATH: '/g2p/',
    });
    expect(config).toMatchObject({
      mapper_api_url: 'http://spar/v1',
      known_program_mnemonics: ['A', 'B', 'C'],
      root_path: '/g2p',
    });
  });

  test.each([
    ['G2P_BRIDGE_PORT', '65536', 'a whole number from 0 to 65535'],
    ['G2P_BRIDGE_PORT', '80.0', 'a whole number'],
    ['G2P_BRIDGE_PORT', '0x50', 'a whole number'],
    ['G2P_BRIDGE_MAPPER_RESOLVE_FREQUENCY', '0', 'a whole number from 1 to'],
    ['G2P_BRIDGE_MAPPER_RESOLVE_FREQUENCY', '1.5', 'a whole number from 1 to'],
    ['G2P_BRIDGE_SUPPRESS_NOTIFICATIONS', 'maybe', 'true or false'],
    ['G2P_BRIDGE_DISPATCH_MODE', 'EVENT', 'one of event, tick'],
    ['G2P_BRIDGE_ROLE', 'worker,api', 'one of all, api, worker'],
    ['G2P_BRIDGE_ROOT_PATH', 'g2p', 'empty or a path'],
    ['G2P_BRIDGE_MAPPER_API_URL', 'spar:80', 'an http:// or https:// URL'],
    [
      'G2P_BRIDGE_MAPPER_API_URL',
      'http://user:secret@spar',
      'an http:// or https:// URL without credentials',
    ],
    ['G2P_BRIDGE_DB_DATASOURCE_BRIDGE', 'mysql://u:secret@h/d', 'a postgresql:// URL'],
    ['G2P_BRIDGE_DB_DATASOURCE_BRIDGE', 'postgresql://u:p@h:5432,i:5432/d', 'of one server'],
    ['G2P_BRIDGE_DB_DATASOURCE_BRIDGE', 'postgresql://u:secret/@h/d', 'percent-encoded'],
    ['G2P_BRIDGE_HOST', 'a\nb', 'text on one line'],
    ['G2P_BRIDGE_CRYPTO_SIGNING_KEY_PASSWORD', 'pässword', 'text of ASCII characters'],
    ['G2P_BRIDGE_MAPPER_REQUEST_JWT_ENABLED', 'perhaps', 'true or false'],
    ['G2P_BRIDGE_BANK_FA_DECONSTRUCT_STRATEGY', '^(?<account_number>a\n', 'a usable regular expression'],
    ['G2P_BRIDGE_BANK_FA_DECONSTRUCT_STRATEGY', '^(?<secret>.*)$', 'it has no group named account_number'],
    ['G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS', '{', 'JSON'],
    ['G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS', '{"1":{}}', 'at 1: must be "<program id>:<benefit code id>"'],
    [
      'G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS',
      '{"1:2":{"sponsor_bank_code":"B"}}',
      'at 1:2.program_account_number',
    ],
    ['G2P_BRIDGE_BANK_CONNECTORS_IMPLS', '{"B":5}', 'at B: must be the name of a module'],
    [
      'G2P_BRIDGE_GEO_RESOLVERS_IMPLS',
      '{"farmer":{"options":{}}}',
      'at farmer: must be the name of a module',
    ],
    ['G2P_BRIDGE_GEO_RESOLVERS_IMPLS', '{" farmer":"x"}', 'at  farmer: must be a target registry'],
    [
      'G2P_BRIDGE_GEO_RESOLVERS_IMPLS',
      '{"Farmer":"x","farmer":"y"}',
      'must not name one target registry twice',
    ],
    ['G2P_BRIDGE_NOTIFICATION_BULK_SIZE', '101', 'a whole number from 1 to 100'],
    ['G2P_BRIDGE_NOVU_API_URL', 'novu:8003', 'an http:// or https:// URL'],
  ])('of %s that is %j stops the start with one line', (name, text, expected) => {
    const error = refusal({ [name]: text });
    expect(error).toMatchObject({ code: 'CONFIG_BAD_VALUE', setting: name });
    expect(error.message).toContain(`${name} must be `);
    expect(error.message).toContain(expected);
    expect(error.message).not.toMatch(/\n|user:|u:secret/);
  });

  test('never makes the start fail in any other way than with one line that names a setting', () => {
    const name = fc.constantFrom(...SETTING_NAMES).map((setting) => `G2P_BRIDGE_${setting.toUpperCase()}`);
    const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.webUrl(), fc.integer().map(String));
    const oneLine = fc.property(name, anyText, (variable, text) => {
      try {
        loadConfig({ [variable]: text });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as ConfigError).message).toMatch(/^G2P_BRIDGE_\w+ \P{Cc}+$/u);
      }
    });
    fc.assert(oneLine, { numRuns: 2_000 });
  });
});

describe('a name', () => {
  test.each([
    ['G2P_BRIDGE_MAPER_API_URL', 'G2P_BRIDGE_MAPPER_API_URL'],
    ['g2p_bridge_port', 'G2P_BRIDGE_PORT'],
    ['G2P_BRIDGE_DB_PORT', 'G2P_BRIDGE_'],
    ['G2P_BRIDGE_CELERY_BEAT_NONSENSE_FREQUENCY', 'G2P_BRIDGE_'],
  ])('%s that is no setting stops the start, naming the nearest', (name, nearest) => {
    const error = refusal({ [name]: '1' });
    expect(error).toMatchObject({ code: 'CONFIG_UNKNOWN_SETTING', setting: name });
    expect(error.message).toContain(`${name} is not a setting; the nearest known is ${nearest}`);
  });

  test.each([
    ['G2P_BRIDGE_CELERY_WORKERS_MAPPER_RESOLUTION_MAX_ATTEMPTS', 'G2P_BRIDGE_MAPPER_RESOLUTION_MAX_ATTEMPTS'],
    ['g2p_bridge_celery_beat_mapper_resolve_frequency', 'G2P_BRIDGE_MAPPER_RESOLVE_FREQUENCY'],
    ['G2P_BRIDGE_CELERY_BEAT_DB_DATASOURCE', 'G2P_BRIDGE_DB_DATASOURCE_BRIDGE'],
  ])('%s with a prefix of the Celery modules stops the start, naming the new one', (name, current) => {
    expect(refusal({ [name]: '1' })).toMatchObject({
      code: 'CONFIG_OLD_NAME',
      message: `${name} is called ${current} in this system.`,
    });
  });

  test('of the beat producers for the one database they know is understood', () => {
    const config = loadConfig({ G2P_BRIDGE_DB_DATASOURCE: 'postgresql://h/d' });
    expect(config.db_datasource_bridge).toBe('postgresql://h/d');
    const both = {
      G2P_BRIDGE_DB_DATASOURCE: 'postgresql://h/a',
      G2P_BRIDGE_DB_DATASOURCE_BRIDGE: 'postgresql://h/b',
    };
    expect(refusal(both).code).toBe('CONFIG_INCONSISTENT');
  });

  test('without our prefix is none of our business', () => {
    expect(loadConfig({ PATH: '/bin', G2P_OTHER: '1', MY_G2P_BRIDGE_X: '1' }).ignored).toEqual([]);
  });

  test('that has no effect is accepted and reported', () => {
    const config = loadConfig({
      G2P_BRIDGE_CELERY_BROKER_URL: 'redis://:secret@redis:6379/0',
      G2P_BRIDGE_CELERY_BACKEND_URL: 'redis://redis:6379/0',
    });
    expect(config.ignored).toEqual(['G2P_BRIDGE_CELERY_BACKEND_URL', 'G2P_BRIDGE_CELERY_BROKER_URL']);
  });

  test('that Kubernetes makes for a service called g2p-bridge is reported and left alone', () => {
    const links = {
      G2P_BRIDGE_PORT: 'tcp://10.0.0.1:80',
      G2P_BRIDGE_PORT_80_TCP: 'tcp://10.0.0.1:80',
      G2P_BRIDGE_PORT_80_TCP_ADDR: '10.0.0.1',
      G2P_BRIDGE_API_SERVICE_HOST: '10.0.0.1',
      G2P_BRIDGE_API_SERVICE_PORT_HTTP: '80',
    };
    const config = loadConfig(links);
    expect(config.port).toBe(8000);
    expect(config.ignored).toEqual(Object.keys(links).sort());
  });
});

describe('settings together', () => {
  test.each<[Environment, string]>([
    [
      { G2P_BRIDGE_RETRY_BACKOFF_BASE_SECONDS: '60', G2P_BRIDGE_RETRY_BACKOFF_MAX_SECONDS: '10' },
      'G2P_BRIDGE_RETRY_BACKOFF_MAX_SECONDS must not be less than G2P_BRIDGE_RETRY_BACKOFF_BASE_SECONDS.',
    ],
    [
      { G2P_BRIDGE_CIRCUIT_PAUSE_SECONDS: '301' },
      'G2P_BRIDGE_CIRCUIT_PAUSE_MAX_SECONDS must not be less than G2P_BRIDGE_CIRCUIT_PAUSE_SECONDS.',
    ],
    [
      { G2P_BRIDGE_IN_KIND_ENABLED: 'true' },
      'G2P_BRIDGE_IN_KIND_ENABLED needs G2P_BRIDGE_DB_DATASOURCE_PBMS.',
    ],
    [
      { G2P_BRIDGE_IN_KIND_ENABLED: 'true', G2P_BRIDGE_DB_DATASOURCE_PBMS: 'postgresql://h/pbms' },
      'G2P_BRIDGE_IN_KIND_ENABLED needs G2P_BRIDGE_DB_DATASOURCE_REGISTRY.',
    ],
    [
      {
        G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({
          default: { ...BANK, sponsor_bank_code: 'OTHER' },
        }),
      },
      'G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS names the bank OTHER (at default), which has no connector.',
    ],
    [
      {
        G2P_BRIDGE_BANK_CONNECTORS_IMPLS: '{"A":"example-bank","B":{"module":"./b.mjs"}}',
        G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({
          '1:1': { ...BANK, sponsor_bank_code: 'A' },
          '1:2': { ...BANK, sponsor_bank_code: 'B' },
        }),
      },
      'G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS has one account at the banks A and B (at 1:2).',
    ],
    [
      { G2P_BRIDGE_MAPPER_REQUEST_JWT_ENABLED: 'true' },
      'G2P_BRIDGE_MAPPER_REQUEST_JWT_ENABLED needs G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH or ' +
        'G2P_BRIDGE_KEYMANAGER_API_BASE_URL.',
    ],
    [
      { G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH: 'k.p12', G2P_BRIDGE_KEYMANAGER_API_BASE_URL: 'http://km' },
      'G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH and G2P_BRIDGE_KEYMANAGER_API_BASE_URL exclude each other: one of them signs.',
    ],
    [{ G2P_BRIDGE_OAUTH_ENABLED: 'true' }, 'G2P_BRIDGE_OAUTH_ENABLED needs G2P_BRIDGE_OAUTH_URL.'],
    [
      { G2P_BRIDGE_OAUTH_URL: 'http://idp/token' },
      'G2P_BRIDGE_OAUTH_URL needs G2P_BRIDGE_OAUTH_CLIENT_SECRET.',
    ],
  ])('that contradict each other stop the start: %j', (env, message) => {
    expect(refusal(env)).toMatchObject({ code: 'CONFIG_INCONSISTENT', message });
  });
});

describe('benefits in kind', () => {
  const config = loadConfig({
    G2P_BRIDGE_IN_KIND_ENABLED: 'true',
    G2P_BRIDGE_DB_DATASOURCE_PBMS: 'postgresql://h/pbms',
    G2P_BRIDGE_DB_DATASOURCE_REGISTRY: 'postgresql+asyncpg://h/registry',
    G2P_BRIDGE_SUPPRESS_NOTIFICATIONS: 'true',
    G2P_BRIDGE_GEO_RESOLVERS_IMPLS: '{"Farmer":{"module":"./f.mjs","options":{"a":1}}}',
    G2P_BRIDGE_PBMS_CONNECTIONS_MAX: '2',
    G2P_BRIDGE_PBMS_CONNECT_TIMEOUT_MS: '3',
    G2P_BRIDGE_PBMS_QUERY_TIMEOUT_MS: '4',
    G2P_BRIDGE_REGISTRY_CONNECTIONS_MAX: '5',
    G2P_BRIDGE_REGISTRY_CONNECT_TIMEOUT_MS: '6',
    G2P_BRIDGE_REGISTRY_QUERY_TIMEOUT_MS: '7',
    G2P_BRIDGE_NOVU_API_KEY: 'key',
    G2P_BRIDGE_NOVU_AGENCY_WORKFLOW_ID: 'to-agencies',
    G2P_BRIDGE_NOTIFICATION_BULK_SIZE: '8',
    G2P_BRIDGE_NOTIFICATION_CONNECTIONS_MAX: '9',
  });

  test('need no sponsor banks in the configuration, and nothing given for them is without effect', () => {
    expect(config).toMatchObject({ in_kind_enabled: true, sponsor_bank_configurations: {}, ignored: [] });
  });

  test('have connectors with settings of their own', () => {
    expect(config.geo_resolvers_impls).toEqual({ Farmer: { module: './f.mjs', options: { a: 1 } } });
    expect(pbmsSettings(config, 'postgresql://h/pbms')).toEqual({
      name: 'PBMS',
      url: 'postgresql://h/pbms',
      connectionsMax: 2,
      connectTimeoutMs: 3,
      queryTimeoutMs: 4,
    });
    expect(geoResolverSettings(config)).toEqual({
      databaseUrl: 'postgresql://h/registry',
      connectionsMax: 5,
      connectTimeoutMs: 6,
      queryTimeoutMs: 7,
    });
    expect(notificationConnectorSettings(config)).toEqual({
      apiUrl: 'http://127.0.0.1:8003',
      apiKey: 'key',
      workflowIds: {
        WAREHOUSE_NOTIFICATION: 'warehouse-notification',
        AGENCY_NOTIFICATION: 'to-agencies',
        BENEFICIARY_NOTIFICATION: 'beneficiary-notification',
      },
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 30_000,
      responseBytesMax: 16_777_216,
      connectionsMax: 9,
      bulkMax: 8,
      options: {},
    });
  });
});

describe('the sponsor bank', () => {
  const own = {
    ...BANK,
    program_account_number: '7',
    program_account_type: 'CURRENT',
    program_account_branch_code: 'B1',
  };
  const { sponsor_bank_configurations: banks } = loadConfig({
    G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({ '1:2': own, default: BANK }),
  });
  const byDefault = { ...BANK, program_account_type: null, program_account_branch_code: null };

  test('is that of the program and benefit code, else the default, else none', () => {
    expect(sponsorBankOf(banks, 1, '2')).toEqual(own);
    expect(sponsorBankOf(banks, 1, 3)).toEqual(byDefault);
    expect(sponsorBankOf({}, 1, 2)).toBeUndefined();
    expect(sponsorBankOf({}, 'constructor', '')).toBeUndefined();
  });

  test('of a statement is the one that holds its account', () => {
    expect(sponsorBankOfAccount(banks, '7')).toEqual(own);
    expect(sponsorBankOfAccount(banks, '8')).toBeUndefined();
  });
});

describe('the trust of the mapper', () => {
  const OAUTH = { G2P_BRIDGE_OAUTH_URL: 'http://idp/token', G2P_BRIDGE_OAUTH_CLIENT_SECRET: 'hush' };
  const KEY_FILE = { G2P_BRIDGE_CRYPTO_SIGNING_KEY_PATH: 'key.p12' };
  const KEY_MANAGER = { G2P_BRIDGE_KEYMANAGER_API_BASE_URL: 'http://km/v1' };

  test('is asked for by nothing unless there is something to sign with, or a token URL', () => {
    expect(trustSettings(loadConfig({}))).toEqual({ signing: null, oauth: null });
  });

  test('is by the key file or the key manager that is set', () => {
    const file = { path: 'key.p12', password: '', kid: '' };
    expect(trustSettings(loadConfig(KEY_FILE)).signing).toEqual({ kind: 'key_file', file });
    expect(trustSettings(loadConfig(KEY_MANAGER)).signing).toMatchObject({
      kind: 'key_manager',
      keyManager: {
        apiUrl: 'http://km/v1',
        applicationId: 'G2PBRIDGE',
        referenceId: '',
        requestTimeoutMs: 10_000,
      },
    });
  });

  test('is by tokens when there is a token URL', () => {
    expect(trustSettings(loadConfig(OAUTH)).oauth).toMatchObject({
      tokenUrl: 'http://idp/token',
      clientId: 'openg2p-g2p-bridge',
      clientSecret: 'hush',
    });
  });

  test('is left alone when it is switched off, whatever else is set', () => {
    const env = {
      ...OAUTH,
      ...KEY_FILE,
      ...KEY_MANAGER,
      G2P_BRIDGE_OAUTH_ENABLED: 'false',
      G2P_BRIDGE_MAPPER_REQUEST_JWT_ENABLED: 'false',
    };
    expect(trustSettings(loadConfig(env))).toEqual({ signing: null, oauth: null });
  });
});

describe('the configuration as it is shown', () => {
  const config = loadConfig({
    G2P_BRIDGE_OAUTH_CLIENT_SECRET: 'hush-1',
    G2P_BRIDGE_CELERY_BROKER_URL: 'redis://:hush-2@redis/0',
    G2P_BRIDGE_NOVU_API_KEY: 'hush-6',
    G2P_BRIDGE_CRYPTO_SIGNING_KEY_PASSWORD: 'hush-9',
    G2P_BRIDGE_DB_DATASOURCE_PBMS: 'postgresql://pbms:hush-7@db/pbms',
    G2P_BRIDGE_GEO_RESOLVERS_IMPLS: '{"farmer":{"module":"./g.mjs","options":{"token":"hush-8"}}}',
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE:
      'postgresql://bridge:hush-3%2F%40x@db:5432/g2p?password=hush-4&sslmode=require',
    G2P_BRIDGE_BANK_CONNECTORS_IMPLS: '{"EXAMPLE-BANK":{"module":"./b.mjs","options":{"api_key":"hush-5"}}}',
    G2P_BRIDGE_SPONSOR_BANK_CONFIGURATIONS: JSON.stringify({ default: BANK }),
  });
  const shown = maskedConfig(config);

  test('keeps every secret', () => {
    expect(JSON.stringify(shown)).not.toContain('hush');
    expect(JSON.stringify(shown)).not.toContain(BANK.program_account_number);
  });

  test('still says what an operator needs', () => {
    expect(shown).toMatchObject({
      db_datasource_bridge: 'postgresql://bridge:********@db:5432/g2p?password=********&sslmode=require',
      bank_connectors_impls: '{"EXAMPLE-BANK":{"module":"./b.mjs","options":{"api_key":"********"}}}',
      geo_resolvers_impls: '{"farmer":{"module":"./g.mjs","options":{"token":"********"}}}',
      novu_api_key: '********',
      port: '8000',
      bank_fa_deconstruct_strategy: faStrategies(config).BANK_ACCOUNT.pattern,
    });
    expect(shown.sponsor_bank_configurations).toContain('"program_account_number":"…7001"');
    expect(Object.keys(shown)).toEqual(SETTING_NAMES);
  });
});
