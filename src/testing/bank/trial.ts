import { randomUUID } from 'node:crypto';
import type {
  BankConnector,
  Payment,
  PaymentRequest,
  ProgramAccount,
} from '../../connectors/bank/bank-connector.ts';
import { normaliseDecimal, sumDecimals } from '../../decimal.ts';
import {
  type ContractCheck,
  contractCheck,
  type Ended,
  endOf,
  type Judge,
  type Rule,
  said,
} from '../check.ts';
import { HTTP_FAULT_NAMES, type HttpFault } from '../http-fault.ts';
import type { BankCall, BankHarness, BookedPayment } from './harness.ts';

const REQUEST_TIMEOUT_MS = 1_000;
/** How long after its own time-out, or after its signal, a call may still take to end. */
const GRACE_MS = 2_000;
/** Amounts that come out wrong when they pass through a binary float and cents on their way. */
export const AMOUNTS: readonly string[] = ['0.01', '0.29', '1.15', '4.35', '1250.50', '123456789.99'];

/** An account that a bank will not be found to have repeated in a message. */
export const BENEFICIARY_ACCOUNT = '7300048151623';

/** A connector with its bank, for the time of one check. */
export interface BankTrial {
  readonly harness: BankHarness;
  readonly bank: BankConnector;
  readonly judge: Judge;
  /** Longest time a call may take before it is said to hang, in milliseconds. */
  readonly boundMs: number;
  /** Makes a call and waits for its end; fails when it hangs. */
  ended<T>(call: (ctx: { readonly signal: AbortSignal }) => Promise<T>): Promise<Ended<T>>;
  /** Makes a call that is to succeed, on the way to what is checked. */
  value<T>(call: (ctx: { readonly signal: AbortSignal }) => Promise<T>): Promise<T>;
  /** An account with a balance and a part of it blocked. @returns the account and the reference of the block */
  funded(balance: string, block: string): Promise<Funded>;
  /** Payments of amounts out of a block, under a key of their own. */
  request(funded: Funded, amounts: readonly string[]): PaymentRequest;
  /** Sets or lifts a fault. */
  misbehave(call: BankCall, fault: HttpFault | null): Promise<void>;
  /** Counts the requests of a call that reach the bank meanwhile; null when the harness cannot tell. */
  counting(call: BankCall): Promise<() => Promise<number | null>>;
  /** Fails unless the books of an account hold exactly these payments. */
  requireBooked(account: ProgramAccount, payments: readonly Payment[]): Promise<void>;
  /** Fails unless this much is blocked on an account, where the harness can tell. */
  requireBlocked(account: ProgramAccount, amount: string): Promise<void>;
}

/** An account with a block on it. */
export interface Funded {
  readonly account: ProgramAccount;
  readonly blockReference: string;
}

/** What a check of a bank connector needs of its harness. */
export interface BankRule extends Rule {
  /** Parts of the harness that may be left out. */
  readonly needs?: readonly (
    | 'connectNowhere'
    | 'misbehave'
    | 'received'
    | 'blocked'
    | 'statementEntry'
    | 'reversalEntry'
  )[];
  /** What the connector must claim. */
  readonly offered?: keyof BankHarness['offers'];
  /** The fault that the harness must be able to cause. */
  readonly fault?: HttpFault;
  /** Time-out of the connector where the harness's own would get in the way, in milliseconds. */
  readonly requestTimeoutMs?: number;
  /** Which connector is checked: one to the bank, or one to nowhere. */
  readonly nowhere?: boolean;
}

/** Makes a check that connects, tries, and always lifts what faults it set and closes the connector. */
export function bankCheck(
  harness: BankHarness,
  rule: BankRule,
  body: (trial: BankTrial) => Promise<void>,
): ContractCheck {
  return contractCheck(rule, missingFor(harness, rule), async (judge) => {
    const limits = {
      requestTimeoutMs: rule.requestTimeoutMs ?? harness.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    };
    const bank = await (rule.nowhere ? harness.connectNowhere?.(limits) : harness.connect(limits));
    if (!bank) throw new Error('The harness made no connector.');
    const trial = new Trial(harness, bank, judge, limits.requestTimeoutMs + GRACE_MS);
    try {
      await body(trial);
    } finally {
      await trial.end();
    }
  });
}

function missingFor(harness: BankHarness, { needs = [], offered, fault, nowhere }: BankRule): string | null {
  if (offered !== undefined && !harness.offers[offered]) return `the harness says offers.${offered}: false`;
  const parts = [
    ...needs,
    ...(fault ? ['misbehave' as const] : []),
    ...(nowhere ? ['connectNowhere' as const] : []),
  ];
  const part = parts.find((name) => harness[name] === undefined);
  if (part !== undefined) return `the harness has no ${part}()`;
  const faults = harness.faults ?? HTTP_FAULT_NAMES;
  return fault === undefined || faults.includes(fault) ? null : `the harness cannot do the fault ${fault}`;
}

class Trial implements BankTrial {
  readonly harness: BankHarness;
  readonly bank: BankConnector;
  readonly judge: Judge;
  readonly boundMs: number;
  readonly #struck = new Set<BankCall>();

  constructor(harness: BankHarness, bank: BankConnector, judge: Judge, boundMs: number) {
    this.harness = harness;
    this.bank = bank;
    this.judge = judge;
    this.boundMs = boundMs;
  }

  async ended<T>(call: (ctx: { readonly signal: AbortSignal }) => Promise<T>): Promise<Ended<T>> {
    const ended = await endOf(() => call({ signal: new AbortController().signal }), this.boundMs);
    if (ended.kind === 'hung') this.judge.fail(`the call had not ended after ${this.boundMs} ms`);
    return ended;
  }

  async value<T>(call: (ctx: { readonly signal: AbortSignal }) => Promise<T>): Promise<T> {
    const ended = await this.ended(call);
    if (ended.kind !== 'returned') return this.judge.fail(said(ended));
    return ended.value;
  }

  async funded(balance: string, block: string): Promise<Funded> {
    const account = await this.harness.account(balance);
    const idempotencyKey = newKey('block');
    const outcome = await this.value((ctx) =>
      this.bank.blockFunds({ ...account, amount: block, idempotencyKey }, ctx),
    );
    if (outcome.outcome !== 'accepted') {
      return this.judge.fail(`blocking ${block} of ${balance} came to ${JSON.stringify(outcome)}`);
    }
    return { account, blockReference: outcome.blockReference };
  }

  request({ account, blockReference }: Funded, amounts: readonly string[]): PaymentRequest {
    const adapt = this.harness.payment ?? ((payment: Payment) => payment);
    const payments = amounts.map((amount) => adapt(paymentOf(account, blockReference, amount)));
    return { idempotencyKey: newKey('pay'), payments };
  }

  async misbehave(call: BankCall, fault: HttpFault | null): Promise<void> {
    this.#struck.add(call);
    await this.harness.misbehave?.(call, fault);
  }

  async counting(call: BankCall): Promise<() => Promise<number | null>> {
    const { harness } = this;
    const before = (await harness.received?.(call)) ?? 0;
    return async () => (harness.received ? (await harness.received(call)) - before : null);
  }

  async requireBooked(account: ProgramAccount, payments: readonly Payment[]): Promise<void> {
    const booked = linesOf(await this.harness.booked(account));
    const expected = linesOf(
      payments.map(({ paymentReferenceNumber: reference, paymentAmount: amount }) => ({ reference, amount })),
    );
    const same = booked.length === expected.length && booked.every((line, n) => line === expected[n]);
    this.judge.require(
      same,
      `the bank's books have the payments [${booked.join(', ')}], not [${expected.join(', ')}]`,
    );
  }

  async requireBlocked(account: ProgramAccount, amount: string): Promise<void> {
    const blocked = await this.harness.blocked?.(account);
    if (blocked === undefined) return;
    this.judge.require(
      normaliseDecimal(blocked) === normaliseDecimal(amount),
      `the bank has ${blocked} blocked on the account, not ${amount}`,
    );
  }

  /** Lifts all faults and closes the connector, which may be as broken as it likes. */
  async end(): Promise<void> {
    for (const call of this.#struck) await this.harness.misbehave?.(call, null);
    await endOf(async () => this.bank.close?.(), GRACE_MS);
  }
}

/** A key that nothing else uses. */
export const newKey = (of: string): string => `contract-${of}-${randomUUID()}`;

/** The exact sum of amounts. */
export const sumOf = (amounts: readonly string[]): string => sumDecimals(amounts);

/** The amounts that a harness wants to see, or {@link AMOUNTS}. */
export const amountsOf = (harness: BankHarness): readonly string[] => harness.amounts ?? AMOUNTS;

function linesOf(payments: readonly BookedPayment[]): string[] {
  return payments.map(({ reference, amount }) => `${reference} ${normaliseDecimal(amount)}`).sort();
}

function paymentOf(account: ProgramAccount, blockReference: string, amount: string): Payment {
  const paymentReferenceNumber = randomUUID();
  return {
    paymentReferenceNumber,
    remittingAccount: account.accountNumber,
    remittingAccountCurrency: account.currency,
    paymentAmount: amount,
    fundsBlockedReferenceNumber: blockReference,
    beneficiaryName: 'Asha Devi',
    beneficiaryAccount: BENEFICIARY_ACCOUNT,
    beneficiaryAccountCurrency: account.currency,
    beneficiaryAccountType: 'BANK_ACCOUNT',
    beneficiaryBankCode: 'ANOTHER-BANK',
    beneficiaryBranchCode: 'BR-1',
    beneficiaryMobileWalletProvider: null,
    beneficiaryPhoneNo: null,
    beneficiaryEmail: null,
    beneficiaryEmailWalletProvider: null,
    narratives: ['Contract test', 'KIT', '2026-01', 'BEN-1', paymentReferenceNumber, ''],
    paymentDate: new Date().toISOString().slice(0, 10),
  };
}
