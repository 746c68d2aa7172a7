import { z } from 'zod';
import { ExactNumber } from '../shared/exact-json.ts';

/** Twelve digits before the point and two after it: what fits the 15 characters of an MT940 amount. */
const amountPattern = /^(0|[1-9]\d{0,11})(?:\.(\d{1,2})0{0,20})?$/;
const explanation = 'must be a decimal of at most 12 digits and 2 decimals, not negative';

/**
 * An amount in a request: a JSON number or a decimal string. It comes out as a string with two decimals, so
 * that equal amounts are equal texts.
 */
export const amountSchema = z.unknown().transform((value, context) => {
  const amount = toAmount(value);
  if (amount !== null) return amount;
  context.addIssue({ code: 'custom', message: explanation });
  return z.NEVER;
});

/** The same, and more than nothing. */
export const positiveAmountSchema = amountSchema.refine((amount) => amount !== '0.00', {
  message: 'must be more than 0',
});

/** An amount with two decimals in hundredths, to add up and compare. */
export function toHundredths(amount: string): bigint {
  return BigInt(amount.replace('.', ''));
}

/** Hundredths as an amount with two decimals. */
export function fromHundredths(hundredths: bigint): string {
  const digits = hundredths.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function toAmount(value: unknown): string | null {
  const text = amountText(value);
  const parts = text === null ? null : amountPattern.exec(text);
  if (parts === null) return null;
  const [, whole = '', fraction = ''] = parts;
  return `${whole}.${fraction.padEnd(2, '0')}`;
}

/** A JSON number that the parser left as a double has at most 15 digits, which its text gives back exactly. */
function amountText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return value instanceof ExactNumber ? value.source : null;
}
