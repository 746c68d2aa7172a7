import type { Processes } from './processes.ts';
import type { ActorStore } from './store.ts';
import type { Timer } from './timing.ts';

/** How often a process reports of itself, in milliseconds; each time a little sooner or later, so that not all write at once. */
const REPORT_MS = 5_000;
const JITTER = 0.2;

/** What this process says of itself, kept beside it in the list of processes, for operators to see. */
export class Reports {
  readonly #store: ActorStore;
  readonly #processes: Processes;
  readonly #report: () => Record<string, unknown>;
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();
  #stopped = true;

  /** @param report what is to be said at this moment; anything that JSON can hold */
  constructor(store: ActorStore, processes: Processes, report: () => Record<string, unknown>) {
    this.#store = store;
    this.#processes = processes;
    this.#report = report;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    await this.#writeOrReport();
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.close();
    await this.#writing.catch(() => {});
  }

  /** Reports now. @throws what the report or the database throws */
  now(): Promise<void> {
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write());
    return this.#writing;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { timing } = this.#store;
    const inMs = REPORT_MS * (1 + JITTER * (2 * timing.random() - 1));
    this.#timer = timing.after(inMs, () => void this.#writeOrReport().then(() => this.#schedule()));
  }

  /** A report that cannot be made or stored is no reason to stop anything. */
  async #writeOrReport(): Promise<void> {
    await this.now().catch((error: unknown) => this.#store.observer.troubled('reports', error));
  }

  async #write(): Promise<void> {
    const { number } = this.#processes;
    if (number === null) return;
    const report = JSON.stringify(this.#report());
    const at = this.#store.registry.clock.now();
    await this.#store.query((sql) => this.#store.storage.report(sql, number, report, at));
  }
}
