import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/api/operator/wire/common.ts';
import { confirm } from '../../src/cli/operate/confirm.ts';
import { openOperatorApi, type TestOperatorApi } from '../support/operators.ts';
import { statesOf, storedBatches, storedEnvelope } from '../support/stopped-work.ts';
import { type FaultyProxy, startProxy } from './proxy.ts';
import { type Folder, makeFolder, runCli } from './run.ts';

let api: TestOperatorApi;
let proxy: FaultyProxy;
let folder: Folder;
beforeAll(async () => {
  api = await openOperatorApi();
  proxy = await startProxy(api.url);
  folder = await makeFolder();
});
afterAll(async () => {
  await folder?.remove();
  await proxy?.close();
  await api?.close();
});
beforeEach(() => proxy.reset());

const REASON = 'the mapper is back';

const tokenOf = (role: Role): string => api.as(role).headers.authorization?.replace(/^Bearer /, '') ?? '';

/** Runs a command as an operator with this role. */
const as = (role: Role, args: readonly string[]) =>
  runCli([...args, '--url', api.url, '--retry-for', '0'], { G2P_BRIDGE_OPERATOR_TOKEN: tokenOf(role) });

async function stopped(count: number, code = 'FA_UNRESOLVED') {
  const envelope = await storedEnvelope(api.database);
  const ids = await storedBatches(api.database, envelope, count, {
    region: 'fa_resolution',
    status: 'ERROR',
    code,
  });
  return { envelope: envelope.id, ids };
}

const latestAudit = async () => (await api.as('viewer').get('/operator/audit?limit=1')).body.actions[0];
const retry = (...more: string[]) => ['retry', '--stage', 'mapper_resolution', '--reason', REASON, ...more];

describe('retry, release and dispatch', () => {
  it('say how many records they are for, and do nothing without a terminal or --yes', async () => {
    const { envelope, ids } = await stopped(3);
    const asked = await as('operator', retry('--envelope', envelope));
    expect([asked.code, asked.stdout]).toEqual([2, '']);
    expect(asked.stderr).toMatch(/^error CONFIRMATION_NEEDED: Retry 3 records\? .*--yes.*\n$/);
    expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ ERROR: 3 });
    const done = await as('operator', retry('--envelope', envelope, '--code', 'FA_UNRESOLVED', '--yes'));
    expect(done).toEqual({ code: 0, stdout: 'Retried 3 records.\n', stderr: '' });
    expect(await statesOf(api.database, 'fa_resolution', ids)).toEqual({ PENDING: 3 });
    expect(await latestAudit()).toMatchObject({ action: 'retry', reason: REASON, accepted: 3 });
    const again = await as('operator', retry('--envelope', envelope, '--yes'));
    expect(again).toEqual({ code: 0, stdout: 'There is nothing to retry.\n', stderr: '' });
  });

  it('take single records, and end with 1 when some could not do it', async () => {
    const { ids } = await stopped(2);
    const [first = '', second = ''] = ids;
    const { code, stdout } = await as('operator', retry('--id', first, second, 'nobody', '--yes', '--json'));
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      { action: 'retry', matching: 2, accepted: 2, refused: 1, remaining: 0 },
    ]);
    const gone = await as('operator', retry('--id', first));
    expect([gone.code, gone.stdout]).toEqual([1, 'Retried 0 records; 1 could not do it.\n']);
  });

  it('say what the server refuses, with its code', async () => {
    const { envelope } = await stopped(1);
    const release = [
      'release',
      '--stage',
      'mapper_resolution',
      '--envelope',
      envelope,
      '--reason',
      REASON,
      '--yes',
    ];
    const refused = await as('operator', release);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^error ROLE_MISSING: .*payer.*operator.*\n$/),
    ]);
    expect((await as('payer', release)).stdout).toBe('Released 1 record.\n');
    const unknown = await as('payer', ['dispatch', '--stage', 'x', '--reason', REASON, '--yes', '--json']);
    expect([unknown.code, JSON.parse(unknown.stdout).error.code]).toEqual([1, 'STAGE_UNKNOWN']);
  });

  it('are not asked for again when the answer about single records gets lost', async () => {
    const { ids } = await stopped(2);
    proxy.breaks(({ path }) => (path === '/operator/actions/retry' ? 'hang-up-after' : null));
    const before = proxy.to('/operator/actions/retry').length;
    const args = [...retry('--id', ...ids, '--yes'), '--url', proxy.url, '--retry-for', '5'];
    const { code, stderr } = await runCli(args, { G2P_BRIDGE_OPERATOR_TOKEN: tokenOf('operator') });
    expect([code, stderr]).toEqual([3, expect.stringMatching(/SERVER_CONNECTION_LOST.*audit log/)]);
    expect(proxy.to('/operator/actions/retry')).toHaveLength(before + 1);
  });

  it('act once on each record when answers get lost', async () => {
    const { envelope, ids } = await stopped(4);
    let lost = 0;
    proxy.breaks(({ path }) => {
      if (path !== '/operator/actions/retry' || lost > 0) return null;
      lost += 1;
      return 'hang-up-after';
    });
    const args = [...retry('--envelope', envelope, '--yes'), '--url', proxy.url, '--retry-for', '10'];
    const { code } = await runCli(args, { G2P_BRIDGE_OPERATOR_TOKEN: tokenOf('operator') });
    expect([code, lost]).toEqual([0, 1]);
    const [row] = await api.database.sql`
      select count(*)::int as n from actor_transitions where event = 'retry' and actor_id = any(${ids})`;
    expect(row?.n).toBe(4);
  });
});

describe('stages', () => {
  it('are paused and resumed, and listed with what became of their work', async () => {
    const paused = await as('operator', ['pause', 'geo_resolution', '--reason', 'registry is down']);
    expect(paused).toEqual({ code: 0, stdout: 'geo_resolution is paused.\n', stderr: '' });
    const list = await as('viewer', ['stages']);
    expect([list.code, list.stderr]).toEqual([0, '']);
    expect(list.stdout).toMatch(/^stage +waiting +processing +done +error +next tick +paused\n/);
    expect(list.stdout).toMatch(/\ngeo_resolution .* by \S+ since \S+Z: registry is down\n/);
    const resumed = await as('operator', ['resume', 'geo_resolution', '--reason', 'it is up', '--json']);
    expect(JSON.parse(resumed.stdout)).toEqual({ stage: 'geo_resolution', paused: false });
    const { stages } = JSON.parse((await as('viewer', ['stages', '--json'])).stdout);
    expect(stages).toHaveLength(12);
    expect(stages.find((one: { stage: string }) => one.stage === 'geo_resolution')).toMatchObject({
      paused: null,
    });
  });

  it('of payments are stopped by anybody who may act, and resumed by a payer', async () => {
    expect((await as('operator', ['stop-payments', '--reason', 'wrong list'])).stdout).toBe(
      'disburse_funds_from_bank is paused.\n',
    );
    const resume = ['resume', 'disburse_funds_from_bank', '--reason', 'right list'];
    expect((await as('operator', resume)).code).toBe(1);
    expect((await as('payer', resume)).code).toBe(0);
  });

  it('tick now', async () => {
    const { code, stdout } = await as('operator', ['tick', 'mt940_processor', '--reason', 'month end']);
    expect([code, stdout]).toEqual([0, 'mt940_processor: 0 dispatched, 0 taken back.\n']);
  });
});

describe('errors', () => {
  it('are shown by stage and code, also of one envelope', async () => {
    const { envelope } = await stopped(2, 'MAPPER_SHOWN_HERE');
    const { code, stdout } = await as('viewer', ['errors', '--envelope', envelope]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^stage +code +count +since +latest\nmapper_resolution +MAPPER_SHOWN_HERE +2 +\S+Z/,
    );
    const json = JSON.parse((await as('viewer', ['errors', '--json'])).stdout);
    expect(json.groups).toContainEqual(expect.objectContaining({ code: 'MAPPER_SHOWN_HERE', count: 2 }));
    const none = await storedEnvelope(api.database);
    expect((await as('viewer', ['errors', '--envelope', none.id])).stdout).toBe('Nothing stands in ERROR.\n');
  });
});

describe('cancel', () => {
  it('cancels an envelope, once', async () => {
    const { id } = await storedEnvelope(api.database);
    const cancel = ['cancel', id, '--reason', 'announced twice'];
    expect(await as('operator', cancel)).toEqual({
      code: 0,
      stdout: `Envelope ${id} is cancelled.\n`,
      stderr: '',
    });
    const again = await as('operator', cancel);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringContaining('error DISBURSEMENT_ENVELOPE_ALREADY_CANCELED: '),
    ]);
  });

  it('is not tried again when nobody knows whether it was done', async () => {
    const { id } = await storedEnvelope(api.database);
    proxy.breaks(() => 'hang-up-after');
    const args = ['cancel', id, '--reason', 'announced twice', '--url', proxy.url, '--retry-for', '5'];
    const { code, stderr } = await runCli(args, { G2P_BRIDGE_OPERATOR_TOKEN: tokenOf('operator') });
    expect([code, stderr]).toEqual([3, expect.stringMatching(/SERVER_CONNECTION_LOST.*audit log/)]);
    expect(proxy.to(`/operator/envelopes/${id}/cancel`)).toHaveLength(1);
  });
});

describe('who asks', () => {
  it('is read from a file, too', async () => {
    const file = await folder.write('token', `${tokenOf('operator')}\n`);
    const tick = ['tick', 'mt940_processor', '--reason', 'month end', '--url', api.url];
    expect((await runCli([...tick, '--token-file', file])).code).toBe(0);
  });

  it.each([
    ['no token', [], {}, 1, /^error TOKEN_\w+: /],
    ['a token that nobody knows', [], { G2P_BRIDGE_OPERATOR_TOKEN: 'nobody' }, 1, /^error TOKEN_INVALID: /],
    ['no such file', ['--token-file', '/nowhere/token'], {}, 2, /^error TOKEN_UNUSABLE: \/nowhere\/token /],
    [
      'two tokens',
      [],
      { G2P_BRIDGE_OPERATOR_TOKEN: 'one two' },
      2,
      /^error TOKEN_UNUSABLE: G2P_BRIDGE_OPERATOR_TOKEN /,
    ],
  ])('is refused with %s', async (_what, more, env, code, stderr) => {
    const ended = await runCli(['errors', '--url', api.url, ...more], env as Record<string, string>);
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([code, '', expect.stringMatching(stderr)]);
  });

  it('may have the token in an environment that the server shares', async () => {
    const { loadConfig } = await import('../../src/config.ts');
    expect(() => loadConfig({ G2P_BRIDGE_OPERATOR_TOKEN: 'secret' })).not.toThrow();
  });
});

it.each([
  [['retry', '--reason', 'because'], "required option '--stage <stage>' not specified"],
  [['pause', 'geo_resolution'], "required option '--reason <text>' not specified"],
  [['pause', 'geo_resolution', '--reason', ' x '], '--reason must say why'],
])('refuses %j in one line', async (args, sentence) => {
  const { code, stdout, stderr } = await runCli(args);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(/^error USAGE: [^\n]+\n$/)]);
  expect(stderr).toContain(sentence);
});

describe('asking on a terminal', () => {
  const answering = async (line: string | null) => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    const output = new PassThrough();
    const asked = confirm('Retry 3 records', { input, output });
    if (line !== null) input.write(`${line}\n`);
    input.end();
    const outcome = await asked.then(
      () => 'confirmed',
      (error: { code: string }) => error.code,
    );
    output.end();
    return [outcome, await text(output)];
  };

  it.each(['y', 'yes', ' Y '])('takes %j for yes', async (line) => {
    const [outcome, shown] = await answering(line);
    expect([outcome, shown]).toEqual(['confirmed', expect.stringContaining('Retry 3 records? [y/N] ')]);
  });

  it.each(['', 'n', 'no', 'yesterday', null])('takes %j for no', async (line) => {
    expect((await answering(line))[0]).toBe('NOT_CONFIRMED');
  });
});
