import type { Ended, Judge } from './check.ts';
import { said } from './check.ts';

/** Longest text of an error that is one sentence for people, in characters. */
const SENTENCE_CHARS_MAX = 1_000;

/**
 * Requires that a call threw a ConnectorError that people and the pipeline can use: a stable code, whether it is worth
 * another try, and one line without secrets. Told by its name, since a connector may bring its own copy of the class.
 *
 * @param expected what the call should have done, for the message
 * @param secrets account numbers and the like that must not be in the text
 * @param retryable which it must be; left out: either
 */
export function requireConnectorError(
  judge: Judge,
  ended: Ended<unknown>,
  expected: string,
  secrets: readonly string[] = [],
  retryable?: boolean,
): void {
  if (ended.kind !== 'threw') judge.fail(`${said(ended)}, where ${expected}`);
  const { error } = ended;
  if (!(error instanceof Error) || error.name !== 'ConnectorError') {
    judge.fail(`${said(ended)}, which is no ConnectorError`);
  }
  const { code, retryable: given } = error as Error & { code?: unknown; retryable?: unknown };
  judge.require(
    typeof code === 'string' && /^[\w.:-]{1,100}$/.test(code),
    `the code of the ConnectorError is ${JSON.stringify(code)}, not one word such as BANK_UNREACHABLE`,
  );
  judge.require(typeof given === 'boolean', 'the ConnectorError does not say whether it is retryable');
  if (retryable !== undefined) {
    judge.require(given === retryable, `the ConnectorError ${code} says retryable: ${given}`);
  }
  requireSentence(judge, error.message, secrets);
}

/**
 * Requires that a text is one line for people without secrets.
 *
 * @param secrets account numbers and the like
 */
export function requireSentence(judge: Judge, text: unknown, secrets: readonly string[] = []): void {
  if (typeof text !== 'string' || text.trim() === '') judge.fail('the message is empty');
  judge.require(!/\p{Cc}/u.test(text), 'the message has line breaks or control characters');
  judge.require(text.length <= SENTENCE_CHARS_MAX, `the message has ${text.length} characters`);
  for (const secret of secrets) {
    judge.require(!text.includes(secret), 'the message repeats an account number, an address or a name');
  }
}
