/** What an envelope gives; it decides which stages its batches pass. Apart, so that naming them needs no machine. */
export const BENEFIT_TYPES = [
  'CASH_DIGITAL',
  'CASH_PHYSICAL',
  'COMMODITY',
  'SERVICE',
  'COMBINATION',
] as const;
export type BenefitType = (typeof BENEFIT_TYPES)[number];

const CASH: ReadonlySet<string> = new Set(['CASH_DIGITAL', 'CASH_PHYSICAL'] satisfies BenefitType[]);
const IN_ZONES: ReadonlySet<string> = new Set([
  'CASH_PHYSICAL',
  'COMMODITY',
  'SERVICE',
  'COMBINATION',
] satisfies BenefitType[]);

/** Whether money moves for a benefit type, so that its envelopes end with the bank's statements. */
export const isCash = (benefitType: string): boolean => CASH.has(benefitType);

/** Whether a benefit type reaches people through warehouses and agencies of their zones, and everybody is notified. */
export const goesThroughZones = (benefitType: string): boolean => IN_ZONES.has(benefitType);
