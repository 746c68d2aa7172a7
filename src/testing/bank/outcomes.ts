import type { BlockOutcome, PaymentOutcome } from '../../connectors/bank/bank-connector.ts';
import { type Ended, type Judge, said } from '../check.ts';
import { requireSentence } from '../connector-fault.ts';

type MoneyOutcome = BlockOutcome | PaymentOutcome;

/** Requires the outcome `unknown`, of a request that reached the bank at most once. */
export function requireUnknownSentOnce(
  judge: Judge,
  ended: Ended<MoneyOutcome>,
  received: number | null,
  secrets: readonly string[],
): void {
  if (ended.kind !== 'returned' || ended.value.outcome !== 'unknown') {
    judge.fail(`${said(ended)}, where the outcome is unknown`);
  }
  requireSentence(judge, ended.value.message, secrets);
  judge.require(
    received === null || received <= 1,
    `the bank received the request ${received} times; the connector repeats it by itself`,
  );
}

/** Requires a refusal that people can read. */
export function requireRefused(judge: Judge, ended: Ended<MoneyOutcome>, secrets: readonly string[]): void {
  if (ended.kind !== 'returned' || ended.value.outcome !== 'refused') {
    judge.fail(`${said(ended)}, where the bank refused`);
  }
  const { code, message } = ended.value;
  judge.require(
    typeof code === 'string' && /^[\w.:-]{1,100}$/.test(code),
    `the code of the refusal is ${JSON.stringify(code)}, not one word such as BANK_REFUSED`,
  );
  requireSentence(judge, message, secrets);
}
