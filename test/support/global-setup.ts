import { glob, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Cluster, openCluster } from '../../src/db/embedded-cluster.ts';
import { freePort, urlOf } from '../../src/db/embedded-join.ts';
import { findPostmaster, launchPostmaster, stopPostmaster } from '../../src/db/embedded-postmaster.ts';
import { COMMON_SETTINGS, type ServerSettings } from '../../src/db/embedded-settings.ts';
import { FAST_BASES, FAST_FOLDER, fastFolder } from './fast-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the test run's PostgreSQL server, as a superuser, on its maintenance database. */
    postgresUrl: string;
  }
}

/** Durability is of no use to a test run and costs most of its time, so it is off here and only here. */
const TEST_SETTINGS: ServerSettings = {
  ...COMMON_SETTINGS,
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  jit: 'off',
  max_wal_size: '256MB',
};

/** Where servers of tests lie in a folder: the test run's, one of its own, that of a process with its data folder in it. */
const CLUSTERS = ['cluster', '*/cluster', '*/*/cluster'];
const START_TIMEOUT_MS = 60_000;
const PORT_ATTEMPTS_MAX = 5;

/**
 * Starts one PostgreSQL server for the whole test run and provides its URL as `postgresUrl`.
 *
 * @returns the teardown, which stops the server and removes its folder
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const folder = await fastFolder('run');
  try {
    const cluster = await openCluster(folder);
    const port = await launch(cluster);
    project.provide('postgresUrl', urlOf(cluster, port, 'postgres'));
  } catch (error) {
    await remove(folder);
    throw error;
  }
  return () => remove(folder);
}

async function launch(cluster: Cluster): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const launched = await launchPostmaster(
      cluster,
      port,
      TEST_SETTINGS,
      AbortSignal.timeout(START_TIMEOUT_MS),
    );
    if (launched.outcome === 'ready') return port;
    // Another test run may have been given the same port.
    if (launched.outcome === 'port_taken' && attempt < PORT_ATTEMPTS_MAX) continue;
    throw new Error(`the test server did not start: ${JSON.stringify(launched)}`);
  }
}

/** Removes folders of earlier runs that were killed before their teardown, and stops the servers in them. */
async function removeAbandoned(): Promise<void> {
  for (const base of FAST_BASES) await removeAbandonedIn(base);
}

async function removeAbandonedIn(base: string): Promise<void> {
  for (const entry of await readdir(base).catch(() => [])) {
    const pid = Number(FAST_FOLDER.exec(entry)?.[1]);
    if (!(pid > 0) || isAlive(pid)) continue;
    const folder = join(base, entry);
    // Another test run may be removing it at this moment.
    const owner = await stat(folder).then(
      ({ uid }) => uid,
      () => undefined,
    );
    if (owner === process.getuid?.()) await remove(folder);
  }
}

async function remove(folder: string): Promise<void> {
  for await (const path of glob(CLUSTERS, { cwd: folder })) {
    const dir = join(folder, path);
    const postmaster = await findPostmaster(dir);
    if (postmaster !== undefined) await stopPostmaster(dir, postmaster.pid);
  }
  await rm(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
