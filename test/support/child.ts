import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './wait.ts';

const TOY_PROCESS = fileURLToPath(new URL('./toy-process.ts', import.meta.url));

/** A process of its own. */
export interface Child {
  readonly pid: number;
  /** Waits until it has said a line that begins like this. */
  said(beginning: string): Promise<void>;
  /** SIGKILL: it gets no chance to tidy up. */
  kill(): Promise<void>;
  /** SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
  /** Waits until it has ended. @returns the signal that killed it */
  ended(): Promise<NodeJS.Signals | null>;
}

/** Starts a process of the print shop; see `toy-process.ts` for what it can be told to do. */
export function startToyProcess(url: string, behaviour: string): Child {
  const child = spawn(process.execPath, [TOY_PROCESS, url, behaviour], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const exit = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exit;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    said: (beginning) =>
      until(`the child says "${beginning}"`, () => {
        if (child.exitCode !== null) throw new Error(`The child ended with exit code ${child.exitCode}.`);
        return lines.some((line) => line.startsWith(beginning));
      }),
    kill: () => end('SIGKILL').then(() => {}),
    stop: () => end('SIGTERM'),
    ended: async () => {
      await exit;
      return child.signalCode;
    },
  };
}
