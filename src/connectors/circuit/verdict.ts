import { ConnectorError } from '../connector-error.ts';

/**
 * What a call says about the system that was called: it answered, be it with a refusal; it is out of order as a whole; or
 * the call says nothing about it.
 */
export type Verdict = 'answered' | 'outage' | 'nothing';

/** What a connector reports when no answer came, or one that no working system gives. */
const OUTAGE = /_(UNREACHABLE|TIMEOUT|CONNECTION_LOST|ERROR|BAD_ANSWER|UNAVAILABLE)$/;
/** What it reports before it has asked. */
const NOT_ASKED = /_(CALL_ABORTED|BAD_REQUEST|CIRCUIT_OPEN)$/;

/**
 * What an error of a connector says about its system. Told by the end of its code, since key manager and token server
 * are part of the mapper here, and connectors of a deployment have codes of their own.
 */
export function verdictOf(error: unknown): Verdict {
  if (!isConnectorError(error) || NOT_ASKED.test(error.code)) return 'nothing';
  return OUTAGE.test(error.code) && error.retryable ? 'outage' : 'answered';
}

/** By its name, since a connector of a deployment may bring its own copy of the class. */
export function isConnectorError(error: unknown): error is ConnectorError {
  if (error instanceof ConnectorError) return true;
  return error instanceof Error && error.name === 'ConnectorError' && 'code' in error && 'retryable' in error;
}
