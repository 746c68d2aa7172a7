import { isFinal, notBeforeOf } from '../runtime/errors.ts';
import type { Outcome, Submission } from '../runtime/stage.ts';

/**
 * The outcome of a call that moves money when the connector threw a ConnectorError: by its contract the request surely
 * did not reach the bank, so the next attempt sends it without asking. Not so when an earlier try may have left.
 *
 * @param error told by its name, since a connector of a deployment may bring its own copy of the class
 * @returns postponed when the bank is out of order as a whole, and otherwise failed
 * @throws the error when it is any other
 */
export function unsent(error: unknown, submission: Submission): Outcome {
  if (!(error instanceof Error && error.name === 'ConnectorError' && 'code' in error)) throw error;
  const fault = { code: String(error.code), message: error.message, unsent: !submission.maybeSent };
  const until = notBeforeOf(error);
  return until ? { kind: 'postponed', until, ...fault } : { kind: 'failed', final: isFinal(error), ...fault };
}
