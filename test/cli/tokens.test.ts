import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/wait.ts';
import { runCli, startCli } from './run.ts';

let database: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  database = await createDatabase('cli_tokens');
  env = { G2P_BRIDGE_DB_DATASOURCE_BRIDGE: database.url, G2P_BRIDGE_PORT: '0' };
});
afterAll(() => database.drop());

const tokens = (...args: string[]) => runCli(['tokens', ...args], env);

/** A server, until what it wrote fulfils a condition; @returns what it wrote */
async function serveUntil(condition: (stdout: string) => boolean, ...args: string[]): Promise<string> {
  const server = startCli(['serve', ...args], { ...env, NO_COLOR: '1' });
  await until('the server has said it', () => condition(server.stdout()));
  server.child.kill('SIGTERM');
  return (await server.ended).stdout;
}

const isReady = (stdout: string): boolean =>
  stdout.includes('"ready":true') || stdout.includes('"msg":"ready"');

it('a database that has not been migrated is left alone', async () => {
  const { code, stderr } = await tokens('list');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^error NOT_MIGRATED: .*"g2p-bridge migrate"/)]);
});

describe('the first start', () => {
  it('makes a token and shows it once, apart from the log', async () => {
    await migrate(database.url);
    const stdout = await serveUntil(isReady);
    const shown = stdout.split('\n').filter((line) => line.includes('g2p_'));
    expect(shown).toEqual([expect.stringMatching(/^ +g2p_[A-Za-z0-9_-]{43}$/)]);
    expect(stdout).toMatch(/^ {2}Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/$/m);
    expect(JSON.parse((await tokens('list', '--json')).stdout)).toEqual({
      tokens: [{ name: 'first', role: 'payer', created_at: expect.stringMatching(/Z$/) }],
    });
    expect(await serveUntil(isReady)).not.toContain('g2p_');
  });

  it('tells programs in their document', async () => {
    await tokens('revoke', 'first');
    const [line = ''] = (await serveUntil(isReady, '--json'))
      .split('\n')
      .filter((one) => one.includes('"ready":true'));
    expect(JSON.parse(line)).toMatchObject({
      ready: true,
      operators: 'token',
      first_operator_token: expect.stringMatching(/^g2p_/),
    });
  });
});

describe('a token', () => {
  it('is made, opens the surface, is listed and revoked', async () => {
    const made = await tokens('create', '--name', 'night-shift', '--role', 'operator', '--json');
    expect([made.code, made.stderr]).toEqual([0, '']);
    const { token, ...holder } = JSON.parse(made.stdout);
    expect(holder).toEqual({ name: 'night-shift', role: 'operator' });
    const server = startCli(['serve', '--json'], env);
    await until('the server is ready', () => isReady(server.stdout()));
    const { url } = JSON.parse(
      server
        .stdout()
        .split('\n')
        .find((line) => line.includes('"ready":true')) ?? '',
    );
    const session = () => fetch(`${url}/operator/session`, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await session()).json()).toEqual({
      operator: { id: 'night-shift', name: 'night-shift', role: 'operator' },
    });
    expect((await tokens('list')).stdout).toMatch(/^night-shift {2}operator {2}20\d\d-/m);
    expect((await tokens('revoke', 'night-shift')).stdout).toBe('The token night-shift is revoked.\n');
    expect((await session()).status).toBe(401);
    const cli = { operator_id: 'cli', operator_name: 'cli', role: 'payer', accepted: 1, problem: null };
    const target = { token: 'night-shift', role: 'operator' };
    const { sql, close } = connect(database.url, { max: 1 });
    const entries = await sql`
      select operator_id, operator_name, role, accepted, problem, action, target from operator_actions
      where target->>'token' in ('night-shift', 'first') order by id`;
    await close();
    const server1 = { ...cli, operator_id: 'server', operator_name: 'server' };
    const first = { token: 'first', role: 'payer' };
    expect(entries.filter(({ target: { token: name } }) => name === 'first').slice(0, 2)).toEqual([
      { ...server1, action: 'token_created', target: first },
      { ...cli, action: 'token_revoked', target: first },
    ]);
    expect(entries.filter(({ target: { token: name } }) => name === 'night-shift')).toEqual([
      { ...cli, action: 'token_created', target },
      { ...cli, action: 'token_revoked', target },
    ]);
    server.child.kill('SIGTERM');
    expect((await server.ended).stdout).not.toContain(token);
  });

  it('is the only thing on standard output, for scripts', async () => {
    const { stdout, stderr } = await tokens('create', '--name', 'script', '--role', 'viewer');
    expect(stdout).toMatch(/^g2p_[A-Za-z0-9_-]{43}\n$/);
    expect(stderr).toContain('not shown again');
  });

  it.each<[string, string[], number, RegExp]>([
    ['name that is taken', ['create', '--name', 'script', '--role', 'payer'], 1, /^error TOKEN_NAME_TAKEN: /],
    ['name that is none', ['create', '--name', 'a b', '--role', 'payer'], 2, /^error USAGE: --name takes/],
    [
      'role that is none',
      ['create', '--name', 'x', '--role', 'root'],
      2,
      /^error USAGE: .*viewer, operator, payer/,
    ],
    ['name that is missing', ['create', '--role', 'payer'], 2, /^error USAGE: .*--name/],
    [
      'name that is unknown',
      ['revoke', 'nobody'],
      1,
      /^error TOKEN_UNKNOWN: There is no token called "nobody"/,
    ],
    ['command that is missing', [], 2, /^error USAGE: /],
    ['command that is unknown', ['destroy'], 2, /^error USAGE: /],
  ])('is not touched with a %s', async (_, args, code, stderr) => {
    const ended = await tokens(...args);
    expect([ended.code, ended.stderr.split('\n').at(-2)]).toEqual([code, expect.stringMatching(stderr)]);
  });
});

it('a worker, and who signs in otherwise, needs none', async () => {
  for (const { name } of JSON.parse((await tokens('list', '--json')).stdout).tokens)
    await tokens('revoke', name);
  for (const more of [{ G2P_BRIDGE_ROLE: 'worker' }, { G2P_BRIDGE_OPERATOR_ACCESS: 'loopback' }]) {
    const server = startCli(['serve'], { ...env, ...more });
    await until('the server is ready', () => isReady(server.stdout()));
    server.child.kill('SIGTERM');
    expect((await server.ended).stdout).not.toContain('g2p_');
  }
  expect(JSON.parse((await tokens('list', '--json')).stdout)).toEqual({ tokens: [] });
});
