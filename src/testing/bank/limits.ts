import type { CallContext } from '../../connectors/call-context.ts';
import { type ContractCheck, type Ended, endOf, said } from '../check.ts';
import { requireConnectorError } from '../connector-fault.ts';
import type { BankCall, BankHarness } from './harness.ts';
import { fundedFor } from './payments.ts';
import { type BankTrial, bankCheck, newKey } from './trial.ts';

/** How soon after its signal was aborted a call must have ended, in milliseconds. */
const ABORT_MS = 500;
/** A time-out that nobody takes for an abort, in milliseconds. */
const PATIENT_MS = 30_000;
const POLL_MS = 5;

type MoneyCall = 'blockFunds' | 'initiatePayment';
const MONEY_CALLS: readonly MoneyCall[] = ['blockFunds', 'initiatePayment'];

/** What holds for calls that cannot be made, or are given up. That they end in time is part of every fault's check. */
export function limitChecks(harness: BankHarness): readonly ContractCheck[] {
  return MONEY_CALLS.flatMap((call) => [
    unreachable(harness, call),
    abortedBefore(harness, call),
    abortedMeanwhile(harness, call),
  ]);
}

function unreachable(harness: BankHarness, call: MoneyCall): ContractCheck {
  return bankCheck(
    harness,
    {
      id: `${call}.unreachable`,
      name: `${call} is a fault that may be repeated when nobody listens at the bank's address`,
      rule: `${call} throws a ConnectorError with retryable: true when the request surely did not reach the bank.`,
      where: `BankConnector.${call}`,
      remedy: 'Throw for a refused connection or an unknown host, where not one byte was sent.',
      nowhere: true,
    },
    async (trial) => {
      const account = { accountNumber: '1000200030', accountType: null, branchCode: null, currency: 'USD' };
      const request = trial.request({ account, blockReference: 'BLOCK-1' }, ['1.00']);
      const ended = await trial.ended((ctx) =>
        call === 'blockFunds'
          ? trial.bank.blockFunds({ ...account, amount: '1.00', idempotencyKey: newKey('block') }, ctx)
          : trial.bank.initiatePayment(request, ctx),
      );
      const expected = 'the bank cannot have received anything';
      requireConnectorError(trial.judge, ended, expected, [account.accountNumber], true);
    },
  );
}

function abortedBefore(harness: BankHarness, call: MoneyCall): ContractCheck {
  return bankCheck(
    harness,
    {
      id: `${call}.aborted_before`,
      name: `${call} sends nothing when its signal was aborted before the call`,
      rule: `${call} throws a ConnectorError, and nothing is sent, when ctx.signal is already aborted.`,
      where: `BankConnector.${call}`,
      remedy: 'Look at ctx.signal.aborted before anything is sent.',
      needs: ['received'],
    },
    async (trial) => {
      const make = await prepared(trial, call);
      const received = await trial.counting(call);
      const ended = await trial.ended(() => make({ signal: AbortSignal.abort() }));
      requireConnectorError(trial.judge, ended, 'nothing was to be sent', [], true);
      trial.judge.require((await received()) === 0, 'the request was sent all the same');
    },
  );
}

function abortedMeanwhile(harness: BankHarness, call: MoneyCall): ContractCheck {
  return bankCheck(
    harness,
    {
      id: `${call}.aborted`,
      name: `${call} ends soon after its signal is aborted, and is unknown since it was sent`,
      rule: `A call ends soon after ctx.signal is aborted, whatever the bank does.`,
      where: 'BankConnector, "rules for every method"',
      remedy: 'Hand ctx.signal to the HTTP client, together with the time-out: AbortSignal.any([…]).',
      fault: 'hang',
      needs: ['received'],
      requestTimeoutMs: PATIENT_MS,
    },
    async (trial) => {
      const make = await prepared(trial, call);
      const ended = await abortWhenSent(trial, call, make);
      if (ended.kind === 'hung') trial.judge.fail(`the call had not ended ${ABORT_MS} ms after the abort`);
      trial.judge.require(
        ended.kind === 'returned' && ended.value.outcome === 'unknown',
        `${said(ended)}, where the request had been sent`,
      );
    },
  );
}

type Make = (ctx: CallContext) => Promise<{ readonly outcome: string }>;

/** A call with all it needs at the bank. */
async function prepared(trial: BankTrial, call: MoneyCall): Promise<Make> {
  if (call === 'blockFunds') {
    const account = await trial.harness.account('10.00');
    const block = { ...account, amount: '1.00', idempotencyKey: newKey('block') };
    return (ctx) => trial.bank.blockFunds(block, ctx);
  }
  const request = trial.request(await fundedFor(trial, ['1.00']), ['1.00']);
  return (ctx) => trial.bank.initiatePayment(request, ctx);
}

/** Makes a call to a bank that does not answer, and aborts it when the bank has received it. */
async function abortWhenSent(
  trial: BankTrial,
  call: BankCall,
  make: Make,
): Promise<Ended<{ outcome: string }>> {
  await trial.misbehave(call, 'hang');
  const received = await trial.counting(call);
  const abort = new AbortController();
  const outcome = make({ signal: abort.signal });
  outcome.catch(() => {});
  while ((await received()) === 0) {
    const early = await endOf(() => outcome, POLL_MS);
    if (early.kind !== 'hung') trial.judge.fail(`${said(early)} before the bank had received anything`);
  }
  abort.abort();
  return endOf(() => outcome, ABORT_MS);
}
