import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** In the environment of each process of a run: which run it is of. */
export const RUN_VARIABLE = 'CHAOS_RUN';
/** What a run that ends in order says to its reaper. */
export const DONE = 'done';

/**
 * Starts the process that outlives this one, in order to end what it leaves when it is killed.
 *
 * @returns ends it; to be called when nothing of the run is left
 */
export function startReaper(run: string, clusterDir: string, journalDisk: string): () => Promise<void> {
  const reaper = fileURLToPath(new URL('reaper.ts', import.meta.url));
  const child = spawn(process.execPath, [reaper, run, clusterDir, journalDisk], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Neither keeps this process alive; a reaper that could not be started is missed by nobody but a killed run.
  child.on('error', () => {}).unref();
  child.stdin.on('error', () => {});
  return async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    const ended = once(child, 'exit');
    child.ref();
    child.stdin.end(DONE);
    await ended;
  };
}
