import type { Config } from '../config.ts';
import type { BankConnector } from '../connectors/bank/bank-connector.ts';
import type { FaStrategies } from '../connectors/mapper/deconstruct-fa.ts';
import type { MapperConnector } from '../connectors/mapper/mapper-connector.ts';
import type { Database } from '../db/connection.ts';

/** What the stages work with. */
export interface StageContext {
  readonly database: Database;
  readonly config: Config;
  /** Bank connectors by sponsor bank code. */
  readonly banks: ReadonlyMap<string, BankConnector>;
  readonly mapper: MapperConnector;
  readonly faStrategies: FaStrategies;
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
