import type { ContractCheck } from '../check.ts';
import { blockFundsChecks } from './block-funds.ts';
import { checkFundsChecks } from './check-funds.ts';
import type { BankHarness } from './harness.ts';
import { inquiryChecks } from './inquiry.ts';
import { limitChecks } from './limits.ts';
import { paymentChecks } from './payments.ts';
import { releaseChecks } from './release.ts';
import { statementChecks } from './statements.ts';
import { bankCheck } from './trial.ts';

const METHODS = [
  'checkFunds',
  'blockFunds',
  'initiatePayment',
  'reconciliationId',
  'reversalReason',
] as const;

/**
 * The contract of {@link BankConnector} as checks that any test runner can run, one after the other.
 *
 * Each check makes a connector of its own, works on accounts and keys of its own, and closes the connector. Nothing is
 * asked of the harness before a check runs, so a test may start its bank in the meantime.
 *
 * @param harness how to make the connector, and how to look into its bank
 * @returns always the same checks; those that the harness has not the means for say so in `skipped`
 */
export function bankConnectorContract(harness: BankHarness): readonly ContractCheck[] {
  return [
    shape(harness),
    ...checkFundsChecks(harness),
    ...blockFundsChecks(harness),
    ...paymentChecks(harness),
    ...limitChecks(harness),
    ...inquiryChecks(harness),
    ...releaseChecks(harness),
    ...statementChecks(harness),
  ];
}

function shape(harness: BankHarness): ContractCheck {
  return bankCheck(
    harness,
    {
      id: 'shape',
      name: 'the connector has the methods of the port, and offers what the harness says',
      rule: 'A connector has every method of BankConnector; inquirePayment, releaseBlock and close may be left out.',
      where: 'BankConnector',
      remedy: 'Add what is missing, or correct `offers` of the harness.',
    },
    async ({ bank, judge }) => {
      for (const method of METHODS) {
        judge.require(typeof bank[method] === 'function', `it has no ${method}()`);
      }
      const { offers } = harness;
      const has = {
        blockIsIdempotent: bank.blockIsIdempotent,
        inquirePayment: typeof bank.inquirePayment === 'function',
        releaseBlock: typeof bank.releaseBlock === 'function',
      };
      for (const name of ['blockIsIdempotent', 'inquirePayment', 'releaseBlock'] as const) {
        judge.require(
          has[name] === offers[name],
          `${name} is ${has[name]}, and the harness says ${offers[name]}`,
        );
      }
    },
  );
}
