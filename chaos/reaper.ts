/**
 * Ends what a run has left when the run itself was killed: waits for its standard input to end, which happens however
 * the run ends, and then kills the run's processes, takes PostgreSQL down and unmounts the journal's disk. A run that
 * ends in order says so first.
 *
 *     node chaos/reaper.ts RUN CLUSTER_DIR JOURNAL_DISK
 *
 * Processes are known by CHAOS_RUN in their environment, which only Linux shows; elsewhere they stay.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { findPostmaster } from '../src/db/embedded-postmaster.ts';
import { DONE, RUN_VARIABLE } from './reaping.ts';

const [run = '', clusterDir = '', journalDisk = ''] = process.argv.slice(2);

// Ctrl-C reaches the whole group in front of a terminal, and the run may need us afterwards.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

let heard = '';
for await (const chunk of process.stdin.setEncoding('utf8')) heard += chunk;
if (!heard.includes(DONE)) await reap();

async function reap(): Promise<void> {
  for (const pid of processesOf(run)) kill(pid, 'SIGKILL');
  const postmaster = await findPostmaster(clusterDir);
  if (postmaster) {
    kill(postmaster.pid, 'SIGQUIT');
    kill(postmaster.pid, 'SIGCONT');
  }
  try {
    execFileSync('umount', ['-l', journalDisk], { stdio: 'ignore' });
  } catch {
    // It was not mounted.
  }
}

function processesOf(id: string): number[] {
  const mark = `${RUN_VARIABLE}=${id}\0`;
  return everyProcess().flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'utf8').includes(mark) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Names of the folder of processes, where there is one. */
function everyProcess(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
