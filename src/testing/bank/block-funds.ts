import type { BlockFundsRequest, ProgramAccount } from '../../connectors/bank/bank-connector.ts';
import type { ContractCheck } from '../check.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS } from '../http-fault.ts';
import type { BankHarness } from './harness.ts';
import { requireRefused, requireUnknownSentOnce } from './outcomes.ts';
import { type BankTrial, bankCheck, newKey } from './trial.ts';

const WHERE = 'BankConnector.blockFunds';
const BALANCE = '500.00';
const AMOUNT = '200.29';

const UNKNOWN = {
  where: WHERE,
  rule: 'blockFunds is unknown whenever the bank may have acted and has not clearly said so, and is sent once.',
  remedy:
    'Return { outcome: "unknown", message } for all but a decision of the bank; leave repeating to the pipeline.',
};

/** What holds for reserving funds. */
export function blockFundsChecks(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        id: 'blockFunds.exact',
        name: 'blockFunds reserves the amount to the last digit and gives a reference',
        rule: 'blockFunds that is accepted has reserved exactly the amount, under a reference of the bank.',
        where: WHERE,
        remedy: 'Send the amount digit for digit, and pass on the reference that the bank gave.',
      },
      async (trial) => {
        const { account, blockReference } = await trial.funded(BALANCE, AMOUNT);
        trial.judge.require(
          typeof blockReference === 'string' && /^[\x21-\x7e]{1,100}$/.test(blockReference),
          `the reference of the block is ${JSON.stringify(blockReference)}, not 1 to 100 visible characters`,
        );
        await trial.requireBlocked(account, AMOUNT);
      },
    ),
    bankCheck(
      harness,
      {
        id: 'blockFunds.refused',
        name: 'blockFunds is refused, with the reason of the bank, when the account holds less',
        rule: 'A refusal of the bank is { outcome: "refused", code, message }, and nothing is reserved.',
        where: WHERE,
        remedy: 'Return the refusal with a code and one sentence that names no account; do not throw it.',
      },
      async (trial) => {
        const account = await trial.harness.account('10.00');
        const ended = await trial.ended((ctx) => trial.bank.blockFunds(blockOf(account, '10.01'), ctx));
        requireRefused(trial.judge, ended, [account.accountNumber]);
        await trial.requireBlocked(account, '0');
      },
    ),
    bankCheck(
      harness,
      {
        id: 'blockFunds.same_key',
        name: 'blockFunds that is sent again with its key reserves once, and gives the same reference',
        rule: 'A connector with blockIsIdempotent: true may be sent the same block again at any time.',
        where: 'BankConnector.blockIsIdempotent',
        remedy: 'Hand idempotencyKey to the bank in every request, or say blockIsIdempotent: false.',
        offered: 'blockIsIdempotent',
      },
      async (trial) => {
        const account = await trial.harness.account(BALANCE);
        const block = blockOf(account, AMOUNT);
        const answers = [];
        for (let n = 0; n < 2; n += 1) {
          answers.push(JSON.stringify(await trial.value((ctx) => trial.bank.blockFunds(block, ctx))));
        }
        trial.judge.require(answers[0] === answers[1], `the answers were ${answers.join(' and ')}`);
        await trial.requireBlocked(account, AMOUNT);
      },
    ),
    bankCheck(
      harness,
      {
        id: 'blockFunds.recovered',
        name: 'blockFunds whose answer was lost is found again by its key',
        rule: 'A connector with blockIsIdempotent: true recovers a block of unknown outcome by sending it again.',
        where: 'BankConnector.blockIsIdempotent',
        remedy: 'Treat the answer to a repeated key as the answer to the first request; never as a refusal.',
        offered: 'blockIsIdempotent',
        fault: 'drop_after',
      },
      async (trial) => {
        const account = await trial.harness.account(BALANCE);
        const block = blockOf(account, AMOUNT);
        await trial.misbehave('blockFunds', 'drop_after');
        await trial.ended((ctx) => trial.bank.blockFunds(block, ctx));
        await trial.misbehave('blockFunds', null);
        const again = await trial.value((ctx) => trial.bank.blockFunds(block, ctx));
        trial.judge.require(again.outcome === 'accepted', `the second answer was ${JSON.stringify(again)}`);
        await trial.requireBlocked(account, AMOUNT);
      },
    ),
    ...HTTP_FAULT_NAMES.map((fault) =>
      bankCheck(
        harness,
        {
          id: `blockFunds.${fault}`,
          name: `blockFunds is unknown and not repeated when ${HTTP_FAULTS[fault].meaning}`,
          ...UNKNOWN,
          fault,
        },
        async (trial: BankTrial) => {
          const account = await trial.harness.account(BALANCE);
          await trial.misbehave('blockFunds', fault);
          const received = await trial.counting('blockFunds');
          const ended = await trial.ended((ctx) => trial.bank.blockFunds(blockOf(account, AMOUNT), ctx));
          requireUnknownSentOnce(trial.judge, ended, await received(), [account.accountNumber]);
          await trial.requireBlocked(account, HTTP_FAULTS[fault].acted ? AMOUNT : '0');
        },
      ),
    ),
  ];
}

function blockOf(account: ProgramAccount, amount: string): BlockFundsRequest {
  return { ...account, amount, idempotencyKey: newKey('block') };
}
