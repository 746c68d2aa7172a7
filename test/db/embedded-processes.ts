import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** What a process of embedded-user.ts says when it has joined. */
export interface Report {
  url: string;
  started: boolean;
}

/** What it says when it could not. */
interface Refusal {
  code: string;
  message: string;
}

/** A process of embedded-user.ts. */
export interface User {
  child: ChildProcessByStdio<Writable, Readable, null>;
  reports: AsyncIterator<string>;
  exited: Promise<unknown>;
}

/** Starts a process that uses the embedded server; `detached` gives it a process group of its own. */
export function startUser(options: {
  dataDir: string;
  port?: number;
  rounds?: number;
  detached?: boolean;
}): User {
  const { dataDir, port = 0, rounds = 1, detached = false } = options;
  const program = join(import.meta.dirname, 'embedded-user.ts');
  const child = spawn(process.execPath, [program, dataDir, String(port), String(rounds)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached,
  });
  const reports = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, reports, exited: once(child, 'exit') };
}

/** @returns what the process says when it has joined; @throws when it could not */
export async function report({ reports }: User): Promise<Report> {
  const line = await reports.next();
  if (line.done === true) throw new Error('the process ended');
  const said: Report | Refusal = JSON.parse(line.value);
  if ('code' in said) throw new Error(`${said.code}: ${said.message}`);
  return said;
}

/** Lets the process leave and end; @throws when it did not end well */
export async function leave({ child, exited }: User): Promise<void> {
  child.stdin.end();
  await exited;
  if (child.exitCode !== 0) throw new Error(`the process ended with ${child.signalCode ?? child.exitCode}`);
}
