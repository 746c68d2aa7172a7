import { isFinal } from '../runtime/errors.ts';
import type { Outcome, Submission } from '../runtime/stage.ts';

/**
 * The failure of a call that moves money when the connector threw a ConnectorError: by its contract the request surely
 * did not reach the bank, so the next attempt sends it without asking. Not so when an earlier try may have left.
 *
 * @param error told by its name, since a connector of a deployment may bring its own copy of the class
 * @throws the error when it is any other
 */
export function unsent(error: unknown, submission: Submission): Outcome {
  if (!(error instanceof Error && error.name === 'ConnectorError' && 'code' in error)) throw error;
  const { code, message } = error;
  return {
    kind: 'failed',
    code: String(code),
    message,
    final: isFinal(error),
    unsent: !submission.maybeSent,
  };
}
