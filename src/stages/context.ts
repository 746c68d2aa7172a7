import type { Config } from '../config.ts';
import type { Database } from '../db/connection.ts';
import type { Connectors } from './connectors.ts';

export type { InKind, SponsorBanks } from './connectors.ts';

/** What the stages work with. */
export interface StageContext extends Omit<Connectors, 'close'> {
  readonly database: Database;
  readonly config: Config;
}

/**
 * Refuses work for an envelope that has been cancelled since the work became due.
 *
 * @param what is left undone, as in "batch B-1 is not located"
 * @throws StageError ENVELOPE_CANCELLED
 */
export function requireNotCancelled(
  { envelope_id: id, cancellation_status: status }: CancellableEnvelope,
  what: string,
): void {
  if (status !== 'Cancelled') return;
  throw new StageError('ENVELOPE_CANCELLED', `Envelope ${id} was cancelled, so ${what}.`, false);
}

/** What tells whether an envelope still stands. */
export interface CancellableEnvelope {
  readonly envelope_id: string;
  readonly cancellation_status: string;
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
