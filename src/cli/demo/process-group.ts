import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Child, startChild } from './child.ts';

const run = promisify(execFile);

/** The processes of a demo, which end together. */
export class ProcessGroup {
  /** Rejects when one of the processes ends by itself. */
  readonly broken: Promise<never>;
  readonly #starting: Promise<Child>[] = [];
  readonly #stopped = new AbortController();
  #fail: (problem: Error) => void = () => {};

  constructor() {
    this.broken = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.broken.catch(() => {});
  }

  /** Starts a program that serves until it is stopped. @throws what {@link startChild} throws */
  start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Child> {
    if (this.#stopped.signal.aborted) return Promise.reject(new Error(`${name} is not started any more.`));
    const starting = startChild(name, args, env, this.#fail);
    this.#starting.push(starting);
    return starting;
  }

  /** Runs a program to its end. @throws Error with what it wrote to standard error when it fails */
  async run(name: string, args: readonly string[]): Promise<void> {
    try {
      await run(process.execPath, args, { signal: this.#stopped.signal });
    } catch (error) {
      const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
      throw new Error(`${name} failed: ${stderr || String(error)}`);
    }
  }

  /** Ends all, also those that are just being started: first the one started last, then the others together. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const started = await Promise.allSettled(this.#starting.splice(0));
    const children = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    await children.pop()?.stop();
    await Promise.all(children.map((child) => child.stop()));
  }
}
