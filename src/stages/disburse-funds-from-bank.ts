import { setTimeout as delay } from 'node:timers/promises';
import { stageSettings } from '../config.ts';
import type {
  BankConnector,
  Payment,
  PaymentInquiry,
  PaymentOutcome,
} from '../connectors/bank/bank-connector.ts';
import { sumDecimals } from '../decimal.ts';
import type { Outcome, Stage, Submission, Work } from '../runtime/stage.ts';
import { batchActor } from './actors.ts';
import { mayBeForgotten, notOnStatements, PAYMENTS, partlyOnStatements } from './after-restore.ts';
import { type StageContext, StageError } from './context.ts';
import { type Payout, payoutOf } from './payments.ts';
import { releasePayments } from './release-payments.ts';
import { unsent } from './unsent.ts';

/** How often one attempt asks what became of its payments, and how long it waits in between. */
const INQUIRIES_MAX = 3;
const BETWEEN_INQUIRIES_MS = 200;
/** After a restore, keys are searched through at most so many times the attempts of a batch: persons may have retried it. */
const SEARCHED_TIMES = 10;

/**
 * Stage 4: pays a batch through the sponsor bank, once.
 *
 * Due when the batch is resolved and its envelope says that the funds are blocked. The idempotency key of the
 * submission is stored before the call. A call that ends without a clear answer is never repeated blindly: the bank is
 * asked what it knows of the key, and only when it never saw it are the payments sent again, under the same key. A bank
 * that cannot be asked leaves the batch in ERROR with PAYMENT_OUTCOME_UNKNOWN, for a person to decide: an operator may
 * release a batch, see {@link releasePayments}. After the database was restored from a backup, the bank is asked about
 * every batch, since any may have been paid that the database has forgotten.
 */
export function disburseFundsFromBank(context: StageContext): Stage {
  return {
    name: 'disburse_funds_from_bank',
    actor: batchActor,
    region: 'sponsor_bank_dispatch',
    ...stageSettings(context.config, 'disburse_funds_from_bank'),
    concurrency: context.config.worker_concurrency,
    async perform(work) {
      const payout = await payoutOf(context, work);
      if (payout.payments.length === 0) return paid(payout);
      const submission = await work.submitting();
      const key = keyOf(work.id, submission.number);
      const sendOnce = () => send(work, payout, key, submission);
      if (payout.restore) return afterRestore(context, { work, payout, submission, sendOnce });
      return submission.maybeSent ? afterInquiry(work, payout, key, sendOnce) : sendOnce();
    },
    onRelease: releasePayments,
  };
}

const keyOf = (batchId: string, submission: number): string => `${batchId}-pay-${submission}`;

async function send(work: Work, payout: Payout, key: string, submission: Submission): Promise<Outcome> {
  const { bank, payments } = payout;
  let answer: PaymentOutcome;
  try {
    answer = await bank.initiatePayment({ idempotencyKey: key, payments }, { signal: work.signal });
  } catch (error) {
    return unsent(error, submission);
  }
  if (answer.outcome === 'accepted') return paid(payout);
  if (answer.outcome === 'refused') return { kind: 'refused', code: answer.code, message: answer.message };
  return afterInquiry(work, payout, key, async () => ({
    kind: 'failed',
    code: 'PAYMENT_NOT_RECEIVED',
    message: `The sponsor bank did not receive the payments of batch ${work.id}: ${answer.message}`,
  }));
}

interface Restored {
  readonly work: Work;
  readonly payout: Payout;
  readonly submission: Submission;
  readonly sendOnce: () => Promise<Outcome>;
}

/**
 * What the bank has carried out since the backup is found under the keys that the forgotten attempts had: this one's, or
 * one that followed a refusal; and on statements. The bank is asked first: it may post what it has taken in portions.
 */
async function afterRestore(
  { database, config }: StageContext,
  { work, payout, submission, sendOnce }: Restored,
): Promise<Outcome> {
  const { bank, payments, restore } = payout;
  const unlessOnStatements = async (send: () => Outcome | Promise<Outcome>) => {
    const references = payments.map(({ paymentReferenceNumber }) => paymentReferenceNumber);
    const missing = await notOnStatements(database.sql, references);
    if (missing.length === 0) return paid(payout);
    return missing.length < payments.length ? partlyOnStatements(work.id, missing, payments.length) : send();
  };
  if (!bank.inquirePayment)
    return unlessOnStatements(() => {
      if (submission.maybeSent) return outcomeUnknown(work.id, null);
      return restore?.mayBeForgotten
        ? mayBeForgotten(PAYMENTS, `taken the payments of batch ${work.id}`)
        : sendOnce();
    });
  const { maxAttempts } = stageSettings(config, 'disburse_funds_from_bank');
  const furthest = submission.number + SEARCHED_TIMES * maxAttempts;
  let last = submission.number + maxAttempts;
  for (let number = submission.number + 1; number <= last; number += 1) {
    const inquiry = await inquire(work, bank, keyOf(work.id, number));
    if (inquiry?.status === 'unavailable') return outcomeUnknown(work.id, inquiry);
    if (inquiry?.status === 'rejected') last = Math.min(number + maxAttempts, furthest);
    if (inquiry?.status !== 'accepted') continue;
    requireSamePayments(work.id, payments, inquiry.paymentReferences);
    return paid(payout);
  }
  const key = keyOf(work.id, submission.number);
  return afterInquiry(work, payout, key, () => unlessOnStatements(sendOnce));
}

/** Goes by what the bank knows of the key; `neverSeen` says what to do when it knows nothing. */
async function afterInquiry(
  work: Work,
  payout: Payout,
  key: string,
  neverSeen: () => Promise<Outcome>,
): Promise<Outcome> {
  const inquiry = await inquire(work, payout.bank, key);
  switch (inquiry?.status) {
    case 'accepted':
      requireSamePayments(work.id, payout.payments, inquiry.paymentReferences);
      return paid(payout);
    case 'rejected':
      return { kind: 'refused', code: 'BANK_REFUSED', message: inquiry.message };
    case 'never_seen':
      return neverSeen();
    default:
      return outcomeUnknown(work.id, inquiry);
  }
}

/** The submission is still out, whatever is made of the attempt: the next one asks again. */
function outcomeUnknown(
  batchId: string,
  inquiry: Extract<PaymentInquiry, { status: 'unavailable' }> | null,
): Outcome {
  const why = inquiry
    ? inquiry.message.replace(/\.$/, '')
    : 'it cannot be asked. Find out, then release the batch if they were taken';
  const fault = {
    code: 'PAYMENT_OUTCOME_UNKNOWN',
    message: `The sponsor bank may or may not have taken the payments of batch ${batchId}: ${why}.`,
  };
  return inquiry?.notBefore
    ? { kind: 'postponed', until: inquiry.notBefore, ...fault }
    : { kind: 'failed', final: inquiry === null, ...fault };
}

/** Null when the bank cannot be asked at all. */
async function inquire(work: Work, bank: BankConnector, key: string): Promise<PaymentInquiry | null> {
  if (!bank.inquirePayment) return null;
  let inquiry = await bank.inquirePayment(key, { signal: work.signal });
  for (let asked = 1; asked < INQUIRIES_MAX; asked += 1) {
    if (inquiry.status !== 'unavailable' || inquiry.notBefore) break;
    await delay(BETWEEN_INQUIRIES_MS, undefined, { signal: work.signal });
    inquiry = await bank.inquirePayment(key, { signal: work.signal });
  }
  return inquiry;
}

/** What the bank took under our key must be what we are about to record as paid. */
function requireSamePayments(
  batchId: string,
  payments: readonly Payment[],
  taken: readonly string[] | null,
): void {
  if (taken === null) return;
  const references = new Set(taken);
  const same =
    references.size === payments.length &&
    payments.every((one) => references.has(one.paymentReferenceNumber));
  if (same) return;
  throw new StageError(
    'PAYMENT_LIST_DIFFERS',
    `The sponsor bank took ${references.size} payments for batch ${batchId}, which now has ${payments.length}; ` +
      'compare the two lists before anything is paid.',
    false,
  );
}

function paid({ envelopeId, payments, disbursementsPaid, nothingToPay }: Payout): Outcome {
  const quantity = sumDecimals(payments.map(({ paymentAmount }) => paymentAmount));
  return {
    kind: 'succeeded',
    async write(tx) {
      const envelope = { machine: 'envelope', id: envelopeId };
      if (disbursementsPaid > 0) tx.tell(envelope, { type: 'shipped', count: disbursementsPaid, quantity });
      if (nothingToPay > 0) tx.tell(envelope, { type: 'reconciled', count: nothingToPay, quantity: '0' });
    },
  };
}
