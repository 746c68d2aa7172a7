import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runAs, type ServerAccount, serverAccount } from './embedded-account.ts';
import { BINARIES_PREFIX, type Binaries, findBinaries } from './embedded-binaries.ts';
import { codeOf, EmbeddedPostgresError, textOf } from './embedded-error.ts';

/**
 * A data folder, checked and ready to be served. Its layout:
 *
 * - `cluster/` the PostgreSQL data, with the superuser's password in `superuser-password`, both for the
 *   server's user only
 * - `server.log`, `server.log.1` the server's log
 * - `binaries-<version>/` the programs, when the server's user cannot reach the installed ones
 * - `init-*` data being initialised, renamed to `cluster` when complete
 */
export interface Cluster {
  /** Folder of the PostgreSQL data. */
  dir: string;
  logFile: string;
  password: string;
  account: ServerAccount | undefined;
  binaries: Binaries;
}

/** Name of the server's superuser, whom all our connections use. */
export const SUPERUSER = 'g2p_bridge';

const PASSWORD_FILE = 'superuser-password';
const INIT_PREFIX = 'init-';
const LOG_FILE = 'server.log';
/** An initialisation takes a second; what is older was left by a process that was killed. */
const INIT_AGE_MAX_MS = 10 * 60_000;

/**
 * Opens a data folder, creating and initialising it when it is absent or empty. Safe to call from several
 * processes at once: each initialises a folder of its own, and one of them is renamed into place.
 *
 * @param dataDir absolute path
 * @throws EmbeddedPostgresError EMBEDDED_FOLDER_NOT_OURS, EMBEDDED_FOLDER_NOT_USABLE,
 *   EMBEDDED_VERSION_MISMATCH, EMBEDDED_BINARIES_UNUSABLE, EMBEDDED_NO_SERVER_USER or EMBEDDED_START_FAILED
 */
export async function openCluster(dataDir: string): Promise<Cluster> {
  try {
    await mkdir(dataDir, { recursive: true });
    const dir = join(dataDir, 'cluster');
    const exists = await holdsCluster(dataDir);
    const account = await serverAccount(dir);
    await assertReachable(dataDir, account);
    const binaries = await findBinaries(account, dataDir);
    if (!exists) await initialise(dataDir, dir, account, binaries);
    await assertVersion(dir, binaries.major);
    const password = (await readFile(join(dir, PASSWORD_FILE), 'utf8')).trim();
    return { dir, logFile: join(dataDir, LOG_FILE), password, account, binaries };
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) throw error;
    throw folderNotUsable(dataDir, textOf(error), error);
  }
}

/** @returns false when the folder is empty but for what we may have left in it ourselves */
async function holdsCluster(dataDir: string): Promise<boolean> {
  const entries = await readdir(dataDir);
  if (entries.includes('cluster')) return true;
  const foreign = entries.find((entry) => !isOurs(entry));
  if (foreign === undefined) return false;
  throw new EmbeddedPostgresError(
    'EMBEDDED_FOLDER_NOT_OURS',
    `The data folder ${dataDir} holds other files (${foreign}) and no database of ours: ` +
      'name an empty or new folder as the data folder.',
  );
}

function isOurs(entry: string): boolean {
  // A folder that is the root of a disk of its own has `lost+found`.
  const prefixes = [INIT_PREFIX, BINARIES_PREFIX, LOG_FILE, 'lost+found'];
  return prefixes.some((prefix) => entry.startsWith(prefix));
}

async function assertReachable(dataDir: string, account: ServerAccount | undefined): Promise<void> {
  const entered = await runAs(account, '/bin/sh', ['-c', 'cd "$1"', 'sh', dataDir]);
  if (entered.ok) return;
  throw folderNotUsable(dataDir, `user ${account?.uid ?? process.getuid?.()} cannot enter it`);
}

async function assertVersion(dir: string, major: string): Promise<void> {
  const version = await readFile(join(dir, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new EmbeddedPostgresError(
      'EMBEDDED_FOLDER_NOT_OURS',
      `${dir} is not a PostgreSQL data folder (it has no PG_VERSION): name another data folder, or restore it.`,
    );
  });
  if (version.trim() === major) return;
  throw new EmbeddedPostgresError(
    'EMBEDDED_VERSION_MISMATCH',
    `The data in ${dir} is of PostgreSQL ${version.trim()} and this program runs PostgreSQL ${major}: ` +
      'dump it with the version that wrote it and load the dump into a new data folder.',
  );
}

async function initialise(
  dataDir: string,
  dir: string,
  account: ServerAccount | undefined,
  binaries: Binaries,
): Promise<void> {
  await removeAbandoned(dataDir);
  const staging = await mkdtemp(join(dataDir, INIT_PREFIX));
  try {
    const passwordFile = join(staging, 'password');
    await writeSecret(passwordFile, randomBytes(32).toString('hex'), account);
    await handOver(staging, account);
    const cluster = join(staging, 'cluster');
    await initdb(binaries, account, cluster, passwordFile);
    await rename(passwordFile, join(cluster, PASSWORD_FILE));
    await syncFolder(cluster);
    await rename(cluster, dir);
    await syncFolder(dataDir);
  } catch (error) {
    // Another process was faster: its cluster is the one.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function initdb(
  binaries: Binaries,
  account: ServerAccount | undefined,
  dir: string,
  passwordFile: string,
): Promise<void> {
  // The built-in locale sorts alike on every system and after every upgrade of the system's libraries.
  const { ok, output } = await runAs(account, binaries.initdb, [
    `--pgdata=${dir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  ]);
  if (ok) return;
  const lines = output.split('\n');
  const reason = lines.findLast((line) => line.includes('error') || line.includes('FATAL'));
  throw new EmbeddedPostgresError(
    'EMBEDDED_START_FAILED',
    `The database in ${dir} could not be initialised: ${reason ?? lines.slice(-3).join('; ')}.`,
  );
}

async function removeAbandoned(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir)) {
    if (!entry.startsWith(INIT_PREFIX)) continue;
    const folder = join(dataDir, entry);
    // Its owner may remove it while we look.
    const beginMs = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - beginMs > INIT_AGE_MAX_MS) await rm(folder, { recursive: true, force: true });
  }
}

async function writeSecret(file: string, secret: string, account: ServerAccount | undefined): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${secret}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await handOver(file, account);
}

async function handOver(path: string, account: ServerAccount | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

/** Makes the renames in a folder survive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function folderNotUsable(dataDir: string, reason: string, cause?: unknown): EmbeddedPostgresError {
  const advice =
    process.getuid?.() === 0
      ? 'PostgreSQL does not run as root, so name a data folder that other users can reach (/var/lib/g2p-bridge), ' +
        'or run as an ordinary user.'
      : 'name a data folder that you own, or run as the user who owns it.';
  return new EmbeddedPostgresError(
    'EMBEDDED_FOLDER_NOT_USABLE',
    `The data folder ${dataDir} cannot be used (${reason}): ${advice}`,
    cause === undefined ? undefined : { cause },
  );
}
