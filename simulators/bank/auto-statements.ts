import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import { accountsToReport, makeStatements } from './statements.ts';

/** How statements are made by themselves. */
export interface AutoStatementOptions {
  /** How long an account must rest after its last movement, ms; 0 makes none. */
  restMs: number;
  entriesMax: number;
  /** Called when statements have been made. */
  onMade: () => void;
}

/** Makes an account's statement when it has rested for a while after its last movement. */
export class AutoStatements {
  readonly #sql: Sql;
  readonly #options: AutoStatementOptions;
  readonly #log: Logger;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(sql: Sql, options: AutoStatementOptions, log: Logger) {
    this.#sql = sql;
    this.#options = options;
    this.#log = log;
  }

  /** Takes up the accounts whose movements an earlier process left unreported. */
  async start(): Promise<void> {
    if (this.#options.restMs === 0) return;
    this.moved(await accountsToReport(this.#sql));
  }

  /** Says that these accounts have moved: each one's rest begins anew. */
  moved(accountNumbers: readonly string[]): void {
    if (this.#options.restMs === 0) return;
    for (const accountNumber of accountNumbers) {
      clearTimeout(this.#timers.get(accountNumber));
      const timer = setTimeout(() => this.#make(accountNumber), this.#options.restMs);
      this.#timers.set(accountNumber, timer.unref());
    }
  }

  /** Forgets all that is due; the next start finds it again. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #make(accountNumber: string): Promise<void> {
    this.#timers.delete(accountNumber);
    try {
      const { entriesMax } = this.#options;
      const made = await makeStatements(this.#sql, accountNumber, { entriesMax, emptyToo: false });
      this.#options.onMade();
      if (made.returns > 0) this.moved([accountNumber]);
    } catch (error) {
      this.#log.warn({ err: error }, 'A statement could not be made; it is tried again');
      this.moved([accountNumber]);
    }
  }
}
