import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runAs, serverAccount } from '../../src/db/embedded-account.ts';
import { type Cluster, SUPERUSER } from '../../src/db/embedded-cluster.ts';
import { freePort, urlOf } from '../../src/db/embedded-join.ts';
import { launchPostmaster, stopPostmaster } from '../../src/db/embedded-postmaster.ts';
import { COMMON_SETTINGS } from '../../src/db/embedded-settings.ts';
import { administer } from './database.ts';

const DEBIAN_FOLDER = '/usr/lib/postgresql';
const PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];
const START_TIMEOUT_MS = 60_000;

/** A PostgreSQL that is installed on this machine, with the programs that the embedded one comes without. */
export interface SystemPostgres {
  /** Folder of its programs. */
  readonly programs: string;
  /** `15` */
  readonly major: string;
}

/** A server of it, with data of its own. */
export interface SystemServer {
  readonly major: string;
  /** Creates a database. @returns its URL */
  createDatabase(name: string): Promise<string>;
  /** What `pg_dump` writes about a database. */
  dump(url: string, args: readonly string[]): Promise<string>;
  /** Backs a database up into a file that {@link restore} takes; `pg_dump` in its custom format. */
  backup(url: string): Promise<string>;
  /** Restores a backup into an empty database, with `pg_restore`. */
  restore(backup: string, url: string): Promise<void>;
  stop(): Promise<void>;
}

/** @returns the newest PostgreSQL of this machine that has all programs; null when there is none */
export async function findSystemPostgres(): Promise<SystemPostgres | null> {
  const versions = await readdir(DEBIAN_FOLDER).catch(() => []);
  const debian = versions.toSorted((a, b) => Number(b) - Number(a)).map((v) => join(DEBIAN_FOLDER, v, 'bin'));
  for (const programs of [...(process.env.PATH ?? '').split(delimiter), ...debian]) {
    const names = new Set(await readdir(programs).catch(() => []));
    if (!PROGRAMS.every((program) => names.has(program))) continue;
    const { output } = await runAs(undefined, join(programs, 'postgres'), ['--version']);
    const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1];
    if (major !== undefined) return { programs, major };
  }
  return null;
}

/** Starts a server with new data, which goes when it is stopped. It may lose data when the machine dies, and only then. */
export async function startSystemServer({ programs, major }: SystemPostgres): Promise<SystemServer> {
  const folder = await mkdtemp(join(tmpdir(), 'g2p-system-postgres-'));
  // The server's user may be another than ours.
  await chmod(folder, 0o777);
  const account = await serverAccount(join(folder, 'cluster'));
  const run = async (program: string, args: readonly string[]) => {
    const { ok, output } = await runAs(account, join(programs, program), [...args]);
    if (!ok) throw new Error(`${program} failed: ${output}`);
  };
  const dir = join(folder, 'cluster');
  const password = 'system';
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password);
  await run('initdb', [
    ...[`--pgdata=${dir}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`],
    ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
  ]);
  const binaries = { postgres: join(programs, 'postgres'), initdb: join(programs, 'initdb'), major };
  const cluster: Cluster = { dir, logFile: join(folder, 'server.log'), password, account, binaries };
  const port = await freePort();
  const settings = { ...COMMON_SETTINGS, fsync: 'off', synchronous_commit: 'off' };
  const launched = await launchPostmaster(cluster, port, settings, AbortSignal.timeout(START_TIMEOUT_MS));
  if (launched.outcome !== 'ready') throw new Error(`PostgreSQL did not start: ${JSON.stringify(launched)}`);
  let backups = 0;
  const write = async (url: string, args: readonly string[]) => {
    backups += 1;
    const file = join(folder, `backup-${backups}`);
    await run('pg_dump', [`--dbname=${url}`, `--file=${file}`, ...args]);
    return file;
  };
  return {
    major,
    async createDatabase(name) {
      await administer(urlOf(cluster, port, 'postgres'), (sql) => sql`create database ${sql(name)}`);
      return urlOf(cluster, port, name);
    },
    async dump(url, args) {
      return readFile(await write(url, args), 'utf8');
    },
    backup: (url) => write(url, ['--format=custom']),
    restore: (backup, url) => run('pg_restore', [`--dbname=${url}`, '--no-owner', '--exit-on-error', backup]),
    async stop() {
      await stopPostmaster(dir, launched.postmaster.pid);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
