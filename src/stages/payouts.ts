import type { Payment } from '../connectors/bank/bank-connector.ts';
import type { PayingEnvelope } from './sponsor-bank.ts';

/** The payments of a batch, and how many disbursements they are for. */
export interface Payouts {
  readonly payments: readonly Payment[];
  /** Disbursements that the payments are for: one each in digital cash, all those of a zone in physical cash. */
  readonly disbursementsPaid: number;
  /** Disbursements of quantity zero: nothing is sent for them, and they count as reconciled. */
  readonly nothingToPay: number;
}

/** Whose money a payment is, and what it was blocked under. */
export interface Payer extends PayingEnvelope {
  readonly blockReference: string;
}
