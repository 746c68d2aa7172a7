import type { CallContext } from '../call-context.ts';

/**
 * The port to a sponsor bank: what a deployment implements to pay through a bank of its own.
 *
 * A package exports `createBankConnector(settings: BankConnectorSettings)`, which returns a connector or a promise of
 * one, and is named in `bank_connectors_impls`. One connector serves all calls to its bank, from many workers at once.
 *
 * Rules for every method:
 *
 * - Amounts are exact decimal strings in the currency's unit (`"1250.50"`), never numbers.
 * - A call ends within a bound of its own, whatever the bank does, and soon after `ctx.signal` is aborted.
 * - A connector does not repeat calls by itself. Retrying, with backoff and a limit, is the pipeline's business.
 * - Faults are thrown as `ConnectorError` with a stable code and one sentence without account numbers or names. The
 *   pipeline knows the error by its name, so a connector may bring its own class with `code` and `retryable`.
 * - What must not be sent, such as an amount that is no plain decimal, is thrown with `retryable: false`; nothing leaves.
 * - A call whose signal is aborted before it begins sends nothing and throws.
 *
 * Rules for the two methods that move money, {@link blockFunds} and {@link initiatePayment}: they end in one of three
 * outcomes, and the difference decides whether somebody is paid twice.
 *
 * - `accepted` and `refused` only when the bank said so, in an answer that was understood completely.
 * - A thrown `ConnectorError` only when the request surely did not reach the bank: the pipeline sends it again.
 * - `unknown` in all other cases: no answer in time, a broken connection, a server error, an answer that cannot be
 *   read, a page of a gateway with whatever status, a repeated key whose first outcome is not told. The
 *   pipeline does not send it again before {@link inquirePayment} has said that the bank never saw it.
 */
export interface BankConnector {
  /**
   * Asks whether the account holds at least `amount`. Changes nothing at the bank; may be repeated at any time.
   *
   * @returns `available: false` when the bank says that the funds do not suffice, which is an answer and not a fault
   * @throws ConnectorError when there is no such answer, also when the bank does not know the account
   */
  checkFunds(request: CheckFundsRequest, ctx: CallContext): Promise<{ readonly available: boolean }>;

  /**
   * Reserves `amount` on the account for the payments that will follow.
   *
   * @returns see {@link BlockOutcome}
   * @throws ConnectorError only when the request surely did not reach the bank
   */
  blockFunds(request: BlockFundsRequest, ctx: CallContext): Promise<BlockOutcome>;

  /**
   * Whether the bank answers a repeated block with the same idempotency key by the first answer again. When true, an
   * unknown block is simply sent again with its key; when false, it waits for a person.
   */
  readonly blockIsIdempotent: boolean;

  /**
   * Hands over payments, all of them or none. The pipeline stores the key before the call and uses it for this list
   * of payments only.
   *
   * @returns see {@link PaymentOutcome}; an empty list is accepted
   * @throws ConnectorError only when the request surely did not reach the bank
   */
  initiatePayment(request: PaymentRequest, ctx: CallContext): Promise<PaymentOutcome>;

  /**
   * Asks what became of an earlier {@link initiatePayment}. A connector whose bank cannot say leaves this method out;
   * payments of unknown outcome then wait for a person.
   *
   * `never_seen` only when the bank itself says so, in its own form: a gateway's 404 is `unavailable`. Payments that the
   * bank refused are `rejected`, or `never_seen` where it does not keep refusals; references are all of them or null.
   *
   * @param idempotencyKey the key of that call
   * @returns see {@link PaymentInquiry}; a bank that cannot be asked right now is `unavailable`, not an exception
   */
  inquirePayment?(idempotencyKey: string, ctx: CallContext): Promise<PaymentInquiry>;

  /**
   * Gives blocked funds back, for an envelope that will not be paid. Releasing twice must be harmless.
   *
   * @throws ConnectorError when it is not certain that the funds are free again
   */
  releaseBlock?(request: ReleaseBlockRequest, ctx: CallContext): Promise<void>;

  /**
   * Finds our id in an entry of the bank's statement: the `paymentReferenceNumber` of the payment, which is the full
   * id and often longer than the sixteen characters of a customer reference. Pure and quick: called for every entry.
   *
   * @returns the id, or an empty string when the entry carries none
   */
  reconciliationId(entry: StatementEntryTexts): string;

  /**
   * Finds in a reversal entry (RD) why the payment came back. Pure.
   *
   * @returns the reason for people, or an empty string when the entry gives none
   */
  reversalReason(entry: StatementEntryTexts): string;

  /** Releases connections. Called once, when no call is under way. */
  close?(): Promise<void>;
}

/** The account of the program at the sponsor bank. */
export interface ProgramAccount {
  readonly accountNumber: string;
  readonly accountType: string | null;
  readonly branchCode: string | null;
  /** Currency of the account and of the amount, as the envelope's measurement unit says it. */
  readonly currency: string;
}

/** See {@link BankConnector.checkFunds}. */
export interface CheckFundsRequest extends ProgramAccount {
  /** Exact decimal. */
  readonly amount: string;
}

/** See {@link BankConnector.blockFunds}. */
export interface BlockFundsRequest extends ProgramAccount {
  /** Exact decimal. */
  readonly amount: string;
  /** The same for every attempt at this block: 1 to 200 visible ASCII characters. */
  readonly idempotencyKey: string;
}

/** See {@link BankConnector.releaseBlock}. */
export interface ReleaseBlockRequest extends ProgramAccount {
  readonly blockReference: string;
  /** Another one for every attempt, so that a refusal that the bank remembers does not stand for ever. */
  readonly idempotencyKey: string;
}

/** See {@link BankConnector.initiatePayment}. */
export interface PaymentRequest {
  /** The same for every attempt at this list of payments: 1 to 200 visible ASCII characters. */
  readonly idempotencyKey: string;
  readonly payments: readonly Payment[];
}

/** One payment; the fields of `/initiate_payment`. What does not apply to the kind of address is null. */
export interface Payment {
  /** Our id of the payment, which never changes: a disbursement id, or a geo record id for physical cash. */
  readonly paymentReferenceNumber: string;
  readonly remittingAccount: string;
  readonly remittingAccountCurrency: string;
  /** Exact decimal in the currency of the remitting account. */
  readonly paymentAmount: string;
  /** The reference that blocking the funds gave. */
  readonly fundsBlockedReferenceNumber: string;
  readonly beneficiaryName: string;
  readonly beneficiaryAccount: string | null;
  readonly beneficiaryAccountCurrency: string | null;
  /** What the payment goes to, such as BANK_ACCOUNT or MOBILE_WALLET. */
  readonly beneficiaryAccountType: string | null;
  readonly beneficiaryBankCode: string | null;
  readonly beneficiaryBranchCode: string | null;
  readonly beneficiaryMobileWalletProvider: string | null;
  readonly beneficiaryPhoneNo: string | null;
  readonly beneficiaryEmail: string | null;
  readonly beneficiaryEmailWalletProvider: string | null;
  /** Up to six lines that the statement brings back; the fifth is the full payment reference. */
  readonly narratives: readonly string[];
  /** Date of the payment, `YYYY-MM-DD`. */
  readonly paymentDate: string;
}

/** What became of a block of funds. */
export type BlockOutcome =
  | { readonly outcome: 'accepted'; readonly blockReference: string }
  | Refused
  | Unknown;

/** What became of a list of payments. */
export type PaymentOutcome = { readonly outcome: 'accepted' } | Refused | Unknown;

/** The bank understood and did nothing. The message is the bank's reason. */
export interface Refused {
  readonly outcome: 'refused';
  readonly code: string;
  readonly message: string;
}

/** The bank may or may not have acted. The message says what was seen. */
export interface Unknown {
  readonly outcome: 'unknown';
  readonly message: string;
  /** Not for connectors to say: when the pipeline asks again, the bank being out of order as a whole. */
  readonly notBefore?: Date;
}

/** What the bank knows about an idempotency key. */
export type PaymentInquiry =
  | {
      readonly status: 'accepted';
      /** The references of the payments taken under the key, where the bank lists them. */
      readonly paymentReferences: readonly string[] | null;
    }
  | { readonly status: 'rejected'; readonly message: string }
  /** The bank has never received the key, so its payments may be sent again. */
  | { readonly status: 'never_seen' }
  | {
      readonly status: 'unavailable';
      readonly message: string;
      /** Not for connectors to say: when the pipeline asks again, the bank being out of order as a whole. */
      readonly notBefore?: Date;
    };

/** The texts of a statement entry that may carry our id. */
export interface StatementEntryTexts {
  /** What follows `//` in `:61:`. */
  readonly bankReference: string | null;
  /** Customer reference in `:61:`, at most sixteen characters. */
  readonly customerReference: string | null;
  /** Lines of `:86:`, in order. */
  readonly narrative: readonly string[];
}

/** What a bank connector is created with. */
export interface BankConnectorSettings {
  /** The sponsor bank code that the connector is registered under. */
  readonly bankCode: string;
  /** Base URL of the example bank; connectors of a deployment take theirs from `options` or their own environment. */
  readonly apiUrl: string;
  /** Time to open a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Longest time a call may take, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Largest answer, in bytes. */
  readonly responseBytesMax: number;
  /** Most connections open at once. */
  readonly connectionsMax: number;
  /** The `options` object of the connector's entry in `bank_connectors_impls`, unchecked. */
  readonly options: Readonly<Record<string, unknown>>;
}
