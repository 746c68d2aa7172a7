/** What an envelope gives; it decides which stages its batches pass. Apart, so that naming them needs no machine. */
export const BENEFIT_TYPES = [
  'CASH_DIGITAL',
  'CASH_PHYSICAL',
  'COMMODITY',
  'SERVICE',
  'COMBINATION',
] as const;
export type BenefitType = (typeof BENEFIT_TYPES)[number];
