import type { ContractCheck } from '../check.ts';
import { requireConnectorError } from '../connector-fault.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS } from '../http-fault.ts';
import type { BankHarness } from './harness.ts';
import { bankCheck } from './trial.ts';

const WHERE = 'BankConnector.checkFunds';

const FAULTS = {
  where: WHERE,
  rule: 'checkFunds throws a ConnectorError when the bank has not clearly said whether the funds suffice.',
  remedy:
    'Read available only from a complete answer of the bank; throw a ConnectorError in all other cases.',
};

/** What holds for asking whether funds suffice. */
export function checkFundsChecks(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        id: 'checkFunds.exact',
        name: 'checkFunds is exact: the whole balance suffices, one hundredth more does not',
        rule: 'checkFunds says whether the account holds at least the amount; "not enough" is an answer.',
        where: WHERE,
        remedy: 'Send the amount digit for digit, and return { available: false } when the bank says no.',
      },
      async (trial) => {
        const account = await trial.harness.account('1250.29');
        const available = async (amount: string) =>
          (await trial.value((ctx) => trial.bank.checkFunds({ ...account, amount }, ctx))).available;
        trial.judge.require((await available('1250.29')) === true, '1250.29 of 1250.29 was not available');
        trial.judge.require((await available('1250.30')) === false, '1250.30 of 1250.29 was available');
      },
    ),
    bankCheck(
      harness,
      {
        id: 'checkFunds.harmless',
        name: 'checkFunds changes nothing at the bank',
        rule: 'checkFunds may be repeated at any time, and neither blocks nor books anything.',
        where: WHERE,
        remedy: 'Use a call of the bank that only reads.',
      },
      async (trial) => {
        const account = await trial.harness.account('100.00');
        for (let n = 0; n < 3; n += 1) {
          const { available } = await trial.value((ctx) =>
            trial.bank.checkFunds({ ...account, amount: '100.00' }, ctx),
          );
          trial.judge.require(available, `the funds were gone after ${n} checks`);
        }
        await trial.requireBlocked(account, '0');
        await trial.requireBooked(account, []);
      },
    ),
    ...HTTP_FAULT_NAMES.map((fault) =>
      bankCheck(
        harness,
        {
          id: `checkFunds.${fault}`,
          name: `checkFunds is a fault and no answer when ${HTTP_FAULTS[fault].meaning}`,
          ...FAULTS,
          fault,
        },
        async (trial) => {
          const account = await trial.harness.account('100.00');
          await trial.misbehave('checkFunds', fault);
          const ended = await trial.ended((ctx) =>
            trial.bank.checkFunds({ ...account, amount: '1.00' }, ctx),
          );
          const expected = 'there was no answer of the bank';
          requireConnectorError(trial.judge, ended, expected, [account.accountNumber]);
        },
      ),
    ),
  ];
}
