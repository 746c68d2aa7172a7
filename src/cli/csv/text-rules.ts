import type { CsvColumn } from './header.ts';

/** Longest texts, in characters as JavaScript counts them; those that the partner API accepts (a test compares them). */
export const TEXT_CHARACTERS_MAX = {
  disbursement_id: 64,
  beneficiary_id: 255,
  beneficiary_name: 500,
  disbursement_quantity: 60,
  narrative: 2_000,
} as const satisfies Readonly<Record<CsvColumn, number>>;

/** Digits of a quantity before and after the point, as the partner API accepts them. */
export const QUANTITY_WHOLE_DIGITS_MAX = 20;
export const QUANTITY_FRACTION_DIGITS_MAX = 6;
