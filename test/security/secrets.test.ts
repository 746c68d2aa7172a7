import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTING_NAMES, SETTINGS } from '../../src/config/settings.ts';
import { loadConfig } from '../../src/config.ts';
import { createHttpClient } from '../../src/connectors/http.ts';
import { runCli } from '../cli/run.ts';
import { startHttpServer, type TestServer } from '../connectors/http-servers.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';

const marked = (): string => randomBytes(15).toString('hex');

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase('wrong');
});
afterAll(() => database.drop());

/** What a command said that could not begin. */
async function failing(command: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await runCli(command, { G2P_BRIDGE_LOG_LEVEL: 'debug', ...env });
  expect(code).not.toBe(0);
  expect(stdout + stderr).not.toBe('');
  return stdout + stderr;
}

describe('a secret is not in what is said of', () => {
  it('a password that is wrong, a server that is away and a URL that is none', async () => {
    const secret = marked();
    const wrong = new URL(database.url);
    wrong.password = secret;
    const away = `postgresql://bridge:${secret}@127.0.0.1:1/none`;
    const all = await Promise.all([
      failing(['serve'], { DATABASE_URL: wrong.href }),
      failing(['migrate'], { DATABASE_URL: wrong.href }),
      failing(['tokens', 'list'], { DATABASE_URL: wrong.href }),
      failing(['serve'], { DATABASE_URL: away }),
      failing(['status', 'some', '--url', `http://user:${secret}@127.0.0.1:1`], {}),
      failing(['stages', '--url', 'http://127.0.0.1:1'], { G2P_BRIDGE_TOKEN: secret }),
    ]);
    expect(all.filter((text) => text.includes(secret))).toEqual([]);
    expect(all[0]).toContain('DATABASE_28P01');
  });

  it('a setting that cannot be what it is', () => {
    const secret = marked();
    const isSecret = SETTING_NAMES.filter((name) => SETTINGS[name].isSecret && SETTINGS[name].hasEffect);
    expect(isSecret.length).toBeGreaterThan(3);
    const wrong = {
      ...Object.fromEntries(isSecret.map((name) => [name, `${secret}\u0007é`])),
      db_datasource_bridge: `mysql://bridge:${secret}@127.0.0.1/none`,
      mapper_api_url: `http://user:${secret}@spar.example`,
      bank_connectors_impls: `{"A":{"module":"no","options":{"key":"${secret}"}`,
      sponsor_bank_configurations: `{"default":{"program_account_number":"${secret}"}}`,
    };
    for (const [name, value] of Object.entries(wrong)) {
      const variable = `G2P_BRIDGE_${name.toUpperCase()}`;
      const problem = thrownBy(() => loadConfig({ [variable]: value }));
      expect(problem).toContain(variable);
      expect(problem).not.toContain(secret);
    }
  });
});

function thrownBy(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return inspect(error);
  }
  return 'nothing was thrown';
}

describe('an answer that repeats the credential of its request', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startHttpServer(({ headers }, response) =>
      response.end(JSON.stringify({ said: `no: ${headers.authorization}`, n: 1 })),
    );
  });
  afterAll(() => server.close());

  it.each(['Bearer ', 'ApiKey ', ''])('has a mask in its place, behind the scheme "%s"', async (scheme) => {
    const limits = {
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 5_000,
      responseBytesMax: 10_000,
      connectionsMax: 1,
    };
    const client = createHttpClient(server.url, limits);
    const secret = marked();
    const { signal } = new AbortController();
    const outcome = await client.postJson('/', '{}', { Authorization: scheme + secret }, signal);
    expect(outcome).toMatchObject({ json: { said: `no: ${scheme}********`, n: 1 } });
    expect(JSON.stringify(outcome)).not.toContain(secret);
    await client.close();
  });
});
