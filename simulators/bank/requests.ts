import { z } from 'zod';
import { listOf } from '../shared/validation.ts';
import { amountSchema, positiveAmountSchema } from './amounts.ts';

const paymentsMax = 50_000;

const text = z.string().max(256).nullish();

/** Printable ASCII without spaces; 35 characters is what MT940 has room for. */
export const accountNumberSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,35}$/, 'must be 1 to 35 printable characters');

export const currencySchema = z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters');

const referenceSchema = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 printable characters');

const dateSchema = z.iso.date('must be a date, YYYY-MM-DD');

export const phoneSchema = z.string().regex(/^\+?\d{5,15}$/, 'must be a telephone number');

export const checkFundsSchema = z.strictObject({
  account_number: accountNumberSchema,
  account_currency: currencySchema,
  total_funds_needed: amountSchema,
});

export const blockFundsSchema = z.strictObject({
  account_number: accountNumberSchema,
  currency: currencySchema,
  amount: amountSchema,
});

export const releaseFundsSchema = z.strictObject({
  account_number: accountNumberSchema,
  block_reference_no: referenceSchema,
});

const paymentSchema = z
  .strictObject({
    payment_reference_number: referenceSchema,
    remitting_account: accountNumberSchema,
    remitting_account_currency: currencySchema,
    payment_amount: positiveAmountSchema,
    funds_blocked_reference_number: referenceSchema,
    beneficiary_name: text,
    beneficiary_account: text,
    beneficiary_account_currency: currencySchema.nullish(),
    beneficiary_account_type: text,
    beneficiary_bank_code: text,
    beneficiary_branch_code: text,
    beneficiary_mobile_wallet_provider: text,
    beneficiary_phone_no: text,
    beneficiary_email: text,
    beneficiary_email_wallet_provider: text,
    narrative_1: text,
    narrative_2: text,
    narrative_3: text,
    narrative_4: text,
    narrative_5: text,
    narrative_6: text,
    payment_date: dateSchema,
  })
  .refine(
    (payment) => payment.beneficiary_account || payment.beneficiary_phone_no || payment.beneficiary_email,
    {
      path: ['beneficiary_account'],
      message: 'must be given, or beneficiary_phone_no or beneficiary_email',
    },
  );

export const paymentsSchema = listOf(paymentSchema, paymentsMax);

export const paymentStatusSchema = z.strictObject({
  idempotency_key: z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable characters'),
});

export const generateStatementSchema = z.strictObject({ program_account_number: accountNumberSchema });

export const ussdSchema = z.strictObject({
  sessionId: z.string().min(1).max(100),
  serviceCode: z.string().min(1).max(30),
  phoneNumber: phoneSchema,
  networkCode: z.string().max(30).optional(),
  text: z.string().max(160),
});

export type CheckFunds = z.infer<typeof checkFundsSchema>;
export type ReleaseFunds = z.infer<typeof releaseFundsSchema>;
export type BlockFunds = z.infer<typeof blockFundsSchema>;
export type Payment = z.infer<typeof paymentSchema>;
export type Ussd = z.infer<typeof ussdSchema>;
