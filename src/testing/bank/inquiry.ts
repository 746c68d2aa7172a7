import type { PaymentInquiry, PaymentRequest } from '../../connectors/bank/bank-connector.ts';
import { type ContractCheck, said } from '../check.ts';
import { requireSentence } from '../connector-fault.ts';
import { HTTP_FAULT_NAMES, HTTP_FAULTS, type HttpFault } from '../http-fault.ts';
import type { BankHarness } from './harness.ts';
import { accepted, fundedFor } from './payments.ts';
import { type BankRule, type BankTrial, bankCheck, newKey } from './trial.ts';

const INQUIRY: Pick<BankRule, 'where' | 'offered'> = {
  where: 'BankConnector.inquirePayment',
  offered: 'inquirePayment',
};

const UNAVAILABLE = {
  ...INQUIRY,
  rule: 'An inquiry without a clear answer is { status: "unavailable", message }, never never_seen and no exception.',
  remedy: 'Say never_seen only when the bank itself, in its own form, says that it does not know the key.',
};

/** What holds for asking what became of payments. */
export function inquiryChecks(harness: BankHarness): readonly ContractCheck[] {
  return [
    bankCheck(
      harness,
      {
        ...INQUIRY,
        id: 'inquirePayment.never_seen',
        name: 'inquirePayment says never_seen of a key that the bank never received',
        rule: 'never_seen allows the pipeline to send payments again.',
        remedy: "Turn the bank's way of not knowing a key into { status: 'never_seen' }.",
      },
      async (trial) => {
        const inquiry = await inquire(trial, newKey('unused'));
        trial.judge.require(inquiry.status === 'never_seen', `the inquiry said ${JSON.stringify(inquiry)}`);
      },
    ),
    bankCheck(
      harness,
      {
        ...INQUIRY,
        id: 'inquirePayment.accepted',
        name: 'inquirePayment says accepted of payments made, with all their references or none',
        rule: 'accepted carries the references of all payments taken under the key, or null.',
        remedy: 'Give paymentReferences as the bank lists them completely, otherwise null.',
      },
      async (trial) => {
        const funded = await fundedFor(trial, ['10.00', '20.00']);
        const request = trial.request(funded, ['10.00', '20.00']);
        await accepted(trial, request, funded);
        requireAccepted(trial, await inquire(trial, request.idempotencyKey), request);
      },
    ),
    bankCheck(
      harness,
      {
        ...INQUIRY,
        id: 'inquirePayment.rejected',
        name: 'inquirePayment does not call refused payments accepted',
        rule: 'Payments that the bank refused are rejected, or never_seen where it does not keep refusals.',
        remedy: "Read the bank's verdict, not only that it knows the key.",
      },
      async (trial) => {
        const funded = await trial.funded('10.00', '10.00');
        const request = trial.request(funded, ['10.01']);
        await trial.value((ctx) => trial.bank.initiatePayment(request, ctx));
        const inquiry = await inquire(trial, request.idempotencyKey);
        trial.judge.require(
          inquiry.status === 'rejected' || inquiry.status === 'never_seen',
          `the inquiry said ${JSON.stringify(inquiry)}`,
        );
      },
    ),
    ...(['drop_before', 'drop_after', 'error_before', 'error_after'] as const).map((fault) =>
      finds(harness, fault),
    ),
    ...HTTP_FAULT_NAMES.map((fault) => isUnavailable(harness, fault)),
    bankCheck(
      harness,
      {
        ...UNAVAILABLE,
        id: 'inquirePayment.unreachable',
        name: "inquirePayment is unavailable when nobody listens at the bank's address",
        nowhere: true,
      },
      async (trial) => requireUnavailable(trial, await endedInquiry(trial, newKey('unused'))),
    ),
  ];
}

/** A payment of unknown outcome, and then the truth. */
function finds(harness: BankHarness, fault: HttpFault): ContractCheck {
  const { acted, meaning } = HTTP_FAULTS[fault];
  return bankCheck(
    harness,
    {
      ...INQUIRY,
      id: `inquirePayment.after_${fault}`,
      name: `inquirePayment finds that payments were ${acted ? 'made' : 'never seen'} when ${meaning}`,
      rule: 'An inquiry tells what the bank did with a key, whatever became of the answer to the payment.',
      remedy: 'Ask the bank by the idempotency key; keep no memory of your own.',
      fault,
    },
    async (trial) => {
      const funded = await fundedFor(trial, ['10.00', '20.00']);
      const request = trial.request(funded, ['10.00', '20.00']);
      await trial.misbehave('initiatePayment', fault);
      await trial.ended((ctx) => trial.bank.initiatePayment(request, ctx));
      await trial.misbehave('initiatePayment', null);
      await trial.harness.booked(funded.account);
      const inquiry = await inquire(trial, request.idempotencyKey);
      if (acted) return requireAccepted(trial, inquiry, request);
      trial.judge.require(inquiry.status === 'never_seen', `the inquiry said ${JSON.stringify(inquiry)}`);
    },
  );
}

function isUnavailable(harness: BankHarness, fault: HttpFault): ContractCheck {
  return bankCheck(
    harness,
    {
      ...UNAVAILABLE,
      id: `inquirePayment.${fault}`,
      name: `inquirePayment is unavailable when ${HTTP_FAULTS[fault].meaning}`,
      fault,
    },
    async (trial) => {
      await trial.misbehave('inquirePayment', fault);
      requireUnavailable(trial, await endedInquiry(trial, newKey('unused')));
    },
  );
}

function endedInquiry(trial: BankTrial, key: string) {
  const { bank, judge } = trial;
  return trial.ended(
    async (ctx) => bank.inquirePayment?.(key, ctx) ?? judge.fail('it has no inquirePayment'),
  );
}

async function inquire(trial: BankTrial, key: string): Promise<PaymentInquiry> {
  const ended = await endedInquiry(trial, key);
  return ended.kind === 'returned' ? ended.value : trial.judge.fail(said(ended));
}

function requireUnavailable(trial: BankTrial, ended: Awaited<ReturnType<typeof endedInquiry>>): void {
  if (ended.kind !== 'returned' || ended.value.status !== 'unavailable') {
    trial.judge.fail(`${said(ended)}, where the bank could not be asked`);
  }
  requireSentence(trial.judge, ended.value.message);
}

function requireAccepted(trial: BankTrial, inquiry: PaymentInquiry, { payments }: PaymentRequest): void {
  if (inquiry.status !== 'accepted') trial.judge.fail(`the inquiry said ${JSON.stringify(inquiry)}`);
  if (inquiry.paymentReferences === null) return;
  const found = inquiry.paymentReferences.toSorted().join(', ');
  const sent = payments
    .map((one) => one.paymentReferenceNumber)
    .sort()
    .join(', ');
  trial.judge.require(found === sent, `the references are [${found}], not [${sent}]`);
}
