import { spawn } from 'node:child_process';
import {
  constants,
  type FileHandle,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programSurroundings, runAs } from './embedded-account.ts';
import type { Cluster } from './embedded-cluster.ts';
import { codeOf, EmbeddedPostgresError, textOf } from './embedded-error.ts';
import { type ServerSettings, settingFlags } from './embedded-settings.ts';

/** The main process of a server, as its file postmaster.pid tells. */
export interface Postmaster {
  pid: number;
  port: number;
  /** It accepts connections; otherwise it is starting, recovering or stopping. */
  ready: boolean;
}

/** How an attempt to start a server ended. */
export type Launch =
  | { outcome: 'ready'; postmaster: Postmaster }
  /** Another server runs on the data, or what is left of one that was killed has yet to go. */
  | { outcome: 'occupied'; reason: string }
  | { outcome: 'port_taken' }
  /** `reason` is the line of the log that tells why. */
  | { outcome: 'failed'; reason: string };

/** How often we look whether a server started or stopped; PostgreSQL offers nothing to wait on. */
export const POLL_INTERVAL_MS = 20;

/** ESRCH: the process whose file in /proc was opened ended before it was read. */
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ESRCH']);
const PID_FILE = 'postmaster.pid';
const EMPTY_LOCK_AGE_MAX_MS = 5_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const REASON_CHARACTERS_MAX = 500;
const STOP_TIMEOUT_MS = 60_000;

/**
 * @param dir folder of the PostgreSQL data
 * @returns the server that runs on the data, or undefined when none does (whatever a crashed one left behind)
 */
export async function findPostmaster(dir: string): Promise<Postmaster | undefined> {
  // Line 1 is the process, 4 the port, 8 the state (PostgreSQL, src/include/utils/pidfile.h).
  const lines = (await readIfThere(join(dir, PID_FILE))).split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!(pid > 0) || !(await servesFolder(pid, dir))) return undefined;
  return { pid, port: Number.parseInt(lines[3] ?? '', 10), ready: lines[7]?.trim() === 'ready' };
}

/** @returns the port that the last server on the data used, or undefined when there was none */
export async function lastPort(dir: string): Promise<number | undefined> {
  const port = /"port=(\d+)"/.exec(await readIfThere(join(dir, 'postmaster.opts')))?.[1];
  return port === undefined ? undefined : Number(port);
}

/**
 * Starts a server in a session of its own, so that neither our end nor a Ctrl-C in our terminal is its end,
 * and waits until it accepts connections or gives up. PostgreSQL itself makes sure that one server at most
 * runs on a folder.
 *
 * @param port TCP port, not 0
 * @param signal ends the waiting; the server goes on starting
 * @throws the reason of `signal` when it fires first
 */
export async function launchPostmaster(
  cluster: Cluster,
  port: number,
  settings: ServerSettings,
  signal: AbortSignal,
): Promise<Launch> {
  await discardFalseLock(cluster.dir);
  const log = await openLog(cluster);
  let ended: string | undefined;
  try {
    const flags = settingFlags({ ...settings, port: String(port) });
    const child = spawn(cluster.binaries.postgres, ['-D', cluster.dir, ...flags], {
      ...cluster.account,
      ...programSurroundings(),
      detached: true,
      stdio: ['ignore', log.handle.fd, log.handle.fd],
    });
    child.once('error', (error) => {
      ended = textOf(error);
    });
    child.once('exit', (code, killedBy) => {
      ended ??= `it ended with ${killedBy ?? `code ${code}`}`;
    });
    child.unref();
    while (ended === undefined) {
      const postmaster = await findPostmaster(cluster.dir);
      if (postmaster?.ready && postmaster.pid === child.pid) return { outcome: 'ready', postmaster };
      await delay(POLL_INTERVAL_MS, undefined, { signal });
    }
  } finally {
    await log.handle.close();
  }
  return explainFailure(await readFrom(cluster.logFile, log.startByte), ended);
}

/**
 * Stops a server in PostgreSQL's fast mode: open transactions are rolled back, everything committed is
 * written out, connections are closed.
 *
 * @throws EmbeddedPostgresError EMBEDDED_STOP_TIMEOUT when it takes more than a minute; it goes on by itself
 */
export async function stopPostmaster(dir: string, pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return;
    throw error;
  }
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (await servesFolder(pid, dir)) {
    if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(
        'EMBEDDED_STOP_TIMEOUT',
        `The database server (process ${pid}) is still stopping after ${STOP_TIMEOUT_MS / 1000} s: ` +
          'it ends by itself when it has written everything; do not kill it.',
      );
    }
    await delay(POLL_INTERVAL_MS);
  }
}

/** Whether a process lives and works on the data: its number alone may have passed to another program. */
async function servesFolder(pid: number, dir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') {
    const { output } = await runAs(undefined, 'ps', ['-o', 'comm=', '-p', String(pid)]);
    return basename(output) === 'postgres';
  }
  try {
    // A server's working folder is its data.
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dir));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    // We may not look into a process of another user, but its name is public.
    return (await readIfThere(`/proc/${pid}/comm`)).trim() === 'postgres';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Removes a postmaster.pid that PostgreSQL would take for that of a running server though it is not: its
 * process number is by now another program's (common after a container restarts, where numbers repeat), or a
 * power cut emptied it. The file is moved aside first and looked at again, so that the file of a server
 * started meanwhile is put back. PostgreSQL's second lock, on shared memory, guards the data regardless.
 */
async function discardFalseLock(dir: string): Promise<void> {
  const file = join(dir, PID_FILE);
  const aside = `${file}.${process.pid}`;
  const before = await readIfThere(file);
  if (!(await isFalseLock(file, before, dir))) return;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) === before) await rm(aside);
    else await rename(aside, file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function isFalseLock(file: string, content: string, dir: string): Promise<boolean> {
  const pid = Number.parseInt(content, 10);
  if (pid > 0) return isAlive(pid) && !(await servesFolder(pid, dir));
  // A server that is just starting creates the file and fills it at once.
  const modifiedMs = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  return Date.now() - modifiedMs > EMPTY_LOCK_AGE_MAX_MS;
}

/**
 * Opens the log at its end; one that has grown is put aside, so that two files of bounded size remain. A link
 * is not followed: as root we would hand its target over to the server's user.
 */
async function openLog({ logFile, account }: Cluster): Promise<{ handle: FileHandle; startByte: number }> {
  const sizeBytes = await stat(logFile).then(
    ({ size }) => size,
    () => 0,
  );
  if (sizeBytes > LOG_BYTES_MAX) await rename(logFile, `${logFile}.1`);
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const handle = await open(logFile, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  if (account !== undefined) await handle.chown(account.uid, account.gid);
  return { handle, startByte: (await handle.stat()).size };
}

function explainFailure(text: string, ended: string): Launch {
  const line = text.split('\n').findLast((entry) => /FATAL|PANIC|ERROR/.test(entry));
  // Without such a line the server did not come to the point of logging, and what it wrote is short.
  const words = (line?.replace(/^.*?(?=FATAL|PANIC|ERROR)/, '') ?? text).replaceAll(/\s+/g, ' ').trim();
  const reason = words === '' ? ended : words.slice(0, REASON_CHARACTERS_MAX);
  if (/lock file "postmaster.pid"|pre-existing shared memory block/.test(text)) {
    return { outcome: 'occupied', reason };
  }
  if (text.includes('Address already in use')) return { outcome: 'port_taken' };
  return { outcome: 'failed', reason };
}

async function readFrom(file: string, startByte: number): Promise<string> {
  const bytes = await readFile(file);
  return bytes.subarray(startByte).toString('utf8');
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (NOT_THERE.has(codeOf(error) ?? '')) return '';
    throw error;
  }
}
