import { z } from 'zod';
import type { Payment } from './bank-connector.ts';

/** Every answer of the bank says whether it did what was asked, and why not. */
const status = z.enum(['success', 'failed']);
const errorMessage = z.string().nullish();

/** An identifier that the bank gives us to keep: one word, short enough for a column. */
const reference = z.string().regex(/^[\x21-\x7e]{1,100}$/);

/** Answer of `/check_funds`. */
export const checkFundsAnswer = z.object({
  status,
  account_number: z.string().nullish(),
  has_sufficient_funds: z.boolean().nullish(),
  error_message: errorMessage,
});

/** Answer of `/block_funds`. */
export const blockFundsAnswer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), block_reference_no: reference }),
  z.object({ status: z.literal('failed'), error_message: errorMessage }),
]);

/** Answer of `/initiate_payment`. */
export const paymentAnswer = z.object({ status, error_message: errorMessage });

/** Answer of `/payment_status`. */
export const paymentStatusAnswer = z.object({
  status: z.enum(['accepted', 'rejected', 'unknown']),
  payments: z.array(z.object({ payment_reference_number: z.string() })).nullish(),
  error_message: errorMessage,
});

/** How many narrative lines a payment has room for. */
export const NARRATIVES_MAX = 6;

/** A payment as `/initiate_payment` takes it; amounts stay text, so that no digit is lost in a JSON number. */
export function toWirePayment(payment: Payment): Readonly<Record<string, string | null>> {
  const [narrative1, narrative2, narrative3, narrative4, narrative5, narrative6] = payment.narratives;
  return {
    payment_reference_number: payment.paymentReferenceNumber,
    remitting_account: payment.remittingAccount,
    remitting_account_currency: payment.remittingAccountCurrency,
    payment_amount: payment.paymentAmount,
    funds_blocked_reference_number: payment.fundsBlockedReferenceNumber,
    beneficiary_name: payment.beneficiaryName,
    beneficiary_account: payment.beneficiaryAccount,
    beneficiary_account_currency: payment.beneficiaryAccountCurrency,
    beneficiary_account_type: payment.beneficiaryAccountType,
    beneficiary_bank_code: payment.beneficiaryBankCode,
    beneficiary_branch_code: payment.beneficiaryBranchCode,
    beneficiary_mobile_wallet_provider: payment.beneficiaryMobileWalletProvider,
    beneficiary_phone_no: payment.beneficiaryPhoneNo,
    beneficiary_email: payment.beneficiaryEmail,
    beneficiary_email_wallet_provider: payment.beneficiaryEmailWalletProvider,
    narrative_1: narrative1 ?? null,
    narrative_2: narrative2 ?? null,
    narrative_3: narrative3 ?? null,
    narrative_4: narrative4 ?? null,
    narrative_5: narrative5 ?? null,
    narrative_6: narrative6 ?? null,
    payment_date: payment.paymentDate,
  };
}
