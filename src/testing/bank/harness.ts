import type {
  BankConnector,
  Payment,
  ProgramAccount,
  StatementEntryTexts,
} from '../../connectors/bank/bank-connector.ts';
import type { HttpFault } from '../http-fault.ts';

/** The methods of a bank connector that ask the bank for something. */
export type BankCall = 'checkFunds' | 'blockFunds' | 'initiatePayment' | 'inquirePayment' | 'releaseBlock';

/** A payment as it stands in the bank's books. */
export interface BookedPayment {
  /** The `paymentReferenceNumber` it was sent with. */
  readonly reference: string;
  /** Exact decimal, however many zeros it ends with. */
  readonly amount: string;
}

/** How the connectors under test are made. */
export interface ConnectorLimits {
  /** Longest time a call may take, in milliseconds: short, so that the tests are. */
  readonly requestTimeoutMs: number;
}

/** Either right away or later. */
export type Awaitable<T> = T | Promise<T>;

/**
 * What the contract test needs of a connector and its bank: how to make the one, and how to look into the other, which
 * is a simulator, a sandbox or a small server of the test's own. Optional parts may be left out; the checks that need
 * them are then skipped, and say so by name.
 */
export interface BankHarness {
  /** What the connector claims to be able to do; the checks of what it cannot are skipped. */
  readonly offers: {
    readonly blockIsIdempotent: boolean;
    readonly inquirePayment: boolean;
    readonly releaseBlock: boolean;
  };
  /** What connectors are given as their time-out, in milliseconds; 1,000 unless told otherwise. */
  readonly requestTimeoutMs?: number;
  /** The amounts of the payments made, of which the bank can book every digit. */
  readonly amounts?: readonly string[];

  /** Makes a connector to the bank. The check that asked for it closes it. */
  connect(limits: ConnectorLimits): Awaitable<BankConnector>;
  /** Makes a connector to an address where nobody listens; `unusedUrl` gives one. */
  connectNowhere?(limits: ConnectorLimits): Awaitable<BankConnector>;

  /** Opens an account of a program at the bank that no other check uses, with `balance` on it (exact decimal). */
  account(balance: string): Awaitable<ProgramAccount>;
  /** Changes a payment of the test's making so that this bank can take it, such as its bank code. */
  payment?(payment: Payment): Payment;
  /** The payments out of an account, once the bank has finished with all that it took. */
  booked(account: ProgramAccount): Awaitable<readonly BookedPayment[]>;
  /** What is blocked on an account at present, as an exact decimal. */
  blocked?(account: ProgramAccount): Awaitable<string>;

  /** Makes the bank misbehave in all requests of a call from now on; null: no longer. `startFaultyProxy` can. */
  misbehave?(call: BankCall, fault: HttpFault | null): Awaitable<void>;
  /** The faults that {@link misbehave} can do; all unless told otherwise. */
  readonly faults?: readonly HttpFault[];
  /** How many requests of a call have reached the bank, or whatever stands in front of it. */
  received?(call: BankCall): Awaitable<number>;

  /** The texts of the entry by which the bank's statement reports a payment that was made. */
  statementEntry?(account: ProgramAccount, payment: Payment): Awaitable<StatementEntryTexts>;
  /** The texts of the entry by which the bank's statement takes a payment back for a reason of one line. */
  reversalEntry?(payment: Payment, reason: string): Awaitable<StatementEntryTexts>;
}
