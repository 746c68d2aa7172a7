import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EmbeddedServer, startEmbedded } from '../../src/db/embedded.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { findPostmaster, stopPostmaster } from '../../src/db/embedded-postmaster.ts';
import { fastFolder } from '../support/fast-folder.ts';
import { leave, report, startUser, type User } from './embedded-processes.ts';

let template: string;
const WAIT = { timeout: 10_000, interval: 20 };

let parent: string;
let dataDir: string;
let users: User[];
let servers: EmbeddedServer[];

/** Initialising takes most of a start, so most tests begin with a copy of data that was initialised once. */
beforeAll(async () => {
  template = await fastFolder('embedded-template');
  await (await startEmbedded({ dataDir: template })).stop();
});

afterAll(() => rm(template, { recursive: true }));

beforeEach(async () => {
  parent = await fastFolder('embedded');
  dataDir = join(parent, 'data');
  users = [];
  servers = [];
});

afterEach(async () => {
  for (const { child } of users) child.kill('SIGKILL');
  await Promise.all([...users.map(({ exited }) => exited), ...servers.map((server) => server.stop())]);
  const postmaster = await running();
  if (postmaster !== undefined) await stopPostmaster(join(dataDir, 'cluster'), postmaster.pid);
  await rm(parent, { recursive: true, force: true });
});

describe('an embedded server', () => {
  test('starts on a folder that does not exist, within 5 s, with the database g2p_bridge', async () => {
    const begin = performance.now();
    const server = await start();
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(server.started).toBe(true);
    expect(await ask(server.url, 'select current_database() as it')).toBe('g2p_bridge');
  });

  test('keeps what was written, and its port, over a stop and a start', async () => {
    await copyTemplate();
    const first = await start();
    await run(first.url, 'create table paid as select 42 as it');
    await first.stop();
    expect(await running()).toBeUndefined();
    const second = await start();
    expect(second).toMatchObject({ started: true, url: first.url });
    expect(await ask(second.url, 'select it from paid')).toBe(42);
  });

  test('puts a log that has grown past 10 MB aside', async () => {
    await copyTemplate();
    await writeFile(join(dataDir, 'server.log'), Buffer.alloc(11 * 1024 * 1024, '.'));
    await start();
    expect((await stat(join(dataDir, 'server.log.1'))).size).toBe(11 * 1024 * 1024);
    expect(await readFile(join(dataDir, 'server.log'), 'utf8')).toContain('ready to accept connections');
  });
});

describe('several processes on one data folder', () => {
  test('share the server, whatever port they ask for; the last one out stops it', async () => {
    await copyTemplate();
    const first = await start();
    const other = user({ port: await freePort() });
    expect(await report(other)).toEqual({ url: first.url, started: false });
    await first.stop();
    expect(await running()).toBeDefined();
    await leave(other);
    expect(await running()).toBeUndefined();
  });

  test('end up with one server when they start, and none when they stop, at the same moment', async () => {
    const crowd = [user(), user(), user()];
    const reports = await Promise.all(crowd.map(report));
    expect(new Set(reports.map(({ url }) => url)).size).toBe(1);
    expect(reports.filter(({ started }) => started)).toHaveLength(1);
    expect((await readdir(dataDir)).sort()).toEqual(['cluster', 'server.log']);
    await Promise.all(crowd.map(leave));
    expect(await running()).toBeUndefined();
  });

  test('come and go as they like: a start that meets a stop waits and starts again', async () => {
    await copyTemplate();
    const rounds = 4;
    const crowd = [user({ rounds }), user({ rounds }), user({ rounds })];
    for (const one of crowd) one.child.stdin.end();
    for (const one of crowd) {
      for (let round = 1; round <= rounds; round++)
        expect(await report(one)).toMatchObject({ url: expect.any(String) });
    }
    await Promise.all(crowd.map(({ exited }) => exited));
    expect(await running()).toBeUndefined();
  });
});

describe('an accident', () => {
  test('SIGKILL of the process that started the server leaves it running for the next one', async () => {
    await copyTemplate();
    const killed = user();
    const { url, started } = await report(killed);
    expect(started).toBe(true);
    await run(url, 'create table paid as select 42 as it');
    const before = await running();
    killed.child.kill('SIGKILL');
    await killed.exited;
    const next = await start();
    expect(next).toMatchObject({ started: false, url });
    expect(await running()).toEqual(before);
    expect(await ask(next.url, 'select it from paid')).toBe(42);
    await next.stop();
    expect(await running()).toBeUndefined();
  });

  test('Ctrl-C in a terminal, which reaches the whole process group, does not reach the server', async () => {
    await copyTemplate();
    const interrupted = user({ detached: true });
    await report(interrupted);
    const before = await running();
    process.kill(-pidOf(interrupted.child), 'SIGINT');
    await interrupted.exited;
    expect(interrupted.child.signalCode).toBe('SIGINT');
    expect((await start()).started).toBe(false);
    expect(await running()).toEqual(before);
  });

  test('SIGKILL while the folder is being initialised does not spoil the folder', async () => {
    const killed = user();
    await vi.waitFor(async () => expect((await readdir(dataDir)).join()).toMatch(/^init-/), WAIT);
    killed.child.kill('SIGKILL');
    await killed.exited;
    expect(await readdir(dataDir)).not.toContain('cluster');
    expect((await start()).started).toBe(true);
  });

  test('a server that was killed is started again, with everything that was committed', async () => {
    await copyTemplate();
    const killed = user();
    const { url } = await report(killed);
    await run(url, 'create table paid as select 42 as it');
    killed.child.kill('SIGKILL');
    await killed.exited;
    process.kill(pidOf(await running()), 'SIGKILL');
    const next = await start();
    expect(next.started).toBe(true);
    expect(await ask(next.url, 'select it from paid')).toBe(42);
  });

  test('a process number left by a killed server that is another program by now does not matter', async () => {
    await copyTemplate();
    // PostgreSQL itself looks past programs of other users, and past the one that starts it.
    const { uid, gid } = await stat(join(dataDir, 'cluster'));
    const asOwner = process.getuid?.() === 0 ? { uid, gid } : {};
    const stranger = spawn('sleep', ['600'], { ...asOwner, stdio: 'ignore' });
    try {
      const lines = [pidOf(stranger), join(dataDir, 'cluster'), 1, 5432, '', '127.0.0.1', '1 1', 'ready   '];
      await writeFile(join(dataDir, 'cluster', 'postmaster.pid'), `${lines.join('\n')}\n`);
      expect((await start()).started).toBe(true);
      expect(stranger.exitCode).toBeNull();
    } finally {
      stranger.kill();
    }
  });

  test('a lock file that a power cut left empty does not matter', async () => {
    await copyTemplate();
    const lock = join(dataDir, 'cluster', 'postmaster.pid');
    await writeFile(lock, '');
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(lock, anHourAgo, anHourAgo);
    expect((await start()).started).toBe(true);
  });

  test('a server that dies under its users is back at the same address', async () => {
    await copyTemplate();
    const log: string[] = [];
    const server = await startEmbedded({ dataDir, log: (line) => log.push(line) });
    servers.push(server);
    const other = user();
    await report(other);
    const { url } = server;
    const before = await running();
    process.kill(pidOf(before), 'SIGKILL');
    await vi.waitFor(async () => expect((await running())?.pid).not.toBe(before?.pid), WAIT);
    await vi.waitFor(async () => expect(await ask(url, 'select 42 as it')).toBe(42), WAIT);
    expect(server.url).toBe(url);
    expect(log.join()).toContain('went away');
    // Both are its users again: it outlives the one and ends with the other.
    await vi.waitFor(async () => expect(await ask(url, MEMBERS)).toBe(2), WAIT);
    await server.stop();
    expect(await running()).toBeDefined();
    await leave(other);
    expect(await running()).toBeUndefined();
  });
});

describe('what cannot work is refused in one line with a code', () => {
  test('a port that another program has', async () => {
    await copyTemplate();
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await refused('EMBEDDED_PORT_TAKEN', `Port ${port} on 127.0.0.1 is taken`, port);
    // The same data is served once the port is free.
    squatter.close();
    await once(squatter, 'close');
    expect((await start(port)).url).toContain(`:${port}/`);
  });

  test('a folder with other things in it, which is left as it was', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'thesis.txt'), 'precious');
    await refused('EMBEDDED_FOLDER_NOT_OURS', 'thesis.txt');
    expect(await readdir(dataDir)).toEqual(['thesis.txt']);
  });

  test('a file where the folder should be', async () => {
    await writeFile(dataDir, '');
    await refused('EMBEDDED_FOLDER_NOT_USABLE', dataDir);
  });

  test('a folder that the user who runs PostgreSQL cannot use', async () => {
    // Root can write everywhere, but hands the server to a user who cannot pass a closed folder.
    await chmod(parent, process.getuid?.() === 0 ? 0o700 : 0o500);
    await refused('EMBEDDED_FOLDER_NOT_USABLE', dataDir);
    await chmod(parent, 0o755);
  });

  test('data of another major version of PostgreSQL', async () => {
    await mkdir(join(dataDir, 'cluster'), { recursive: true });
    await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '15\n');
    await refused('EMBEDDED_VERSION_MISMATCH', 'PostgreSQL 15');
  });

  test('a folder whose PostgreSQL data is incomplete', async () => {
    await mkdir(join(dataDir, 'cluster'), { recursive: true });
    await refused('EMBEDDED_FOLDER_NOT_OURS', 'PG_VERSION');
  });

  test('a password file that is not the password', async () => {
    await copyTemplate();
    await writeFile(join(dataDir, 'cluster', 'superuser-password'), 'other\n');
    await refused('EMBEDDED_PASSWORD_REJECTED', 'superuser-password');
  });

  test('data that PostgreSQL itself refuses, in its words', async () => {
    await copyTemplate();
    await rm(join(dataDir, 'cluster', 'global', 'pg_control'));
    await refused('EMBEDDED_START_FAILED', 'could not open file');
  });
});

describe('a running embedded server', () => {
  let folder: string;
  let server: EmbeddedServer;

  beforeAll(async () => {
    folder = `${template}-running`;
    await copyTemplate(folder);
    server = await startEmbedded({ dataDir: folder });
  });

  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test('is fully durable and sized for a small machine', async () => {
    const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'max_connections', 'shared_buffers'];
    const more = ['max_wal_size', 'checkpoint_timeout', 'jit', 'data_checksums'];
    const shown = [];
    for (const name of [...names, ...more]) {
      shown.push(await ask(server.url, `select current_setting('${name}') as it`));
    }
    expect(shown).toEqual(['on', 'on', 'on', '200', '256MB', '4GB', '15min', 'off', 'on']);
  });

  test('is closed to others: one address of this machine, no socket file, a password only we can read', async () => {
    expect(await ask(server.url, `select current_setting('listen_addresses') as it`)).toBe('127.0.0.1');
    expect(await ask(server.url, `select current_setting('unix_socket_directories') as it`)).toBe('');
    const stranger = new URL(server.url);
    stranger.password = 'guess';
    await expect(run(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const cluster = await stat(join(folder, 'cluster'));
    const password = await stat(join(folder, 'cluster', 'superuser-password'));
    const log = await stat(join(folder, 'server.log'));
    expect([cluster.mode & 0o777, password.mode & 0o777, log.mode & 0o777]).toEqual([0o700, 0o600, 0o600]);
  });

  test('creates databases on demand, also when asked twice at once, and refuses odd names', async () => {
    const urls = await Promise.all([server.ensureDatabase('bank_sim'), server.ensureDatabase('bank_sim')]);
    expect(urls).toEqual([server.urlFor('bank_sim'), server.urlFor('bank_sim')]);
    expect(await ask(server.urlFor('bank_sim'), 'select current_database() as it')).toBe('bank_sim');
    for (const name of ['', 'Bank', 'a-b', '1a', 'x'.repeat(64)]) {
      await expect(server.ensureDatabase(name)).rejects.toMatchObject({ code: 'EMBEDDED_BAD_DATABASE_NAME' });
    }
  });

  test('writes no data of people to its log', async () => {
    await run(server.url, 'create table account (number text primary key)');
    await run(server.url, `insert into account values ('GB33-SECRET')`);
    const again = run(server.url, `insert into account values ('GB33-SECRET')`);
    await expect(again).rejects.toMatchObject({ code: '23505' });
    const log = await readFile(join(folder, 'server.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('GB33-SECRET');
  });
});

const MEMBERS = `select count(*)::int as it from pg_locks where locktype = 'advisory' and granted`;

async function copyTemplate(target = dataDir): Promise<void> {
  // Unlike the one of Node, this keeps the owner.
  await promisify(execFile)('cp', ['-a', template, target]);
}

async function start(port?: number): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDir, port });
  servers.push(server);
  return server;
}

async function refused(code: string, words: string, port?: number): Promise<void> {
  const error: unknown = await start(port).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'EmbeddedPostgresError', code });
  const message = error instanceof Error ? error.message : '';
  expect(message).toContain(words);
  expect(message).not.toContain('\n');
}

function running() {
  return findPostmaster(join(dataDir, 'cluster'));
}

/** Never 0 or NaN, which would address a signal to the test runner itself. */
function pidOf(process: { pid?: number | undefined } | undefined): number {
  if (process?.pid === undefined) throw new Error('there is no process to signal');
  return process.pid;
}

function user(options: { port?: number; rounds?: number; detached?: boolean } = {}): User {
  const one = startUser({ dataDir, ...options });
  users.push(one);
  return one;
}

async function run(url: string, statement: string): Promise<postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function ask(url: string, question: string): Promise<unknown> {
  return (await run(url, question))[0]?.it;
}
