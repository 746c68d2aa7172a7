import type { ContractCheck } from '../check.ts';
import { requireConnectorError } from '../connector-fault.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS } from '../http-fault.ts';
import type { BankHarness } from './harness.ts';
import { type BankRule, type BankTrial, bankCheck, type Funded, newKey } from './trial.ts';

const RELEASE: Pick<BankRule, 'where' | 'offered'> = {
  where: 'BankConnector.releaseBlock',
  offered: 'releaseBlock',
};

/** What holds for giving blocked funds back. */
export function releaseChecks(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        ...RELEASE,
        id: 'releaseBlock.frees',
        name: 'releaseBlock gives the blocked funds back, and nothing else',
        rule: 'releaseBlock that ends without an error has given the funds back.',
        remedy: 'Wait for the answer of the bank, and read it.',
        needs: ['blocked'],
      },
      async (trial) => {
        const funded = await trial.funded('100.00', '60.29');
        const { account } = funded;
        const other = { ...account, amount: '10.00', idempotencyKey: newKey('block') };
        await trial.value((ctx) => trial.bank.blockFunds(other, ctx));
        await trial.value(releaseOf(trial, funded));
        await trial.requireBlocked(account, '10.00');
      },
    ),
    ...(['the same key', 'another key'] as const).map((key) =>
      bankCheck(
        harness,
        {
          ...RELEASE,
          id: `releaseBlock.twice_with_${key.replace(' ', '_')}`,
          name: `releaseBlock twice with ${key} is harmless`,
          rule: 'Releasing what is released already is no fault, and frees nothing else.',
          remedy: 'Take "there is no such block any more" for what it is: the funds are free.',
        },
        async (trial) => {
          const funded = await trial.funded('100.00', '60.29');
          const first = newKey('release');
          await trial.value(releaseOf(trial, funded, first));
          await trial.value(releaseOf(trial, funded, key === 'the same key' ? first : newKey('release')));
          await trial.requireBlocked(funded.account, '0');
        },
      ),
    ),
    ...HTTP_FAULT_NAMES.map((fault) =>
      bankCheck(
        harness,
        {
          ...RELEASE,
          id: `releaseBlock.${fault}`,
          name: `releaseBlock is a fault when ${HTTP_FAULTS[fault].meaning}`,
          rule: 'releaseBlock throws a ConnectorError when it is not certain that the funds are free again.',
          remedy:
            'Throw for everything but a complete answer of the bank that says so; the pipeline tries again.',
          fault,
        },
        async (trial) => {
          const funded = await trial.funded('100.00', '60.29');
          await trial.misbehave('releaseBlock', fault);
          const ended = await trial.ended(releaseOf(trial, funded));
          const expected = 'the bank had not said that the funds are free';
          requireConnectorError(trial.judge, ended, expected, [funded.account.accountNumber]);
          await trial.misbehave('releaseBlock', null);
          await trial.value(releaseOf(trial, funded));
          await trial.requireBlocked(funded.account, '0');
        },
      ),
    ),
  ];
}

function releaseOf({ bank, judge }: BankTrial, { account, blockReference }: Funded, key = newKey('release')) {
  const request = { ...account, blockReference, idempotencyKey: key };
  return async (ctx: { readonly signal: AbortSignal }): Promise<void> => {
    if (!bank.releaseBlock) return judge.fail('the connector has no releaseBlock');
    await bank.releaseBlock(request, ctx);
  };
}
