import type { Config } from '../config.ts';
import type { Database } from '../db/connection.ts';
import type { Connectors } from './connectors.ts';

export type { InKind, SponsorBanks } from './connectors.ts';

/** What the stages work with. */
export interface StageContext extends Omit<Connectors, 'close'> {
  readonly database: Database;
  readonly config: Config;
}

/** A fault with a stable code and a sentence that names the record. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly code: string;
  /** Whether another attempt can help; if not, the stage goes to ERROR at once. */
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable = true) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}
