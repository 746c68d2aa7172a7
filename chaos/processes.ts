import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessName, Timeline } from './contract.ts';
import type { Random } from './random.ts';

/** What a process is started with, again and again. */
export interface Program {
  readonly name: ProcessName;
  /** Arguments of node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of the folder that it runs in; without a file .env, which it would read. */
  readonly folder: string;
  /** Gets both outputs of all its lives. */
  readonly logFile: string;
}

/** What it said when it was ready. */
export type Ready = Readonly<Record<string, unknown>>;

/** As long as an orchestrator takes to notice a death and to start another process. */
const PAUSE_MS = { min: 50, max: 1_500 };
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/** A process that is started again whenever it ends, until it is stopped. */
export class Supervised {
  readonly name: ProcessName;
  /** How often it has ended by itself although it was ready: no fault of the outside may bring that about. */
  collapses: readonly Date[] = [];
  /** How often it was started. */
  starts = 0;
  readonly #program: Program;
  readonly #timeline: Timeline;
  readonly #random: Random;
  #child: ChildProcess | null = null;
  #ready = false;
  #killed = false;
  #stopping = false;
  #holds = 0;
  #lives: Promise<void> = Promise.resolve();
  readonly #firstReady = Promise.withResolvers<Ready>();

  /** @param random decides how long each restart takes to begin */
  constructor(program: Program, timeline: Timeline, random: Random) {
    this.name = program.name;
    this.#program = program;
    this.#timeline = timeline;
    this.#random = random;
    this.#firstReady.promise.catch(() => {});
  }

  /** Whether it has said that it is ready, and lives. */
  get ready(): boolean {
    return this.#ready;
  }

  /** @returns what it said when it was ready for the first time @throws Error when that takes over a minute */
  async start(): Promise<Ready> {
    this.#lives = this.#liveOn();
    const late = delay(START_TIMEOUT_MS, null, { ref: false });
    const ready = await Promise.race([this.#firstReady.promise, late]);
    if (ready === null) throw new Error(`${this.name} did not start: see ${this.#program.logFile}.`);
    return ready;
  }

  /** Ends it without warning. @returns whether it lived */
  kill(): boolean {
    this.#killed = true;
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /**
   * Stops it where it is; a process that is started anew is not held.
   *
   * @returns whether there was one to stop; if so, it needs a {@link release}
   */
  hold(): boolean {
    const held = this.#child?.kill('SIGSTOP') ?? false;
    if (held) this.#holds += 1;
    return held;
  }

  release(): void {
    this.#holds = Math.max(0, this.#holds - 1);
    if (this.#holds === 0) this.#child?.kill('SIGCONT');
  }

  /** Ends it for good: asks first, and kills it when it does not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#holds = 0;
    this.#child?.kill('SIGCONT');
    this.#child?.kill('SIGTERM');
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#lives;
    clearTimeout(late);
  }

  async #liveOn(): Promise<void> {
    while (!this.#stopping) {
      await this.#live();
      if (!this.#stopping) await delay(this.#random.between(PAUSE_MS.min, PAUSE_MS.max));
    }
  }

  /** One life, from start to exit. */
  async #live(): Promise<void> {
    const { args, env, folder, logFile } = this.#program;
    const log = openSync(logFile, 'a');
    // In a group of its own, so that Ctrl-C reaches the run only, which then ends everything in order.
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', log],
      cwd: folder,
      env: { ...surroundingsOf(process.env), ...env },
      detached: true,
    });
    this.#child = child;
    this.#killed = false;
    this.starts += 1;
    this.#timeline.note('start', this.name, { pid: child.pid });
    if (!child.stdout) throw new Error(`${this.name} has no standard output.`);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = this.#ready ? null : readyIn(line);
      if (ready === null) writeSync(log, `${line}\n`);
      else this.#isReady(ready);
    });
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once('close', (code, signal) => resolve([code, signal]));
      child.once('error', () => resolve([null, null]));
    });
    closeSync(log);
    this.#ended(code, signal);
  }

  #isReady(ready: Ready): void {
    this.#ready = true;
    this.#timeline.note('ready', this.name);
    this.#firstReady.resolve(ready);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    const collapsed = this.#ready && !this.#killed && !this.#stopping;
    if (collapsed) this.collapses = [...this.collapses, new Date()];
    this.#timeline.note(collapsed ? 'collapse' : 'exit', this.name, { code, signal, was_ready: this.#ready });
    this.#ready = false;
    this.#child = null;
  }
}

/** What would change what the processes of a run do: our settings, those of PostgreSQL's clients, of Node and of proxies. */
const MEANT_FOR_OTHERS = /^(G2P_|CHAOS_|DATABASE_URL$|PG|OTEL_|NODE_OPTIONS$|NODE_USE_ENV_PROXY$)|_PROXY$/i;

/** An environment without whatever a developer has set for other purposes. */
export const surroundingsOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !MEANT_FOR_OTHERS.test(name)));

/** The line holds a token of the operators, so it is not written to the log. */
function readyIn(line: string): Ready | null {
  if (!line.startsWith('{"ready":true')) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
