import type { PaymentRequest } from '../../connectors/bank/bank-connector.ts';
import { type ContractCheck, said } from '../check.ts';
import { requireConnectorError } from '../connector-fault.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS } from '../http-fault.ts';
import type { BankHarness } from './harness.ts';
import { requireRefused, requireUnknownSentOnce } from './outcomes.ts';
import { amountsOf, type BankTrial, BENEFICIARY_ACCOUNT, bankCheck, type Funded, sumOf } from './trial.ts';

const WHERE = 'BankConnector.initiatePayment';
const BATCHES_AT_ONCE = 6;

const UNKNOWN = {
  where: `${WHERE}, and the three outcomes at BankConnector`,
  rule: 'initiatePayment is unknown whenever the bank may have acted and has not clearly said so, and is sent once.',
  remedy:
    'Return { outcome: "unknown", message } for all but a decision of the bank; never throw or repeat after sending.',
};

/** Text that is no amount; a bank might read any of it as one. */
const NO_AMOUNTS = ['1e3', '-1.00', '+1', '1,50', ' 1.00', '0x10', 'NaN', 'Infinity', ''];

/** What holds for paying. */
export function paymentChecks(harness: BankHarness): readonly ContractCheck[] {
  return [paysExactly(harness), ...paysOnce(harness), ...refuses(harness), ...faults(harness)];
}

function paysExactly(harness: BankHarness): ContractCheck {
  return bankCheck(
    harness,
    {
      id: 'initiatePayment.exact',
      name: 'initiatePayment pays every payment of the list once, to the last digit and under its reference',
      rule: 'Amounts are exact decimal strings, and a payment is booked under its paymentReferenceNumber.',
      where: `${WHERE} and Payment`,
      remedy:
        'Pass amounts on as text; never through Number() or parseFloat(). Send every payment of the list.',
    },
    async (trial) => {
      const amounts = amountsOf(trial.harness);
      const funded = await fundedFor(trial, amounts);
      await accepted(trial, trial.request(funded, amounts), funded);
    },
  );
}

function paysOnce(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        id: 'initiatePayment.same_key',
        name: 'initiatePayment that is sent again with its key pays once, and is never called refused',
        rule: 'A list of payments is booked at most once under its idempotency key.',
        where: `${WHERE} and PaymentRequest.idempotencyKey`,
        remedy:
          'Hand the key to the bank. A bank that says it has seen the key has not refused: look up what it did, or return unknown.',
        // Only a bank that keys mean something to can be asked about them.
        offered: 'inquirePayment',
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['10.00', '20.00']);
        const request = trial.request(funded, ['10.00', '20.00']);
        await accepted(trial, request, funded);
        const ended = await trial.ended((ctx) => trial.bank.initiatePayment(request, ctx));
        trial.judge.require(
          ended.kind === 'returned' && ended.value.outcome !== 'refused',
          `${said(ended)}, where the payments are already made`,
        );
        await trial.requireBooked(funded.account, request.payments);
      },
    ),
    bankCheck(
      harness,
      {
        id: 'initiatePayment.at_once',
        name: 'initiatePayment serves many batches at once, each paid once',
        rule: 'One connector serves all calls to its bank, from many workers at once.',
        where: 'BankConnector',
        remedy: 'Keep nothing of a call outside its own variables.',
      },
      async (trial) => {
        const amounts = Array.from({ length: BATCHES_AT_ONCE }, (_, n) => `1.0${n + 1}`);
        const funded = await fundedFor(trial, amounts);
        const requests = amounts.map((amount) => trial.request(funded, [amount]));
        const answers = await Promise.all(
          requests.map((request) => trial.value((ctx) => trial.bank.initiatePayment(request, ctx))),
        );
        const bad = answers.find(({ outcome }) => outcome !== 'accepted');
        trial.judge.require(bad === undefined, `one of them came to ${JSON.stringify(bad)}`);
        await trial.requireBooked(
          funded.account,
          requests.flatMap(({ payments }) => payments),
        );
      },
    ),
    bankCheck(
      harness,
      {
        id: 'initiatePayment.empty',
        name: 'initiatePayment accepts an empty list and books nothing',
        rule: 'An empty list of payments is accepted.',
        where: WHERE,
        remedy: 'Return { outcome: "accepted" } for an empty list, with or without asking the bank.',
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['1.00']);
        await accepted(trial, trial.request(funded, []), funded);
      },
    ),
  ];
}

function refuses(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        id: 'initiatePayment.refused',
        name: 'initiatePayment is refused as a whole when the account does not hold the sum',
        rule: 'A list is handed over whole or not at all; a refusal is { outcome: "refused", code, message }.',
        where: WHERE,
        remedy:
          'Return the refusal with one sentence that names no account, and let the bank book all or nothing.',
      },
      async (trial) => {
        const funded = await trial.funded('10.00', '10.00');
        const request = trial.request(funded, ['4.00', '6.01']);
        const ended = await trial.ended((ctx) => trial.bank.initiatePayment(request, ctx));
        requireRefused(trial.judge, ended, secretsOf(funded));
        await trial.requireBooked(funded.account, []);
      },
    ),
    bankCheck(
      harness,
      {
        id: 'initiatePayment.no_amount',
        name: 'initiatePayment does not send what is no plain decimal amount',
        rule: 'A request that must not be sent is thrown as a ConnectorError with retryable: false, and nothing leaves.',
        where: `${WHERE}, "what must not be sent"`,
        remedy: 'Check amounts against /^\\d+(\\.\\d+)?$/ before the request is built.',
        needs: ['received'],
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['1.00']);
        const received = await trial.counting('initiatePayment');
        for (const amount of NO_AMOUNTS) {
          const { idempotencyKey, payments } = trial.request(funded, ['1.00', '1.00']);
          const request = {
            idempotencyKey,
            payments: payments.map((one) => ({ ...one, paymentAmount: amount })),
          };
          const ended = await trial.ended((ctx) => trial.bank.initiatePayment(request, ctx));
          const expected = `${JSON.stringify(amount)} is no amount`;
          requireConnectorError(trial.judge, ended, expected, secretsOf(funded), false);
        }
        trial.judge.require((await received()) === 0, 'a request was sent all the same');
        await trial.requireBooked(funded.account, []);
      },
    ),
  ];
}

function faults(harness: BankHarness): readonly ContractCheck[] {
  return HTTP_FAULT_NAMES.map((fault) =>
    bankCheck(
      harness,
      {
        id: `initiatePayment.${fault}`,
        name: `initiatePayment is unknown and not repeated when ${HTTP_FAULTS[fault].meaning}`,
        ...UNKNOWN,
        fault,
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['10.00', '20.00']);
        const request = trial.request(funded, ['10.00', '20.00']);
        await trial.misbehave('initiatePayment', fault);
        const received = await trial.counting('initiatePayment');
        const ended = await trial.ended((ctx) => trial.bank.initiatePayment(request, ctx));
        requireUnknownSentOnce(trial.judge, ended, await received(), secretsOf(funded));
        await trial.requireBooked(funded.account, HTTP_FAULTS[fault].acted ? request.payments : []);
      },
    ),
  );
}

/** An account whose balance is blocked for payments of these amounts. */
export async function fundedFor(trial: BankTrial, amounts: readonly string[]): Promise<Funded> {
  return trial.funded(sumOf(amounts), sumOf(amounts));
}

/** Pays, and fails unless the payments are accepted and booked. */
export async function accepted(trial: BankTrial, request: PaymentRequest, funded: Funded): Promise<void> {
  const answer = await trial.value((ctx) => trial.bank.initiatePayment(request, ctx));
  trial.judge.require(answer.outcome === 'accepted', `the outcome was ${JSON.stringify(answer)}`);
  await trial.requireBooked(funded.account, request.payments);
}

/** What must not stand in a message about payments. */
export const secretsOf = ({ account }: Funded): readonly string[] => [
  account.accountNumber,
  BENEFICIARY_ACCOUNT,
];
