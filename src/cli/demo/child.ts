import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 40_000;
const STDERR_CHARACTERS_MAX = 4_000;

/** A process of the demo: the system itself or a simulator of the outside world. */
export interface Child {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Most memory it has used so far, in bytes; null where the operating system does not tell. */
  peakMemoryBytes(): Promise<number | null>;
  /** Asks it to stop and waits; kills it when it does not. */
  stop(): Promise<void>;
  /** Ends it without warning, and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a TypeScript program on this Node and waits for the line `{"ready":true,"url":…}` on its standard output.
 *
 * @param onExit called when it ends without having been asked to
 * @throws Error with what it wrote to standard error when it ends or does not get ready in 30 s
 */
export async function startChild(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onExit: (problem: Error) => void,
): Promise<Child> {
  // In a group of its own, so that Ctrl-C reaches the demo only, which then stops everything in order.
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  let stopping = false;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS_MAX);
  });
  const url = await readyUrl(child).catch((error: Error) => {
    child.kill('SIGKILL');
    throw new Error(`${name} did not start: ${stderr.trim() || error.message}`);
  });
  child.once('exit', (code, signal) => {
    if (!stopping) onExit(new Error(`${name} ended (${signal ?? code}): ${stderr.trim()}`));
  });
  const pid = child.pid ?? 0;
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    stopping = true;
    const ended = once(child, 'exit');
    child.kill(signal);
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(kill);
  };
  return {
    name,
    url,
    pid,
    peakMemoryBytes: () => peakMemory(pid),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** Whatever else it writes is read and dropped, before and after, so that it never waits for somebody to read. */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('It was not ready in time.')), READY_TIMEOUT_MS);
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      outcome();
    };
    child.once('exit', (code) => settle(() => reject(new Error(`It ended with exit code ${code}.`))));
    child.once('error', (error) => settle(() => reject(error)));
    if (!child.stdout) return settle(() => reject(new Error('It has no standard output.')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = urlIn(line);
      if (url !== null) settle(() => resolve(url));
    });
  });
}

function urlIn(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    const ready = value !== null && typeof value === 'object' && 'ready' in value && 'url' in value;
    return ready && typeof value.url === 'string' ? value.url : null;
  } catch {
    return null;
  }
}

async function peakMemory(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
